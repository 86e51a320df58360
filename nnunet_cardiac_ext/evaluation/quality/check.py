"""What a quality check is: something measured on labels, a threshold, a severity, a reason in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Severity(IntEnum):
    """How sure a flag is to be a fault; the number is its weight in the score of a case."""

    NOTICE = 1
    WARNING = 3
    ERROR = 10


class Measurement(NamedTuple):
    """A number that a check may flag.

    Attributes:
        value: In the unit of the check.
        what: What was measured and where, in words: the start of the reason.
        slice: Number of the slice from 0, in the order of the file; None for the whole stack.
    """

    value: float
    what: str
    slice: int | None = None


class Flag(NamedTuple):
    """One line of `flags.csv`: what is odd about a case, and why it was flagged."""

    case: str
    check: str
    severity: str
    slice: int | None
    value: float
    threshold: float
    unit: str
    reason: str


@dataclass(frozen=True)
class Check:
    """One way in which labels can be wrong.

    Attributes:
        name: As it stands in the tables.
        meaning: What a flag means, in words.
        measure: Yields what is compared with the threshold, from a stack or from a pair of phases.
        threshold: Values beyond it are flagged.
        unit: Unit of value and threshold.
        severity: Weight of a flag.
        basis: Where the threshold comes from.
        below: Flags values below the threshold instead of above it.
        stacks_only: Makes no sense for an image of one slice (a long axis, a data set of slices).
    """

    name: str
    meaning: str
    measure: Callable[..., Iterable[Measurement]]
    threshold: float
    unit: str
    severity: Severity
    basis: str
    below: bool = False
    stacks_only: bool = False

    def flags(self, case: str, subject: object) -> Iterator[Flag]:
        """Yield a flag for each measurement beyond the threshold; undefined (NaN) values are not flagged.

        Args:
            case: Name of the case.
            subject: What `measure` takes.
        """
        for found in self.measure(subject):
            if found.value < self.threshold if self.below else found.value > self.threshold:
                yield Flag(
                    case, self.name, self.severity.name.lower(), found.slice, found.value, self.threshold, self.unit,
                    self._reason(found),
                )  # fmt: skip

    def _reason(self, found: Measurement) -> str:
        where = "" if found.slice is None else f" in slice {found.slice}"
        word = "at least" if self.below else "at most"
        unit = self.unit.removesuffix("s") if found.value == 1 else self.unit
        return f"{found.what}{where}: {found.value:.3g} {unit}, expected {word} {self.threshold:g}"
