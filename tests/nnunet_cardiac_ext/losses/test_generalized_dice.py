import monai.losses
import pytest
import torch
from helpers.loss_cases import ROW, ROW_OUTPUT, mean_over_problems, random_case, two_channels

from nnunet_cardiac_ext.losses.generalized_dice import GeneralizedDiceLoss


def by_loops(probability, reference):
    above = below = 0.0
    for p, g in zip(probability, reference, strict=True):
        weight = 1 / sum(map(int, g)) ** 2
        above += weight * sum(p[voxel] * g[voxel] for voxel in range(len(g)))
        below += weight * sum(p[voxel] + g[voxel] for voxel in range(len(g)))
    return 1 - 2 * above / below


def test_the_value_worked_out_by_hand():
    assert GeneralizedDiceLoss(regions=True)(ROW_OUTPUT, ROW).item() == pytest.approx(1 / 6)
    assert GeneralizedDiceLoss()(two_channels(ROW_OUTPUT), ROW).item() == pytest.approx(1 / 6)


@pytest.mark.parametrize("regions", [False, True])
def test_equals_plain_loops(regions):
    output, target = random_case(classes=3, regions=regions)
    found = GeneralizedDiceLoss(regions=regions)(output, target)
    assert found.item() == pytest.approx(mean_over_problems(by_loops, output, target, regions=regions))


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("absent", [False, True])
def test_equals_monai_with_softmax(batch, absent):
    output, target = random_case(classes=4, regions=False)
    if absent:
        target[target == 2] = 1
    theirs = monai.losses.GeneralizedDiceLoss(to_onehot_y=True, softmax=True, smooth_nr=0, smooth_dr=0, batch=batch)
    assert GeneralizedDiceLoss(batch=batch)(output, target).item() == pytest.approx(theirs(output, target).item())


def test_of_an_empty_mask_the_mean_foreground_probability_is_left():
    output, _ = random_case(classes=1, regions=True)
    found = GeneralizedDiceLoss(regions=True)(output, torch.zeros_like(output))
    assert found.item() == pytest.approx(output.sigmoid().mean().item())


def test_small_and_large_class_count_alike():
    mask = torch.zeros(1, 1, 20, 20)
    mask[..., :2, :2] = 1
    missed = GeneralizedDiceLoss(regions=True)(torch.full_like(mask, -30.0), mask)
    assert missed.item() == pytest.approx(1 - 2 * (396 / 396**2) / (4 / 4**2 + 796 / 396**2))
    assert missed > 0.97


def test_paper_sized_batches_keep_their_digits():
    output, target = random_case(classes=2, regions=False, size=(36, 96, 96), batch=4)
    whole = GeneralizedDiceLoss(batch=True)
    assert whole(output.float(), target).item() == pytest.approx(whole(output, target).item(), rel=1e-5)
