"""Fixtures for all tests: nnU-Net folders of their own, and the real data where it is there."""

import os
from pathlib import Path

import pytest

# Before anything imports torch: tests share the cores with each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """As many processes as cores for `-n auto`, but no more than fit into 16 GB: each holds torch and small models."""
    return min(os.cpu_count() or 1, 8)


def pytest_collection_modifyitems(items):
    """Files with slow tests go first, so that no process is left alone with a long one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def nnunet_root(tmp_path, monkeypatch):
    """A folder with nnU-Net's three directories, set in the environment for this test alone."""
    root = tmp_path / "nnunet"
    names = {"nnUNet_raw": "raw", "nnUNet_preprocessed": "preprocessed", "nnUNet_results": "results"}
    for variable, name in names.items():
        (root / name).mkdir(parents=True)
        monkeypatch.setenv(variable, str(root / name))
    return root


@pytest.fixture(scope="session")
def real_data():
    """The folder of real cardiac MR named by NNUNET_CARDIAC_REAL_DATA; tests that need it are skipped without it."""
    folder = os.environ.get("NNUNET_CARDIAC_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("NNUNET_CARDIAC_REAL_DATA names no folder")
    return Path(folder)
