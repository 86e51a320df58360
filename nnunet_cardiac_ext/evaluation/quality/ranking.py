"""Which cases are worth a look first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nnunet_cardiac_ext.evaluation.quality.check import Flag, Severity


class RankedCase(NamedTuple):
    """One line of `quality.csv`.

    Attributes:
        case: Name of the case.
        subject: Its subject, empty without a case table.
        score: Sum of the weights of the checks that flag it (error 10, warning 3, notice 1), each check once.
        flags: Number of flags.
        checks: Names of the checks, the severest first, separated by spaces.
        reasons: The reason of each check's worst flag, separated by "; ".
    """

    case: str
    subject: str
    score: int
    flags: int
    checks: str
    reasons: str


def rank_cases(cases: Iterable[tuple[str, str]], flags: Sequence[Flag]) -> list[RankedCase]:
    """Return all cases, the highest score first; cases without a flag have score 0.

    Args:
        cases: Case and subject.
        flags: The flags of all cases.
    """
    by_case: dict[str, list[Flag]] = defaultdict(list)
    for flag in flags:
        by_case[flag.case].append(flag)
    rows = [_row(case, subject, by_case[case]) for case, subject in cases]
    return sorted(rows, key=lambda row: (-row.score, -row.flags, row.case))


def _row(case: str, subject: str, flags: Sequence[Flag]) -> RankedCase:
    worst: dict[str, Flag] = {}
    for flag in flags:
        # All flags of a check lie on one side of its threshold: the farthest is the worst.
        other = worst.get(flag.check, flag)
        if abs(flag.value - flag.threshold) >= abs(other.value - other.threshold):
            worst[flag.check] = flag
    ordered = sorted(worst.values(), key=lambda flag: -_weight(flag))
    return RankedCase(
        case, subject, sum(map(_weight, ordered)), len(flags),
        " ".join(flag.check for flag in ordered), "; ".join(flag.reason for flag in ordered),
    )  # fmt: skip


def _weight(flag: Flag) -> int:
    return int(Severity[flag.severity.upper()])
