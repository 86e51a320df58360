"""How many known defects of real labels the quality checks find, and how often they flag clean labels.

    python benchmarks/quality_detection.py DATA [--seed 0]

DATA holds acdc/training and emidec in their official layouts. Thresholds were tuned on every second patient (of each
group, sorted by name); the defects are put into the labels of the others, each defect into each image once (faults of a
whole heart: into each patient once). A defect counts as found where a check flags the spoiled labels at a place where
it did not flag the clean ones: "its check" is one of those meant for it, "any check" is any of all.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from helpers.spoiled_hearts import CINE_DEFECTS, LGE_DEFECTS, Defect  # noqa: E402  # after the path

from nnunet_cardiac_ext.anatomy import CINE, LGE  # noqa: E402  # after the path
from nnunet_cardiac_ext.evaluation.quality.checks import (  # noqa: E402  # after the path
    PHASE_CHECKS,
    STACK_CHECKS,
    check_phases,
    check_stack,
)
from nnunet_cardiac_ext.evaluation.quality.phases import PhasePair, stack_facts  # noqa: E402  # after the path
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack  # noqa: E402  # after the path

EMIDEC_ORDER = {"LV": 1, "MYO": 2, "INFARCT": 3, "NOREFLOW": 4}


@dataclass(frozen=True)
class Heart:
    """The images of one patient: ED and ES, or one of LGE."""

    name: str
    tuning: bool
    stacks: tuple[LabelStack, ...]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    found = {"ACDC": (acdc(arguments.data), CINE_DEFECTS), "EMIDEC": (emidec(arguments.data), LGE_DEFECTS)}
    if not any(hearts for hearts, _ in found.values()):
        parser.error(f"{arguments.data}: found neither acdc/training nor emidec")
    for name, (hearts, defects) in found.items():
        if hearts:
            print_detection(name, [heart for heart in hearts if not heart.tuning], defects, arguments.seed)
            print_false_alarms(name, hearts)


def acdc(data: Path) -> list[Heart]:
    groups = {}
    for info in sorted(data.glob("acdc/training/*/Info.cfg")):
        groups[info.parent] = dict(line.split(": ", 1) for line in info.read_text().splitlines() if ": " in line)
    order = sorted(groups, key=lambda folder: (groups[folder]["Group"], folder.name))
    return [
        Heart(folder.name, number % 2 == 0, tuple(
            read(folder / f"{folder.name}_frame{int(groups[folder][phase]):02d}_gt.nii.gz", CINE, base_first=True)
            for phase in ("ED", "ES")
        ))
        for number, folder in enumerate(order)
    ]  # fmt: skip


def emidec(data: Path) -> list[Heart]:
    paths = sorted(data.glob("emidec/*/Contours/*.nii.gz"))
    return [
        Heart(path.parents[1].name, number % 2 == 0, (read(path, LGE, base_first=None),))
        for number, path in enumerate(paths)
    ]


def read(path: Path, label_map, base_first) -> LabelStack:
    image = nibabel.load(path)
    values = {name: label_map.values[name] for name in label_map.structures}
    spacing = tuple(float(value) for value in image.header.get_zooms()[:3][::-1])
    return LabelStack(np.rint(np.asarray(image.dataobj).T).astype(np.uint8), spacing, values, base_first)


def flags(heart: Heart) -> list:
    """All flags; the case is the number of the stack, so that places can be compared."""
    found = [flag for number, stack in enumerate(heart.stacks) for flag in check_stack(str(number), stack)]
    if len(heart.stacks) == 2:
        found += check_phases(("0", "1"), PhasePair(*map(stack_facts, heart.stacks)))
    return found


def spoiled_hearts(heart: Heart, defect: Defect, seed: int):
    """The heart with this defect in one of its images; nothing where it has no place for it."""
    generator = np.random.default_rng([seed, zlib.crc32(f"{heart.name} {defect.kind}".encode())])
    if defect.both_phases:
        yield Heart(heart.name, heart.tuning, defect.spoil(heart.stacks, generator))
        return
    for number, stack in enumerate(heart.stacks):
        spoiled = defect.spoil(stack, generator)
        if spoiled is not None:
            yield Heart(heart.name, heart.tuning, (*heart.stacks[:number], spoiled, *heart.stacks[number + 1 :]))


def print_detection(name: str, hearts: Sequence[Heart], defects: Sequence[Defect], seed: int):
    print(f"\n{name}: defects in the labels of {len(hearts)} patients not used for tuning\n")
    print("| defect | spoiled | its checks | found by its check | found by any check |")
    print("|---|---|---|---|---|")
    clean = {heart.name: places(flags(heart)) for heart in hearts}
    for defect in defects:
        results = [
            {check for check, *_ in places(flags(spoiled)) - clean[heart.name]}
            for heart in hearts
            for spoiled in spoiled_hearts(heart, defect, seed)
        ]
        own = sum(bool(result & set(defect.checks)) for result in results)
        checks = ", ".join(f"`{check}`" for check in defect.checks)
        anywhere = share(sum(map(bool, results)), len(results))
        print(f"| {defect.kind} | {len(results)} | {checks} | {share(own, len(results))} | {anywhere} |", flush=True)


def places(found: Sequence) -> set[tuple]:
    return {(flag.check, flag.case, flag.slice) for flag in found}


def print_false_alarms(name: str, hearts: Sequence[Heart]):
    print(f"\n{name}: clean labels that are flagged\n")
    print("| check | tuning half | other half |")
    print("|---|---|---|")
    counts: dict[bool, Counter] = {True: Counter(), False: Counter()}
    for heart in hearts:
        found = {(flag.check, flag.case) for flag in flags(heart)}
        counts[heart.tuning].update(check for check, _ in found)
        counts[heart.tuning]["any check"] += len({case for _, case in found})
    images = {half: sum(len(heart.stacks) for heart in hearts if heart.tuning == half) for half in (True, False)}
    silent = []
    for check in (*(check.name for check in (*STACK_CHECKS, *PHASE_CHECKS)), "any check"):
        cells = [share(counts[half][check], images[half]) for half in (True, False)]
        if counts[True][check] or counts[False][check] or check == "any check":
            print(f"| {check} | {cells[0]} | {cells[1]} |")
        else:
            silent.append(check)
    print(f"\nNever: {', '.join(silent)}.")


def share(count: int, total: int) -> str:
    return f"{count} of {total} ({100 * count / total:.0f} %)" if total else "-"


if __name__ == "__main__":
    main()
