"""Change the `architecture` block of a plans configuration so that its lists, strides and the patch stay consistent."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from nnunet_cardiac_ext.errors import UsageError

# A further stage halves an axis as long as this many voxels remain; nnU-Net's planner stops at the same edge.
SMALLEST_EDGE = 4

# Module and class of each normalisation, up to the dimensions (2d, 3d).
NORMS = MappingProxyType({"instance": "instancenorm.InstanceNorm", "batch": "batchnorm.BatchNorm"})

# What a network of five levels that halves four times divides.
PLANE_STEP = 16

# Attention gates of the attention M-net, the paper's first.
GATES = ("dual", "spatial", "channel", "none")

# Blocks of the networks of paper 003: the paper's and those of the code that its authors published.
DESIGNS = ("paper", "released")


def with_features(architecture: dict[str, Any], features: Sequence[int], patch_size: Sequence[int]) -> dict[str, Any]:
    """Return the architecture with one stage per width, from the finest to the coarsest.

    Stages that the architecture has are kept. A further one repeats the last one's kernel and number of convolutions
    and halves each axis of the patch that can be halved, unless no stage of the network makes the image smaller.

    Args:
        architecture: A block with the lists of an nnU-Net U-Net.
        features: Widths, at least two.
        patch_size: Patch in voxels.

    Raises:
        UsageError: The widths are no whole numbers, odd in a network that halves them, or the patch is too small for so
            many stages.
    """
    changed, kwargs = _copied(architecture)
    count = len(features)
    _check_widths("features", features, even="design" in kwargs)
    kwargs["strides"] = _strides(kwargs["strides"], count, patch_size)
    for key in _per_stage_keys(kwargs, ("kernel_sizes", "n_conv_per_stage", "n_blocks_per_stage")):
        kwargs[key] = _resized(kwargs[key], count)
    for key in _per_stage_keys(kwargs, ("n_conv_per_stage_decoder",)):
        kwargs[key] = _resized(kwargs[key], count - 1)
    kwargs.update(n_stages=count, features_per_stage=list(features))
    return changed


def with_convolutions(architecture: dict[str, Any], convolutions: int) -> dict[str, Any]:
    """Return the architecture with as many convolutions (or residual blocks) in each stage of encoder and decoder.

    Raises:
        UsageError: The number is no whole number of at least 1, or the network's stages are single convolutions.
    """
    if type(convolutions) is not int or convolutions < 1:
        raise UsageError(f"convolutions: expected a whole number >= 1, got {convolutions!r}")
    changed, kwargs = _copied(architecture)
    keys = _per_stage_keys(kwargs, ("n_conv_per_stage", "n_blocks_per_stage", "n_conv_per_stage_decoder"))
    if not keys:
        raise UsageError(f"convolutions: {_name(architecture)} has a fixed number per stage; features= sets the stages")
    for key in keys:
        kwargs[key] = [convolutions] * len(kwargs[key])
    return changed


def with_norm(architecture: dict[str, Any], norm: str) -> dict[str, Any]:
    """Return the architecture with another normalisation, whose numbers (eps, affine) stay.

    Batch normalisation is the faster one on a CPU, together with the setting `channels_last`.

    Raises:
        UsageError: `norm` is none of `NORMS`, or the network's is fixed.
    """
    if not isinstance(norm, str) or norm not in NORMS:
        raise UsageError(f"norm: expected one of {', '.join(NORMS)}, got {norm!r}")
    changed, kwargs = _copied(architecture)
    if "norm_op" not in kwargs:
        raise UsageError(f"norm: {_name(architecture)} has batch normalisation, which is fixed")
    dimensions = kwargs["conv_op"][-2:]
    kwargs["norm_op"] = f"torch.nn.modules.{NORMS[norm]}{dimensions}"
    return changed


def with_gate(architecture: dict[str, Any], gate: str) -> dict[str, Any]:
    """Return the attention M-net with other gates between encoder and decoder.

    Raises:
        UsageError: `gate` is none of `GATES`, or the network has none.
    """
    return _with_choice(architecture, "gate", gate, GATES, "attention-mnet")


def with_design(architecture: dict[str, Any], design: str) -> dict[str, Any]:
    """Return a network of paper 003 with other blocks; in CroCNet those of the specialists.

    Raises:
        UsageError: `design` is none of `DESIGNS`, or the network is another one.
    """
    return _with_choice(architecture, "design", design, DESIGNS, "e2a-unet or crocnet")


def with_specialist_features(architecture: dict[str, Any], features: Any) -> dict[str, Any]:
    """Return CroCNet with other widths of the specialists, from the finest stage to the bottom.

    Raises:
        UsageError: The widths are no even whole numbers, or the network is another one.
    """
    widths = list(features) if isinstance(features, Sequence) and not isinstance(features, str) else [features]
    _check_widths("specialist_features", widths, even=True)
    return _with_own(architecture, "specialist_features", widths, "crocnet")


def with_crop_size(architecture: dict[str, Any], edge: int) -> dict[str, Any]:
    """Return CroCNet with crops of another edge in pixels.

    Raises:
        UsageError: The edge is no whole number of at least 1, or the network is another one.
    """
    return _with_whole_number(architecture, "crop_size", edge, minimum=1)


def with_margin(architecture: dict[str, Any], margin: int) -> dict[str, Any]:
    """Return CroCNet with another margin around the heart, in pixels.

    Raises:
        UsageError: The margin is no whole number of at least 0, or the network is another one.
    """
    return _with_whole_number(architecture, "margin", margin, minimum=0)


def with_switch(key: str, architecture: dict[str, Any], on: bool) -> dict[str, Any]:
    """Return the classifier-guided network with one of its parts (fusion, refinement, presence) or without it.

    Raises:
        UsageError: `on` is neither true nor false, or the network has no such part.
    """
    if not isinstance(on, bool):
        raise UsageError(f"{key}: expected true or false, got {on!r}")
    return _with_own(architecture, key, on, "classifier-guided")


def check_network(architecture: dict[str, Any], patch_size: Sequence[int]) -> None:
    """Check that a network takes patches of so many axes and that its attention heads divide its last width.

    Raises:
        UsageError: One of them is not so.
    """
    kwargs, axes = architecture["arch_kwargs"], len(patch_size)
    if len(kwargs["strides"][0]) != axes:
        raise UsageError(
            f"network: {_name(architecture)} takes single slices; expected a 2D preset, got {axes}D patches"
        )
    heads, width = kwargs.get("heads", 1), kwargs["features_per_stage"][-1]
    if width % heads:
        raise UsageError(f"features: expected a multiple of {heads} (attention heads) as the last one, got {width}")


def stack_patch(
    slices: int, patch_size: Sequence[int], spacing: Sequence[float], new_spacing: Sequence[float]
) -> list[int]:
    """Return a patch of whole stacks that covers in the plane what a 2D patch covers.

    Args:
        slices: Slices that fit into the patch.
        patch_size: The 2D patch in pixels.
        spacing: Its pixels in mm.
        new_spacing: Pixels of the stacks in mm.

    Returns:
        (slice, row, column), rows and columns rounded up to multiples of `PLANE_STEP`.
    """
    covered = [edge * old / new for edge, old, new in zip(patch_size, spacing, new_spacing, strict=True)]
    # Rounded first: 32 * 1.5 / 1.5 must not become 48 by the last bit.
    return [slices, *(PLANE_STEP * math.ceil(round(edge / PLANE_STEP, 6)) for edge in covered)]


def check_patch(architecture: dict[str, Any], patch_size: Sequence[int]) -> None:
    """Check that a patch passes through all strides and leaves more than one voxel at the bottom.

    Raises:
        UsageError: It does not; the line names sizes that would.
    """
    total = _total_stride(architecture["arch_kwargs"]["strides"])
    edges = zip(patch_size, total, strict=True)
    if any(edge % stride for edge, stride in edges):
        nearest = [max(1, round(edge / stride)) * stride for edge, stride in zip(patch_size, total, strict=True)]
        raise UsageError(
            f"patch_size: expected multiples of the network's total stride {total}, got {list(patch_size)}; "
            f"the nearest are {nearest}"
        )
    if list(patch_size) == total:
        raise UsageError(f"patch_size: expected more than the network's total stride {total}, got {list(patch_size)}")


def _copied(architecture: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a copy of the block and, within it, its keyword arguments."""
    copied = copy.deepcopy(architecture)
    return copied, copied["arch_kwargs"]


def _with_own(architecture: dict[str, Any], key: str, value: Any, networks: str) -> dict[str, Any]:
    """Return the architecture with another value of an argument that only some networks have."""
    changed, kwargs = _copied(architecture)
    if key not in kwargs:
        raise UsageError(f"{key}: expected the network {networks}, got {_name(architecture)}")
    kwargs[key] = value
    return changed


def _with_choice(
    architecture: dict[str, Any], key: str, value: Any, choices: Sequence[str], networks: str
) -> dict[str, Any]:
    if not isinstance(value, str) or value not in choices:
        raise UsageError(f"{key}: expected one of {', '.join(choices)}, got {value!r}")
    return _with_own(architecture, key, value, networks)


def _with_whole_number(architecture: dict[str, Any], key: str, value: Any, *, minimum: int) -> dict[str, Any]:
    """Return CroCNet with another number of pixels."""
    if type(value) is not int or value < minimum:
        raise UsageError(f"{key}: expected a whole number >= {minimum}, got {value!r}")
    return _with_own(architecture, key, value, "crocnet")


def _check_widths(key: str, features: Sequence[Any], *, even: bool) -> None:
    """Check the widths of a network's stages; E-2A networks reach each in two steps, so that it has to be even."""
    step = 2 if even else 1
    if len(features) < 2 or any(type(width) is not int or width < 1 or width % step for width in features):
        numbers = "even whole numbers >= 2" if even else "whole numbers >= 1"
        raise UsageError(f"{key}: expected at least two {numbers}, got {list(features)}")


def _name(architecture: dict[str, Any]) -> str:
    return str(architecture["network_class_name"]).rpartition(".")[2]


def _per_stage_keys(kwargs: dict[str, Any], names: Sequence[str]) -> list[str]:
    """Return those names that stand for a list with one entry per stage; a single number holds for all stages."""
    return [name for name in names if isinstance(kwargs.get(name), list)]


def _resized(values: list[Any], count: int) -> list[Any]:
    return [copy.deepcopy(values[min(index, len(values) - 1)]) for index in range(count)]


def _strides(strides: list[list[int]], count: int, patch_size: Sequence[int]) -> list[list[int]]:
    changed = [list(stride) for stride in strides[:count]]
    if max(map(max, strides)) == 1:
        return changed + [list(strides[0]) for _ in range(count - len(changed))]
    while len(changed) < count:
        edges = [edge // stride for edge, stride in zip(patch_size, _total_stride(changed), strict=True)]
        further = [2 if edge % 2 == 0 and edge // 2 >= SMALLEST_EDGE else 1 for edge in edges]
        if max(further) == 1:
            raise UsageError(
                f"features: expected at most {len(changed)} stages for patches of {list(patch_size)}, got {count}"
            )
        changed.append(further)
    return changed


def _total_stride(strides: list[list[int]]) -> list[int]:
    return [math.prod(along) for along in zip(*strides, strict=True)]
