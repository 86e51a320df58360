"""Sliding window over slices in batches: the same tiles, weights, order and precision as nnU-Net, several at a time.

nnU-Net sums weighted logits and weights in half precision, tile after tile. So do we, in the same order: sums in
float32 would be nearer the truth, but up to 1e-3 away from nnU-Net's probabilities.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from acvl_utils.cropping_and_padding.padding import pad_nd_image
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window
from torch import nn
from torch.overrides import TorchFunctionMode

from nnunet_cardiac_ext.errors import WorkError

# Network inputs in one pass. On a CPU each core has a pass of its own; more than two inputs leave its cache and cost
# more. On a GPU 64 images of 256 x 256 are meant to fill the device; where they do not fit, the batch is halved.
INPUTS_ON_CPU = 2
PIXELS_ON_GPU = 64 * 256 * 256
# More cores than this would hold too many feature maps at once.
WORKERS_ON_CPU = 16

# Below this size torch convolves a single image by another algorithm than a batch of them (ATen, use_mkldnn).
SINGLE_IMAGE_ELEMENTS = 20480

# nnU-Net's peak of the Gaussian and its width as a fraction of the tile.
GAUSSIAN_PEAK = 10
GAUSSIAN_WIDTH = 1 / 8


@dataclass(frozen=True)
class Window:
    """How slices are tiled.

    Attributes:
        patch_size: Rows and columns of a tile.
        step_size: Distance of neighbouring tiles as a fraction of a tile, above 0, at most 1.
        mirror_axes: Axes of test-time mirroring, 0 for rows and 1 for columns; every combination is predicted.
        batch_size: Network inputs (tiles times mirrored copies) in one pass; on a CPU each core has a pass of its own.
    """

    patch_size: tuple[int, int]
    step_size: float
    mirror_axes: tuple[int, ...]
    batch_size: int

    @property
    def flips(self) -> list[tuple[int, ...]]:
        """Axes of (batch, class, row, column) to flip, one entry per copy; the first copy is the image itself."""
        axes = [axis + 2 for axis in self.mirror_axes]
        return [c for count in range(len(axes) + 1) for c in itertools.combinations(axes, count)]

    @property
    def inputs_in_a_pass(self) -> int:
        """Number of inputs whose mirrored copies fill a batch; at least 1."""
        return max(1, self.batch_size // len(self.flips))


def default_batch_size(patch_size: tuple[int, int], device: torch.device) -> int:
    """Return the number of network inputs at once that keeps memory bounded on the device; at least 1."""
    if device.type == "cpu":
        return INPUTS_ON_CPU
    return max(1, PIXELS_ON_GPU // (patch_size[0] * patch_size[1]))


def inputs_at_once(window: Window, device: torch.device) -> int:
    """Return how many tiles make full use of a device, mirrored copies not counted: a pass, on a CPU one per core."""
    return _passes_at_once(device) * window.inputs_in_a_pass


@torch.no_grad()
def predict_slices(
    network: nn.Module, images: Sequence[torch.Tensor], window: Window, *, classes: int
) -> list[torch.Tensor]:
    """Predict the logits of stacks of slices, each slice by itself; slices of several stacks share a pass.

    Args:
        network: Gives logits (batch, class, row, column) of images (batch, channel, row, column); on its device.
        images: Preprocessed slices (channel, slice, row, column), of any sizes; those smaller than a tile are padded
            with 0.
        window: The tiling.
        classes: Number of output channels of the network.

    Returns:
        For each image logits (class, slice, row, column) in half precision on the device of the network.

    Raises:
        WorkError: The sums leave the range of half precision, or one tile does not fit into the device's memory.
    """
    device = next(network.parameters()).device
    weights = compute_gaussian(
        window.patch_size, sigma_scale=GAUSSIAN_WIDTH, value_scaling_factor=GAUSSIAN_PEAK, device=device
    )
    canvases = [_Canvas(image, window, weights, classes=classes) for image in images]

    def weighted_logits(part: list[Item]) -> tuple[list[Item], torch.Tensor]:
        tiles = torch.stack([canvas.padded[place] for canvas, place in part])
        return part, _mirrored_mean(network, tiles, window) * weights

    for part, logits in _in_order(weighted_logits, _batches(canvases, window), device):
        for (canvas, place), tile_logits in zip(part, logits, strict=True):
            canvas.sums[place] += tile_logits
    return [canvas.logits() for canvas in canvases]


Place = tuple[Any, ...]


class _Canvas:
    """An image that is padded to the size of a tile, its tiles, and the sum of their logits so far."""

    def __init__(self, image: torch.Tensor, window: Window, weights: torch.Tensor, *, classes: int) -> None:
        padded, self._inside = pad_nd_image(image, window.patch_size, "constant", {"value": 0}, True, None)
        self.padded = padded.to(weights.device)
        slices, *plane = self.padded.shape[1:]
        self.sums = torch.zeros((classes, slices, *plane), dtype=torch.half, device=weights.device)
        starts = compute_steps_for_sliding_window(tuple(plane), window.patch_size, window.step_size)
        rows, columns = window.patch_size
        tiles = [
            (slice(row, row + rows), slice(column, column + columns)) for row, column in itertools.product(*starts)
        ]
        self.places: list[Place] = [(slice(None), index, *tile) for index in range(slices) for tile in tiles]
        self._total_weight = torch.zeros(plane, dtype=torch.half, device=weights.device)
        for tile in tiles:
            self._total_weight[tile] += weights

    def logits(self) -> torch.Tensor:
        """Return the mean of all tiles, without the padding."""
        torch.div(self.sums, self._total_weight, out=self.sums)
        if not torch.isfinite(self.sums).all():
            raise WorkError("the logits leave the range of half precision; is there a NaN in the image or the network?")
        return self.sums[:, self._inside[1], self._inside[2], self._inside[3]]


Item = tuple[_Canvas, Place]


def _batches(canvases: Sequence[_Canvas], window: Window) -> Iterable[list[Item]]:
    items = [(canvas, place) for canvas in canvases for place in canvas.places]
    size = window.inputs_in_a_pass
    return (items[first : first + size] for first in range(0, len(items), size))


def _mirrored_mean(network: nn.Module, tiles: torch.Tensor, window: Window) -> torch.Tensor:
    flips = window.flips
    copies = torch.cat([tiles.flip(axes) if axes else tiles for axes in flips])
    first, *others = _forward(network, copies, window.batch_size).split(len(tiles))
    total = first
    for axes, logits in zip(flips[1:], others, strict=True):
        total += logits.flip(axes)
    if others:
        total /= len(flips)
    return total


def _forward(network: nn.Module, images: torch.Tensor, batch_size: int) -> torch.Tensor:
    autocast = torch.autocast("cuda") if images.device.type == "cuda" else contextlib.nullcontext()
    try:
        with autocast:
            return torch.cat([network(part) for part in images.split(batch_size)])
    except torch.OutOfMemoryError as error:
        if batch_size == 1:
            raise WorkError("one tile does not fit into the device's memory; use -device cpu") from error
    torch.cuda.empty_cache()
    return _forward(network, images, batch_size // 2)


def _passes_at_once(device: torch.device) -> int:
    return min(torch.get_num_threads(), WORKERS_ON_CPU) if device.type == "cpu" else 1


def _in_order(call: Callable[[Any], Any], parts: Iterable[Any], device: torch.device) -> Iterator[Any]:
    """Yield the results in order; on a CPU one thread per core works on batches of its own.

    nnU-Net lets all cores work on one tile and wait for each other after every layer, which is slow with small layers
    and very slow where others use the machine too.
    """
    threads, workers = torch.get_num_threads(), _passes_at_once(device)
    if workers == 1:
        yield from map(partial(_as_one_by_one, call, device), parts)
        return
    waiting: deque[Future[Any]] = deque()
    try:
        with ThreadPoolExecutor(workers, "tiles", initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for part in parts:
                waiting.append(pool.submit(_as_one_by_one, call, device, part))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
    finally:
        # Threads started later would take over the number of the workers.
        torch.set_num_threads(threads)


def _as_one_by_one(call: Callable[[Any], Any], device: torch.device, part: Any) -> Any:
    # Both modes belong to a thread.
    with torch.no_grad(), _OneByOneConvolutions() if device.type == "cpu" else contextlib.nullcontext():
        return call(part)


class _OneByOneConvolutions(TorchFunctionMode):
    """Convolves small images of a batch one by one.

    Otherwise logits differ from nnU-Net's in the seventh digit, now and then half precision rounds them to the next
    number, and a probability moves by up to 1e-3. Only the lowest stages are small enough; the time is the same.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.conv2d and args and len(args[0]) > 1 and args[0][0].numel() <= SINGLE_IMAGE_ELEMENTS:
            return torch.cat([func(image, *args[1:], **kwargs) for image in args[0].split(1)])
        return func(*args, **kwargs)
