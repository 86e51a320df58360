import pytest
import torch
from torch import nn
from torch.nn import functional

from nnunet_cardiac_ext.architectures.blocks import Layers
from nnunet_cardiac_ext.architectures.multi_scale_fusion import MixedLevels, MultiScaleFusion

WIDTHS = [2, 3, 4]


def decoded(strides, size, widths=WIDTHS):
    """Random features of each level, sizes rounded up as pooling does."""
    torch.manual_seed(0)
    levels = []
    for width, stride in zip(widths, strides, strict=True):
        size = [-(-edge // step) for edge, step in zip(size, stride, strict=True)]
        levels.append(torch.randn(2, width, *size, dtype=torch.float64, requires_grad=True))
    return levels


def directly(convolution, levels, strides):
    """The convolution of the concatenated levels, each repeated to full size."""
    total, repeated = [1] * len(strides[0]), []
    for level, stride in zip(levels, strides, strict=True):
        total = [a * b for a, b in zip(total, stride, strict=True)]
        for axis, step in enumerate(total, start=2):
            level = level.repeat_interleave(step, dim=axis)
        repeated.append(level)
    return convolution(torch.cat(repeated, dim=1))


def mixed_levels(strides, kernel):
    conv_op = {2: nn.Conv2d, 3: nn.Conv3d}[len(kernel)]
    convolution = conv_op(sum(WIDTHS), 5, kernel, padding=[edge // 2 for edge in kernel]).double()
    return MixedLevels(convolution, WIDTHS, strides)


@pytest.mark.parametrize(
    ("strides", "kernel", "size"),
    [
        ([[1, 1], [2, 2], [2, 2]], [3, 3], (8, 12)),
        ([[1, 1], [2, 3], [4, 2]], [3, 3], (16, 12)),
        ([[1, 1], [4, 4], [2, 2]], [5, 1], (16, 24)),
        ([[1, 1, 1], [1, 2, 2], [2, 2, 2]], [3, 3, 3], (4, 8, 12)),
        ([[1, 1, 1], [2, 2, 2], [2, 2, 2]], [1, 3, 3], (8, 8, 4)),
    ],
)
def test_equals_the_convolution_of_the_repeated_levels(strides, kernel, size):
    mixed, levels = mixed_levels(strides, kernel), decoded(strides, size)
    ours, plain = mixed(levels), directly(mixed.convolution, levels, strides)
    assert torch.allclose(ours, plain)
    weights = torch.randn_like(plain)
    inputs = [*levels, *mixed.parameters()]
    for mine, theirs in zip(*(torch.autograd.grad((x * weights).sum(), inputs) for x in (ours, plain)), strict=True):
        assert torch.allclose(mine, theirs)


def test_at_odd_sizes_only_the_last_voxels_differ():
    strides = [[1, 1], [2, 2], [2, 2]]
    mixed, levels = mixed_levels(strides, [3, 3]), decoded(strides, (9, 11))
    upsampled = [levels[0]]
    for step, level in zip((2, 4), levels[1:], strict=True):
        upsampled.append(functional.interpolate(level, scale_factor=step)[..., :9, :11])
    plain = mixed.convolution(torch.cat(upsampled, dim=1))
    ours = mixed(levels)
    assert ours.shape == plain.shape
    assert torch.allclose(ours[..., :8, :10], plain[..., :8, :10])


def test_the_output_has_the_finest_size_and_as_many_channels_as_classes():
    strides = [[1, 1, 1], [1, 2, 2], [2, 2, 2]]
    fusion = MultiScaleFusion(
        Layers(nn.Conv3d, "batch"), WIDTHS, strides, fusion_features=(6, 4), kernel_size=(3, 3, 3), num_classes=3
    )
    levels = [level.float() for level in decoded(strides, (5, 9, 7))]
    assert fusion(levels).shape == (2, 3, 5, 9, 7)
    blocks = (27 * 9 * 6 + 6 + 2 * 6) + (27 * 6 * 4 + 4 + 2 * 4)
    assert sum(p.numel() for p in fusion.parameters()) == blocks + (4 * 3 + 3)


def test_all_levels_reach_the_output():
    strides = [[1, 1], [2, 2], [2, 2]]
    mixed, levels = mixed_levels(strides, [3, 3]), decoded(strides, (8, 8))
    mixed(levels).square().sum().backward()
    assert all(level.grad.abs().min() > 0 for level in levels)
