"""Cost of the distance transform of a batch of masks against a plain loop of scipy over its slices or stacks.

    python benchmarks/distance_transform.py [--threads 2] [--turns 9] [--batch 8] [--size 36 96 96]

The masks are rings of the proportions of a mouse heart; about a quarter of the slices are empty, as beyond base and
apex. Variants run in turn. Processor time adds up all threads; the ratio is of the time that passes, which threads
shorten, and says little on a busy machine. With a graphics card its search is measured too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy import ndimage
from spreads import spread

from nnunet_cardiac_ext.losses.distance_transform import euclidean_distance_transform


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, nargs=3, default=[36, 96, 96])
    arguments = parser.parse_args()
    mask = torch.from_numpy(rings(arguments.batch, *arguments.size))
    print(f"{tuple(mask.shape)}, {arguments.threads} threads, median (range) of {arguments.turns} turns")
    for dims in (2, 3):
        variants = build(mask, dims, arguments.threads)
        report(f"{dims}-D", measure(variants, arguments.turns))


def rings(batch: int, slices: int, rows: int, columns: int) -> np.ndarray:
    random = np.random.default_rng(0)
    row, column = np.mgrid[:rows, :columns]
    masks = np.zeros((batch, 1, slices, rows, columns), dtype=bool)
    for image in masks[:, 0]:
        middle = random.uniform(0.4, 0.6, 2) * (rows, columns)
        first, last = (round(share * slices) for share in (random.uniform(0.05, 0.18), random.uniform(0.8, 0.95)))
        for place in range(first, last):
            outer = min(rows, columns) / 4 * (1 - 0.6 * ((place - first) / (last - first)) ** 2)
            radius = np.hypot(row - middle[0], column - middle[1])
            image[place] = (radius < outer) & (radius >= 0.7 * outer)
    return masks


def build(mask: torch.Tensor, dims: int, threads: int) -> dict[str, Callable[[], object]]:
    def plain() -> list[np.ndarray]:
        images = mask.numpy().reshape(-1, *mask.shape[-dims:])
        return [ndimage.distance_transform_edt(~image) for image in images]

    def ours(method: str, on: torch.Tensor, count: int) -> Callable[[], object]:
        def run() -> None:
            torch.set_num_threads(count)
            euclidean_distance_transform(on, dims=dims, method=method)
            if on.is_cuda:
                torch.cuda.synchronize()

        return run

    variants: dict[str, Callable[[], object]] = {"plain scipy loop": plain}
    for count in sorted({1, threads}):
        for method in ("auto", "scipy"):
            variants[f"{method}, {count} thread{'s' * (count > 1)}"] = ours(method, mask, count)
    variants["torch, 1 thread"] = ours("torch", mask, 1)  # meant for graphics cards; here it is tested
    if torch.cuda.is_available():
        variants[torch.cuda.get_device_name()] = ours("auto", mask.cuda(), 1)
    return variants


def measure(variants: dict[str, Callable[[], object]], turns: int) -> dict[str, list[tuple[float, float]]]:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in variants}
    for turn in range(turns + 1):
        for name, run in variants.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            if turn:  # the first turn warms up
                times[name].append((time.process_time() - processor, time.perf_counter() - wall))
    return times


def report(title: str, times: dict[str, list[tuple[float, float]]]) -> None:
    plain = [wall for _, wall in next(iter(times.values()))]
    print(f"\n| {title} | processor ms | passed ms | times faster than the plain loop |\n|---|---|---|---|")
    for name, values in times.items():
        processor, wall = ([1000 * pair[part] for pair in values] for part in (0, 1))
        ratios = [1000 * before / after for before, after in zip(plain, wall, strict=True)]
        print(f"| {name} | {spread(processor, '.1f')} | {spread(wall, '.1f')} | {spread(ratios, '.2f')} |")


if __name__ == "__main__":
    main()
