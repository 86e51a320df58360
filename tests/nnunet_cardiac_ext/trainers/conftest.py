"""What all tests of trainers share."""

import pytest
import torch
from nnunetv2.training.logging.nnunet_logger import LocalLogger


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Batches made in this process, one thread, no progress.png (nnU-Net takes over a second for each)."""
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    monkeypatch.setattr(LocalLogger, "plot_progress_png", lambda *_: None)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
