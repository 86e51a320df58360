"""The mean of several networks, on networks whose answer is known."""

import pytest
import torch
from torch import nn

from inference_pipelines import ensemble
from inference_pipelines.ensemble import ensemble_logits
from inference_pipelines.tiling import Window
from nnunet_cardiac_ext.errors import WorkError

WINDOW = Window(patch_size=(8, 8), step_size=0.5, mirror_axes=(), batch_size=3)


class Scaled(nn.Module):
    """One class: the image times a number."""

    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, images):
        return images * self.factor


@pytest.mark.parametrize("factors", [(2.0,), (1.0, 4.0), (3.0, 0.0, 6.0)])
def test_each_stack_gets_the_mean_of_the_networks(factors):
    stacks = [torch.ones(1, 2, 8, 8), torch.full((1, 1, 5, 19), 0.5), torch.ones(1, 0, 8, 8)]
    answers = ensemble_logits([Scaled(factor) for factor in factors], stacks, WINDOW, classes=1)
    mean = sum(factors) / len(factors)
    for stack, logits in zip(stacks, answers, strict=True):
        assert logits.dtype == torch.half
        torch.testing.assert_close(logits.float(), stack * mean, rtol=2e-2, atol=1e-2)


def test_what_does_not_fit_into_memory_is_a_failure_with_a_way_out(monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(ensemble, "predict_slices", full)
    with pytest.raises(WorkError, match="does not fit into the device's memory; use -device cpu"):
        ensemble_logits([Scaled(1.0)], [torch.ones(1, 1, 8, 8)], WINDOW, classes=1)
