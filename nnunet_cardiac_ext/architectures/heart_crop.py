"""Find the heart in a probability map, cut it out at a fixed size and put results back (paper 003, section 3.3)."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from nnunet_cardiac_ext.architectures.efficient_additive_attention import at_least_float32

# Pixels around the heart ("shift" in the paper).
PAPER_MARGIN = 15
# A pixel is heart where background is less likely than not, as in the released code.
HEART_PROBABILITY = 0.5


@torch.compiler.disable
def find_hearts(
    probability: Tensor, *, margin: int = PAPER_MARGIN, threshold: float = HEART_PROBABILITY
) -> tuple[Tensor, Tensor]:
    """Return the box around the largest connected region of each image; it has no gradient.

    The largest region is the one with the most pixels, the first in reading order of equal ones; pixels are connected
    along rows and columns, not diagonals. The box has the margin on each side, clipped at each border by itself.
    Regions are found on the CPU, image by image.

    Args:
        probability: Probability of being heart, shape (batch, row, column).
        margin: In pixels.
        threshold: A pixel above it is heart.

    Returns:
        Boxes, shape (batch, 4), whole numbers on the CPU: first row, row after the last, first column, column after the
        last; all zero where there is no heart. And whether there is one, shape (batch,), on the CPU.
    """
    masks = (probability.detach() > threshold).cpu().numpy()
    boxes = torch.tensor([_box(mask, margin) for mask in masks], dtype=torch.int64).reshape(-1, 4)
    return boxes, boxes[:, 1] > boxes[:, 0]


def central_box(shape: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Return the box of at most `size` in the middle of an image of `shape`, in the form of `find_hearts`."""
    edges = []
    for extent, wanted in zip(shape, size, strict=True):
        start = max(0, (extent - wanted) // 2)
        edges += [start, min(extent, start + wanted)]
    return torch.tensor(edges)


class HeartCrop:
    """Crops of one size out of images whose boxes differ, and the way back; both are differentiable.

    A box that fits is placed in the middle of its crop, pixel for pixel, with zeros around it, and comes back exactly.
    A box that is larger is reduced, both axes by the same factor, by averaging areas, and enlarged linearly on the way
    back. One matrix per image and axis does it, so that no loop runs over images or pixels.

    Args:
        boxes: Shape (batch, 4) as of `find_hearts`. An empty box gives a crop of zeros.
        shape: Rows and columns of the images.
        size: Rows and columns of the crops.
        device: Where the images are.

    Attributes:
        inside: Which pixels of the images lie in their box, shape (batch, 1, row, column).
    """

    def __init__(
        self, boxes: Tensor, shape: tuple[int, int], size: tuple[int, int], device: torch.device | str = "cpu"
    ) -> None:
        edges = boxes.to(device, torch.float32).unflatten(1, (2, 2))  # (batch, axis, first and stop)
        extents = edges[..., 1] - edges[..., 0]
        step = (extents / torch.tensor(size, device=device)).amax(dim=1).clamp_min(1)
        axes = [_Axis(edges[:, axis], step, shape[axis], size[axis]) for axis in range(2)]
        (self._gather_rows, self._gather_columns) = (axis.gather() for axis in axes)
        (self._scatter_rows, self._scatter_columns) = (axis.scatter() for axis in axes)
        self.inside = axes[0].inside[:, None, :, None] & axes[1].inside[:, None, None, :]

    def crop(self, maps: Tensor) -> Tensor:
        """Return the crops of maps, shape (batch, channel, row, column); zero outside the boxes."""
        return _resample(maps, self._gather_rows, self._gather_columns)

    def paste(self, crops: Tensor) -> Tensor:
        """Return crops at their place in maps of the images' shape; zero outside the boxes."""
        return _resample(crops, self._scatter_rows, self._scatter_columns)


class _Axis:
    """Where the pixels of a crop lie along one axis of the image.

    Args:
        edges: First pixel of the box and the one after its last, shape (batch, 2).
        step: Edge of a crop's pixel in pixels of the image, shape (batch,).
        extent: Length of the image.
        size: Length of the crop.
    """

    def __init__(self, edges: Tensor, step: Tensor, extent: int, size: int) -> None:
        self.step = step[:, None, None]
        start = edges.mean(dim=1) - size * step / 2
        self.start = torch.where(step == 1, start.floor(), start)[:, None, None]
        self.pixels = torch.arange(extent, device=edges.device, dtype=torch.float32)
        self.cells = torch.arange(size, device=edges.device, dtype=torch.float32)
        self.inside = (self.pixels >= edges[:, :1]) & (self.pixels < edges[:, 1:])

    def gather(self) -> Tensor:
        """Share of each pixel in each cell of the crop, shape (batch, cell, pixel)."""
        low = self.start + self.step * self.cells[:, None]
        overlap = torch.minimum(low + self.step, self.pixels + 1) - torch.maximum(low, self.pixels)
        return overlap.clamp_min(0) / self.step * self.inside[:, None]

    def scatter(self) -> Tensor:
        """Linear weight of each cell of the crop in each pixel, shape (batch, pixel, cell)."""
        position = ((self.pixels[:, None] + 0.5 - self.start) / self.step - 0.5).clamp(0, len(self.cells) - 1)
        return (1 - (position - self.cells).abs()).clamp_min(0) * self.inside[..., None]


def _resample(maps: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return rows x maps x columns^T for each channel, in float32 or better: half precision would round pixels."""
    with torch.autocast(maps.device.type, enabled=False):
        exact = at_least_float32(maps)
        changed = rows[:, None].to(exact.dtype) @ exact @ columns[:, None].to(exact.dtype).mT
    return changed.to(maps.dtype)


def _box(mask: np.ndarray, margin: int) -> list[int]:
    """Return first and stop of rows and columns of the largest region with its margin; zeros for an empty mask."""
    labels, count = ndimage.label(mask)
    if count == 0:
        return [0, 0, 0, 0]
    largest = int(np.bincount(labels.ravel())[1:].argmax()) + 1
    region = ndimage.find_objects(labels)[largest - 1]
    edges = []
    for along, extent in zip(region, mask.shape, strict=True):
        edges += [max(0, along.start - margin), min(extent, along.stop + margin)]
    return edges
