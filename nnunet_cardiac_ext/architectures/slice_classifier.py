"""A classifier of whole slices on one of torchvision's networks: the region classifier of paper 002."""

from __future__ import annotations

import itertools
import math
import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torchvision import models

from nnunet_cardiac_ext.errors import UsageError, first_line


def _squeezenet(num_classes: int) -> nn.Module:
    """Return torchvision's SqueezeNet 1.0 without the ReLU behind its last convolution.

    A class whose map is negative everywhere has no gradient through that ReLU and is never predicted again. Trained
    from random weights this befalls the rarer classes before they can be told.
    """
    network = models.squeezenet1_0(num_classes=num_classes)
    network.classifier[2] = nn.Identity()
    return network


@dataclass(frozen=True)
class _Backbone:
    """What has to be known of one of torchvision's networks.

    Attributes:
        build: Its constructor.
        first: Name of its first convolution.
        head: Name of its last layer.
        smallest_edge: Rows and columns that it needs at least; fewer leave nothing for its last pooling.
        batch_norm: Whether it normalises over the batch.
    """

    build: Callable[..., nn.Module]
    first: str
    head: str
    smallest_edge: int = 1
    batch_norm: bool = True


_BACKBONES: Mapping[str, _Backbone] = MappingProxyType(
    {
        "alexnet": _Backbone(models.alexnet, "features.0", "classifier.6", 63, batch_norm=False),
        "densenet121": _Backbone(models.densenet121, "features.conv0", "classifier", 29),
        "mobilenet_v2": _Backbone(models.mobilenet_v2, "features.0.0", "classifier.1"),
        "resnet18": _Backbone(models.resnet18, "conv1", "fc"),
        "shufflenet_v2": _Backbone(models.shufflenet_v2_x1_0, "conv1.0", "fc"),
        "squeezenet": _Backbone(_squeezenet, "features.0", "classifier.1", 21, batch_norm=False),
        "vgg11_bn": _Backbone(models.vgg11_bn, "features.0", "classifier.6", 32),
    }
)
BACKBONES = tuple(_BACKBONES)


class SliceClassifier(nn.Module):
    """Class logits of whole slices.

    Mariscal-Harana et al., Improved AI-based Segmentation of Apical and Basal Slices from Clinical Cine CMR. The
    network is torchvision's, with a first convolution for our channels. SqueezeNet is version 1.0, that of the paper
    which Mariscal-Harana et al. cite, without its last ReLU; VGG-A with batch normalisation is vgg11_bn.

    Args:
        input_channels: Channels of the images.
        num_classes: Number of classes; paper 002 has four, in the order of `regions.Region`.
        backbone: One of `BACKBONES`.
        deep_supervision: For nnU-Net's sake; a classifier has one output, so that only False is possible.

    Raises:
        ValueError: `backbone` is unknown or `deep_supervision` is wanted.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int = 4,
        *,
        backbone: str = "densenet121",
        deep_supervision: bool = False,
    ) -> None:
        super().__init__()
        if backbone not in _BACKBONES:
            raise ValueError(f"expected a backbone of {', '.join(BACKBONES)}, got {backbone!r}")
        if deep_supervision:
            raise ValueError("expected no deep supervision, a classifier has one output")
        self.backbone = backbone
        self.network = _BACKBONES[backbone].build(num_classes=num_classes)
        _adapt_first_convolution(self.network, _BACKBONES[backbone].first, input_channels)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, class) of images (batch, channel, row, column)."""
        return self.network(images)


def smallest_edge(backbone: str) -> int:
    """Return how many rows and columns an image needs at least."""
    return _BACKBONES[backbone].smallest_edge


def has_batch_norm(backbone: str) -> bool:
    """Tell whether a backbone normalises over the batch, so that it cannot be trained on batches of one image."""
    return _BACKBONES[backbone].batch_norm


def load_imagenet_weights(classifier: SliceClassifier, file: Path) -> None:
    """Take over the weights of torchvision's network of the same backbone.

    The first convolution's weights are averaged over red, green and blue and repeated over our channels. The last
    layer, whose classes are others, keeps the weights that it has.

    Args:
        classifier: The classifier; its weights change.
        file: State dict as torchvision publishes it for this backbone.

    Raises:
        UsageError: The file cannot be read or is that of another network; the line names the first key that differs.
    """
    backbone = _BACKBONES[classifier.backbone]
    own = {key: weight for key, weight in classifier.network.state_dict().items() if not _in(backbone.head, key)}
    given = {key: weight for key, weight in _read_state(file).items() if not _in(backbone.head, key)}
    first = f"{backbone.first}.weight"
    if isinstance(given.get(first), torch.Tensor) and given[first].ndim == own[first].ndim:
        given[first] = given[first].mean(dim=1, keepdim=True).repeat(1, own[first].shape[1], 1, 1)
    if problem := _difference(own, given):
        raise UsageError(f"{file}: expected torchvision's weights of {classifier.backbone}, but {problem}")
    # Without the last layer and, in older files, without the counters of batch normalisation.
    classifier.network.load_state_dict(given, strict=False)


def fit_slices(stack: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Bring each slice to one size without losing a part of it.

    A slice that fits keeps its scale and is padded with 0 around its centre; of an odd number of rows or columns the
    end has the larger half. A larger slice is first shrunk, both axes by the same factor, until it just fits (bilinear
    with antialiasing, each output pixel a weighted mean of all that it covers). Nothing is enlarged or cut off.

    Args:
        stack: Shape (channel, slice, row, column), not empty in the plane.
        size: Rows and columns wanted.

    Returns:
        Shape (slice, channel, *size), float32, on the device of `stack`.
    """
    slices = stack.transpose(0, 1).float()
    factor = min(wanted / edge for wanted, edge in zip(size, slices.shape[2:], strict=True))
    if factor < 1:
        edges = [min(w, max(1, round(edge * factor))) for w, edge in zip(size, slices.shape[2:], strict=True)]
        slices = functional.interpolate(slices, size=edges, mode="bilinear", antialias=True)
    spare = [wanted - edge for wanted, edge in zip(size, slices.shape[2:], strict=True)]
    top, left = spare[0] // 2, spare[1] // 2
    return functional.pad(slices, (left, spare[1] - left, top, spare[0] - top))


@torch.no_grad()
def classify_slices(
    network: nn.Module,
    stack: torch.Tensor,
    size: tuple[int, int],
    *,
    mirror_axes: Sequence[int] = (),
    batch_size: int = 32,
) -> torch.Tensor:
    """Return the class probabilities of each slice, the mean over all mirrored copies.

    Args:
        network: Gives logits (batch, class) of images (batch, channel, row, column); in evaluation mode, on its device.
        stack: Preprocessed stack (channel, slice, row, column).
        size: Rows and columns that the network was trained on.
        mirror_axes: Axes to mirror along, 0 for rows and 1 for columns; every combination is a copy.
        batch_size: Slices at once.

    Returns:
        Shape (slice, class), float32, on the CPU; no rows for a stack without slices.
    """
    device = next(network.parameters()).device
    axes = [axis + 2 for axis in mirror_axes]
    flips = [chosen for count in range(len(axes) + 1) for chosen in itertools.combinations(axes, count)]
    parts = []
    # An empty stack is one part without slices: all layers take that, and the result has its classes.
    for part in fit_slices(stack, size).split(batch_size):
        part = part.to(device)
        copies = [network(part.flip(chosen)).float().softmax(dim=1) for chosen in flips]
        parts.append(torch.stack(copies).mean(dim=0).cpu())
    return torch.cat(parts)


def _adapt_first_convolution(network: nn.Module, name: str, channels: int) -> None:
    """Replace the first convolution by one for another number of channels, its weights drawn anew.

    Their spread is such that sums over the channels vary as much as those over three did.
    """
    old = network.get_submodule(name)
    assert isinstance(old, nn.Conv2d)
    new = nn.Conv2d(channels, old.out_channels, old.kernel_size, old.stride, old.padding, bias=old.bias is not None)
    spread = float(old.weight.detach().std()) * math.sqrt(old.in_channels / channels)
    nn.init.normal_(new.weight, std=spread)
    if new.bias is not None:
        new.bias = old.bias
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)


def _read_state(file: Path) -> dict[str, Any]:
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror or error})") from error
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        reason = first_line(error)
        raise UsageError(f"{file}: expected a state dict of torch, but it cannot be loaded ({reason})") from error
    if not isinstance(state, Mapping):
        raise UsageError(f"{file}: expected a state dict of torch, got {type(state).__name__}")
    # DenseNet's published file is older than the names of its layers.
    return {re.sub(r"(denselayer\d+)\.(norm|conv)\.(\d)\.", r"\1.\2\3.", str(key)): state[key] for key in state}


def _difference(own: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Name the first key in which a state dict differs from the network's; empty text where there is none."""
    for key, weight in own.items():
        if key not in given:
            if not key.endswith("num_batches_tracked"):
                return f"it holds no {key}"
        elif getattr(given[key], "shape", None) != weight.shape:
            got = tuple(getattr(given[key], "shape", ()))
            return f"{key} has the shape {got}, expected {tuple(weight.shape)}"
    return next((f"it holds {key}, which the network has not" for key in given if key not in own), "")


def _in(module: str, key: str) -> bool:
    return key.startswith(f"{module}.")
