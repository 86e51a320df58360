"""One finding about the machine or the installation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """A finding.

    Attributes:
        status: "ok"; "warning": works, but slowly or not for everything; "problem": something will fail.
        what: What was found.
        remedy: How to mend it; empty where nothing has to be.
    """

    status: Literal["ok", "warning", "problem"]
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.status:<8} {self.what}" + (f"  -> {self.remedy}" if self.remedy else "")


def ok(what: str) -> Check:
    """Return a finding that needs nothing."""
    return Check("ok", what)


def warning(what: str, remedy: str) -> Check:
    """Return a finding that one can work with."""
    return Check("warning", what, remedy)


def problem(what: str, remedy: str) -> Check:
    """Return a finding that will make something fail."""
    return Check("problem", what, remedy)
