import math
from itertools import pairwise

import pytest
import torch
from helpers.loss_cases import ROW, ROW_OUTPUT, problems_of, random_case, two_channels

from nnunet_cardiac_ext.losses.distance_derived import DistanceDerivedLoss


def by_loops(output, target, *, regions, dims=2, spacing=(1.0, 1.0, 1.0)):
    """Equation 1 for each image and foreground class."""
    probability, reference = problems_of(output, target, regions=regions)
    places = [tuple(place) for place in torch.cartesian_prod(*map(torch.arange, output.shape[2:])).tolist()]
    values = []
    foreground = [array[:, :, 1:].reshape(-1, len(places)) for array in (probability, reference)]
    for p, g in zip(*foreground, strict=True):
        mask = [place for place, inside in zip(places, g, strict=True) if inside]
        summed = 0.0
        for place, guess, truth in zip(places, p, g, strict=True):
            near = [other for other in mask if dims == 3 or other[0] == place[0]]
            if near:
                scaled = [[step * x for step, x in zip(spacing, at, strict=True)] for at in (place, *near)]
                apart = min(math.dist(scaled[0], other) for other in scaled[1:])
                summed += abs(guess - truth) / (apart + 1)
        values.append(summed / len(mask))
    return sum(values) / len(values)


def squares(mask_at, predicted_at, size=(1, 1, 15, 30)):
    """A 3x3 mask and another square that is predicted beside it, by their first columns."""
    mask, predicted = torch.zeros(size), torch.zeros(size)
    mask[..., 6:9, mask_at : mask_at + 3] = 1
    for start in (mask_at, predicted_at):
        predicted[..., 6:9, start : start + 3] = 1
    return 30 * (2 * predicted - 1), mask


def test_the_value_worked_out_by_hand():
    assert DistanceDerivedLoss(regions=True)(ROW_OUTPUT, ROW).item() == pytest.approx(0.3)
    assert DistanceDerivedLoss()(two_channels(ROW_OUTPUT), ROW).item() == pytest.approx(0.3)


@pytest.mark.parametrize("regions", [False, True])
@pytest.mark.parametrize(("dims", "spacing"), [(2, None), (3, None), (3, (6.0, 1.2, 0.7))])
def test_equals_plain_loops(regions, dims, spacing):
    output, target = random_case(classes=3, regions=regions)
    found = DistanceDerivedLoss(regions=regions, dims=dims, spacing=spacing)(output, target)
    expected = by_loops(output, target, regions=regions, dims=dims, spacing=spacing or (1.0, 1.0, 1.0))
    assert found.item() == pytest.approx(expected)


def test_two_dimensional_images():
    output, target = random_case(classes=2, regions=False)
    flat = DistanceDerivedLoss()(output[:, :, 0], target[:, :, 0])
    assert flat.item() == pytest.approx(by_loops(output[:, :, :1], target[:, :, :1], regions=False))


def test_a_contour_that_comes_nearer_to_the_true_one_costs_less():
    rows, columns = torch.meshgrid(torch.arange(40) - 20.0, torch.arange(40) - 20.0, indexing="ij")
    radius = torch.hypot(rows, columns)[None, None]
    mask = (radius <= 8).float()
    loss = DistanceDerivedLoss(regions=True)
    for edges in ([16, 14, 12, 10, 9, 8], [2, 4, 6, 7, 8]):
        costs = [loss(30 * (2 * (radius <= edge).float() - 1), mask).item() for edge in edges]
        assert all(later < before for before, later in pairwise(costs))
        assert costs[-1] == pytest.approx(0, abs=1e-6)


def test_by_equation_1_a_false_region_costs_more_the_nearer_it_is():
    costs = [DistanceDerivedLoss(regions=True)(*squares(2, start)).item() for start in (25, 20, 15, 10, 5)]
    assert all(later > before for before, later in pairwise(costs))
    touching = (1 / 2 + 1 / 3 + 1 / 4) * 3 / 9
    assert costs[-1] == pytest.approx(touching, abs=1e-6)


def test_a_slice_without_mask_costs_nothing_in_2d_and_something_in_3d():
    mask = torch.zeros(1, 1, 2, 5, 5)
    mask[:, :, 0, 2, 2] = 1
    output = 30 * (2 * mask - 1)
    output[:, :, 1] = 30
    assert DistanceDerivedLoss(regions=True)(output, mask).item() == pytest.approx(0, abs=1e-6)
    above = DistanceDerivedLoss(regions=True, dims=3)(output, mask).item()
    assert above == pytest.approx(by_loops(output.double(), mask.long(), regions=True, dims=3), rel=1e-5)
    assert above > 1


def test_classes_that_do_not_occur_are_left_out():
    output, target = random_case(classes=3, regions=True)
    target[:, 1] = 0
    found = DistanceDerivedLoss(regions=True)(output, target)
    kept = DistanceDerivedLoss(regions=True)(output[:, ::2], target[:, ::2])
    assert torch.allclose(found, kept)
    assert DistanceDerivedLoss(regions=True)(output, torch.zeros_like(target)) == 0


def test_ignored_voxels_are_no_mask():
    mask = torch.zeros(1, 1, 1, 7)
    mask[..., 0] = mask[..., 6] = 1
    ignored = torch.zeros_like(mask)
    ignored[..., 6] = 1
    output = 30 * (2 * mask - 1)
    output[..., 4] = 30
    found = DistanceDerivedLoss(regions=True, ignore_label=2)(output, torch.cat([mask, ignored], dim=1))
    assert found.item() == pytest.approx(1 / (1 + 4))


def test_distances_in_millimetres():
    output, mask = squares(2, 10)
    apart = DistanceDerivedLoss(regions=True, spacing=(1.0, 0.1307))(output, mask).item()
    expected = sum(1 / (1 + 0.1307 * columns) for columns in (6, 7, 8)) * 3 / 9
    assert apart == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("size", "spacing"), [((4, 6, 5), (2.4, 0.5, 1.0)), ((2, 6, 5), (4.8, 0.5, 1.0)), ((4, 3, 5), (2.4, 1.0, 1.0))]
)
def test_an_extent_gives_every_resolution_its_spacing(size, spacing):
    output, target = random_case(classes=2, regions=False, size=size)
    found = DistanceDerivedLoss(dims=3, extent=(4 * 0.48, 6 * 0.1, 5 * 0.2))(output, target)
    assert torch.allclose(found, DistanceDerivedLoss(dims=3, spacing=spacing)(output, target))


def test_an_extent_of_equal_steps_counts_voxels():
    output, target = random_case(classes=2, regions=False, size=(4, 6, 5))
    found = DistanceDerivedLoss(dims=3, extent=(4 * 0.3, 6 * 0.3, 5 * 0.3))(output, target)
    assert torch.equal(found, DistanceDerivedLoss(dims=3)(output, target))


def test_three_dimensions_of_a_flat_image_are_refused():
    with pytest.raises(ValueError, match="dims 3"):
        DistanceDerivedLoss(dims=3)(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))
