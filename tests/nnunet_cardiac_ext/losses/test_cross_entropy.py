import pytest
import torch
from helpers.loss_cases import random_case, with_ignored
from torch.nn import functional

from nnunet_cardiac_ext.losses.cross_entropy import CrossEntropyLoss


def test_equals_torchs_own():
    output, target = random_case(classes=4, regions=False)
    assert CrossEntropyLoss()(output, target).item() == pytest.approx(
        functional.cross_entropy(output, target[:, 0]).item()
    )
    output, target = random_case(classes=3, regions=True)
    expected = functional.binary_cross_entropy_with_logits(output, target.double())
    assert CrossEntropyLoss(regions=True)(output, target).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("regions", [False, True])
def test_ignored_voxels_do_not_count(regions):
    output, target = random_case(classes=3, regions=regions)
    ignored = torch.rand(2, 1, 3, 6, 5, generator=torch.Generator().manual_seed(1)) < 0.4
    loss = CrossEntropyLoss(regions=regions, ignore_label=9)
    found = loss(output, with_ignored(target, ignored, regions=regions))
    kept = ~ignored.expand_as(target)
    if regions:
        expected = functional.binary_cross_entropy_with_logits(output[kept], target[kept].double())
    else:
        expected = functional.cross_entropy(output.movedim(1, -1)[~ignored[:, 0]], target[~ignored])
    assert found.item() == pytest.approx(expected.item())


@pytest.mark.parametrize("regions", [False, True])
def test_nothing_annotated_gives_zero_and_no_gradient(regions):
    output, target = random_case(classes=3, regions=regions)
    output.requires_grad_()
    everywhere = torch.ones(2, 1, 3, 6, 5, dtype=torch.bool)
    loss = CrossEntropyLoss(regions=regions, ignore_label=9)(output, with_ignored(target, everywhere, regions=regions))
    loss.backward()
    assert loss == 0
    assert not output.grad.any()


def test_certain_and_wrong_stays_finite():
    output = torch.tensor([2e4, -2e4])[None, :, None, None]
    assert CrossEntropyLoss()(output, torch.ones(1, 1, 1, 1)).item() == pytest.approx(4e4)
