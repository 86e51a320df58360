"""Train, validation and test animals whose myocardial volumes are alike, as in paper 000.

All scans of an animal are in one partition. The paper says that the volumes are distributed alike, not how; here
animals are dealt in the order of their mean volume, many times with random swaps of neighbours, and the deal with the
smallest difference between the distributions is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataset_conversion.splits import Splits
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError

PARTS = ("train", "val", "test")
# Deals that are tried; more than a few hundred hardly find a better one.
_TRIALS = 400
# How far animals may move in the order of their volumes before they are dealt, in ranks.
_JITTER = 2.0


@dataclass(frozen=True)
class AnimalVolume:
    """What the partition needs to know of an animal.

    Attributes:
        name: The animal.
        volumes: Myocardial volume of each of its cases in ml, shape (case,).
    """

    name: str
    volumes: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean myocardial volume in ml."""
        return float(np.mean(self.volumes))


def parse_ratios(text: str) -> tuple[float, ...]:
    """Read "700:200:214" or "70:20:10": the shares of cases for training, validation and test.

    Raises:
        UsageError: There are not three numbers from 0, or training or validation gets none.
    """
    try:
        ratios = tuple(float(part) for part in text.split(":"))
    except ValueError:
        ratios = ()
    if len(ratios) != 3 or not np.isfinite(ratios).all() or min(ratios) < 0 or min(ratios[:2]) == 0:
        raise UsageError(
            f"--partition: expected shares train:val:test such as 700:200:214, the first two above 0, got {text!r}"
        )
    return ratios


def partition_animals(animals: Sequence[AnimalVolume], ratios: Sequence[float], *, seed: int) -> dict[str, str]:
    """Assign each animal to training, validation or test.

    Args:
        animals: The animals with the volumes of their cases.
        ratios: Shares of the cases for the three parts; 0 leaves a part empty.
        seed: Seed of the search.

    Returns:
        Part by animal. Every part with a share gets an animal.

    Raises:
        UsageError: There are fewer animals than parts.
    """
    shares = np.array(ratios, dtype=np.float64) / sum(ratios)
    wanted = int((shares > 0).sum())
    if len(animals) < wanted:
        raise UsageError(f"--partition: expected at least {wanted} animals with labels, got {len(animals)}")
    ordered = sorted(animals, key=lambda animal: (animal.mean, animal.name))
    generator = np.random.default_rng(seed)
    deals = []
    for trial in range(_TRIALS):
        jitter = generator.uniform(0, _JITTER if trial else 0, len(ordered))
        order = np.argsort(np.arange(len(ordered)) + jitter, kind="stable")
        deals.append(_deal([ordered[index] for index in order], shares))
    best = min(deals, key=lambda deal: _cost(ordered, deal, shares))
    return {name: PARTS[part] for name, part in sorted(best.items())}


def largest_difference(animals: Sequence[AnimalVolume], part_of: Mapping[str, str]) -> float:
    """Return the largest Kolmogorov-Smirnov distance between the volumes of two parts; NaN for fewer than two parts."""
    volumes = [_volumes(animals, [part_of[animal.name] == part for animal in animals]) for part in PARTS]
    present = [part for part in volumes if len(part)]
    distances = [_distance(a, b) for index, a in enumerate(present) for b in present[index + 1 :]]
    return max(distances, default=float("nan"))


def split_by_part(rows: Sequence[CaseRow], part_of: Mapping[str, str]) -> Splits:
    """Return the one fold of a partition: its training and its validation cases, sorted; none if a side is empty."""
    sides = {part: sorted(row.case for row in rows if part_of.get(row.subject) == part) for part in PARTS[:2]}
    return [sides] if all(sides.values()) else []


def _deal(animals: Sequence[AnimalVolume], shares: np.ndarray) -> dict[str, int]:
    """Give each animal in turn to the part that lacks most cases of its share so far."""
    cases = np.zeros(len(shares))
    part_of: dict[str, int] = {}
    for left, animal in zip(range(len(animals), 0, -1), animals, strict=True):
        lack = (cases.sum() + len(animal.volumes)) * shares - cases
        empty = [part for part, share in enumerate(shares) if share > 0 and not cases[part]]
        # The last animals go to parts that would stay empty.
        part = empty[0] if len(empty) >= left else int(np.argmax(np.where(shares > 0, lack, -np.inf)))
        cases[part] += len(animal.volumes)
        part_of[animal.name] = part
    return part_of


def _cost(animals: Sequence[AnimalVolume], deal: Mapping[str, int], shares: np.ndarray) -> float:
    """Largest distance between a part's volumes and all volumes, plus the largest error of a part's share of cases."""
    everything = _volumes(animals, [True] * len(animals))
    parts = [_volumes(animals, [deal[animal.name] == part for animal in animals]) for part in range(len(shares))]
    distance = max(_distance(part, everything) for part in parts if len(part))
    error = np.abs(np.array([len(part) for part in parts]) / len(everything) - shares).max()
    return distance + float(error)


def _volumes(animals: Sequence[AnimalVolume], chosen: Sequence[bool]) -> np.ndarray:
    return np.sort([v for animal, take in zip(animals, chosen, strict=True) if take for v in animal.volumes])


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference of two distribution functions, both sorted (scipy's test of it is too slow for a search)."""
    values = np.concatenate([a, b])
    below = [np.searchsorted(sample, values, side="right") / len(sample) for sample in (a, b)]
    return float(np.abs(below[0] - below[1]).max())
