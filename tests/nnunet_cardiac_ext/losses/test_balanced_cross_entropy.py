import math

import pytest
import torch
from helpers.loss_cases import ROW, ROW_OUTPUT, mean_over_problems, random_case, two_channels

from nnunet_cardiac_ext.losses.balanced_cross_entropy import BalancedCrossEntropyLoss


def by_loops(probability, reference):
    loss, voxels = 0.0, reference.shape[1]
    for p, g in zip(probability, reference, strict=True):
        others = sum(g[voxel] == 0 for voxel in range(voxels)) / voxels
        for voxel in range(voxels):
            if g[voxel]:
                loss -= others * math.log(p[voxel]) / voxels
    return loss


def test_the_value_worked_out_by_hand():
    expected = -(6 / 9 * 3 * math.log(0.8) + 3 / 9 * 6 * math.log(0.9)) / 9
    assert BalancedCrossEntropyLoss(regions=True)(ROW_OUTPUT, ROW).item() == pytest.approx(expected)
    assert BalancedCrossEntropyLoss()(two_channels(ROW_OUTPUT), ROW).item() == pytest.approx(expected)


@pytest.mark.parametrize("regions", [False, True])
def test_equals_plain_loops(regions):
    output, target = random_case(classes=3, regions=regions)
    found = BalancedCrossEntropyLoss(regions=regions)(output, target)
    assert found.item() == pytest.approx(mean_over_problems(by_loops, output, target, regions=regions))


def test_both_classes_together_pull_equally():
    mask = torch.zeros(1, 1, 10, 10)
    mask[..., 0, :3] = 1
    output = torch.zeros_like(mask).requires_grad_()
    BalancedCrossEntropyLoss(regions=True)(output, mask).backward()
    assert output.grad[mask == 1].sum().item() == pytest.approx(-output.grad[mask == 0].sum().item())


def test_an_empty_mask_teaches_nothing():
    output = torch.randn(1, 1, 4, 4, requires_grad=True)
    loss = BalancedCrossEntropyLoss(regions=True)(output, torch.zeros(1, 1, 4, 4))
    loss.backward()
    assert loss == 0
    assert not output.grad.any()


def test_certain_and_wrong_stays_finite():
    loss = BalancedCrossEntropyLoss(regions=True)(-1e4 * (2.0 * ROW - 1), ROW)
    assert loss.item() == pytest.approx(1e4 * (6 / 9 * 3 + 3 / 9 * 6) / 9)
