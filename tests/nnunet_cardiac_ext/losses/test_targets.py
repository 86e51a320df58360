import doctest
import sys

import pytest
import torch
from helpers.loss_cases import ROW, ROW_OUTPUT, random_case, two_channels, with_ignored

from nnunet_cardiac_ext.losses.balanced_cross_entropy import BalancedCrossEntropyLoss
from nnunet_cardiac_ext.losses.distance_derived import DistanceDerivedLoss
from nnunet_cardiac_ext.losses.generalized_dice import GeneralizedDiceLoss
from nnunet_cardiac_ext.losses.targets import mean_where

LOSSES = (GeneralizedDiceLoss, BalancedCrossEntropyLoss, DistanceDerivedLoss)
every_loss = pytest.mark.parametrize("kind", LOSSES)
softmax_and_regions = pytest.mark.parametrize("regions", [False, True])
image_and_batch = pytest.mark.parametrize("batch", [False, True])


def gradient(loss, output, target):
    output = output.detach().requires_grad_()
    loss(output, target).backward()
    return output.grad


@every_loss
@softmax_and_regions
@image_and_batch
def test_the_gradient_is_that_of_finite_differences(kind, regions, batch):
    output, target = random_case(classes=3, regions=regions, size=(2, 3, 3))
    loss = kind(regions=regions, batch=batch)
    assert torch.autograd.gradcheck(lambda x: loss(x, target), output.requires_grad_())


@every_loss
@image_and_batch
def test_a_sigmoid_and_two_softmax_channels_are_the_same(kind, batch):
    output, target = random_case(classes=1, regions=True)
    softmax = kind(batch=batch)(two_channels(output), target)
    assert torch.allclose(kind(regions=True, batch=batch)(output, target), softmax)


@every_loss
@softmax_and_regions
def test_a_perfect_output_costs_nothing(kind, regions):
    output = 60.0 * (2 * ROW - 1)
    loss = kind(regions=regions)(output if regions else two_channels(output), ROW)
    assert loss.item() == pytest.approx(0, abs=1e-6)


@every_loss
@softmax_and_regions
def test_per_image_is_the_mean_over_the_images(kind, regions):
    output, target = random_case(classes=3, regions=regions)
    loss = kind(regions=regions)
    alone = [loss(output[i : i + 1], target[i : i + 1]) for i in range(2)]
    assert torch.allclose(loss(output, target), torch.stack(alone).mean())


@every_loss
def test_a_batch_is_one_long_image(kind):
    output, target = random_case(classes=3, regions=False)
    long = [torch.cat(list(x), dim=1)[None] for x in (output, target)]
    assert torch.allclose(kind(batch=True)(output, target), kind()(*long))
    assert not torch.allclose(kind()(output, target), kind()(*long))


@every_loss
def test_processes_that_gather_share_one_batch(kind):
    output, target = random_case(classes=3, regions=False)
    parts = []
    recording = kind(batch=True, gather=lambda sums: parts.append(sums) or sums[None])
    for image in (0, 1):
        recording(output[image : image + 1], target[image : image + 1])
    gathering = kind(batch=True, gather=lambda _: torch.stack(parts))
    assert torch.allclose(gathering(output[:1], target[:1]), kind(batch=True)(output, target))


@every_loss
@softmax_and_regions
@image_and_batch
def test_ignored_voxels_do_not_count(kind, regions, batch):
    output, target = random_case(classes=3, regions=regions)
    ignored = torch.zeros(2, 1, 3, 6, 5, dtype=torch.bool)
    ignored[:, :, 1:] = True  # whole slices, so that distances within the others stay
    loss = kind(regions=regions, batch=batch, ignore_label=9)
    marked = with_ignored(target, ignored, regions=regions)
    seen = loss(output, marked)
    rest = kind(regions=regions, batch=batch)(output[:, :, :1], target[:, :, :1])
    assert torch.allclose(seen, rest)
    slope = gradient(loss, output, marked)
    assert not slope[:, :, 1:].any()
    assert slope[:, :, :1].all()


@every_loss
@softmax_and_regions
@image_and_batch
def test_where_all_is_ignored_the_loss_is_zero_with_a_zero_gradient(kind, regions, batch):
    output, target = random_case(classes=3, regions=regions)
    nothing = with_ignored(target, torch.ones(2, 1, 3, 6, 5, dtype=torch.bool), regions=regions)
    loss = kind(regions=regions, batch=batch, ignore_label=9)
    assert loss(output, nothing) == 0
    assert not gradient(loss, output, nothing).any()


@every_loss
def test_an_image_to_ignore_leaves_the_others_their_loss(kind):
    output, target = random_case(classes=3, regions=False)
    ignored = torch.zeros_like(target, dtype=torch.bool)
    ignored[1] = True
    found = kind(ignore_label=9)(output, with_ignored(target, ignored, regions=False))
    assert torch.allclose(found, kind()(output[:1], target[:1]))


@every_loss
@softmax_and_regions
@image_and_batch
@pytest.mark.parametrize("value", [0, 1])
def test_masks_without_or_full_of_foreground_give_numbers(kind, regions, batch, value):
    output, _ = random_case(classes=2, regions=regions)
    target = torch.full((2, 2 if regions else 1, 3, 6, 5), value)
    loss = kind(regions=regions, batch=batch)
    assert loss(output, target).isfinite()
    assert gradient(loss, output, target).isfinite().all()


@every_loss
@softmax_and_regions
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_full(kind, regions, dtype):
    output, target = random_case(classes=2, regions=regions, size=(2, 300, 300), batch=1)
    half = (10 * output).to(dtype)
    half[0, 0, 0, 0, 0] = torch.finfo(dtype).max
    loss = kind(regions=regions)
    found = loss(half, target)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(loss(half.double(), target).item(), rel=1e-5)
    assert gradient(loss, half, target).isfinite().all()


@every_loss
def test_under_autocast_the_loss_stays_in_full_precision(kind):
    output, target = random_case(classes=3, regions=False)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = kind()(output.float(), target)
    assert torch.equal(found, kind()(output.float(), target))


@every_loss
def test_labels_may_be_of_any_type(kind):
    for dtype in (torch.int16, torch.uint8, torch.float32):
        assert torch.equal(kind()(two_channels(ROW_OUTPUT), ROW.to(dtype)), kind()(two_channels(ROW_OUTPUT), ROW))
    assert torch.equal(kind(regions=True)(ROW_OUTPUT, ROW.bool()), kind(regions=True)(ROW_OUTPUT, ROW))


@every_loss
@pytest.mark.slow
def test_every_loss_can_be_compiled(kind):
    output, target = random_case(classes=3, regions=False)
    loss = kind()
    assert torch.allclose(torch.compile(loss, backend="eager")(output, target), loss(output, target))


@every_loss
def test_the_example_in_the_docstring_holds(kind):
    found = doctest.testmod(sys.modules[kind.__module__], extraglobs={"torch": torch})
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize(
    ("channels", "labels", "options"),
    [
        (2, (1, 3, 4), {}),
        (2, (1, 2, 3, 3), {}),
        (1, (1, 1, 3, 3), {}),
        (2, (1, 1, 3, 3), {"regions": True}),
        (2, (1, 2, 3, 3), {"regions": True, "ignore_label": 3}),
    ],
)
def test_labels_of_another_shape_are_refused(channels, labels, options):
    with pytest.raises(ValueError, match="expected"):
        GeneralizedDiceLoss(**options)(torch.zeros(1, channels, 3, 3), torch.zeros(labels))


def test_the_mean_of_nothing_is_zero():
    assert mean_where(torch.ones(3), torch.zeros(3, dtype=torch.bool)) == 0
    assert mean_where(torch.tensor([1.0, 5.0, 3.0]), torch.tensor([True, False, True])) == 2
