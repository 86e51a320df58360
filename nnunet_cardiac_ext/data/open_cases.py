"""Preprocessed cases that stay open: nnU-Net opens a case anew for each patch, which takes longer than reading it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Case = TypeVar("Case")

# Cases that a loader keeps open, two files each; systems allow a process 256 open files and more.
KEPT_OPEN = 100


class OpenCases(Generic[Case]):
    """Opens cases by their names and keeps the first `KEPT_OPEN` of them.

    Args:
        open_case: Opens the case of a name.
    """

    def __init__(self, open_case: Callable[[str], Case]) -> None:
        self._open_case = open_case
        self._opened: dict[str, Case] = {}

    def __getitem__(self, name: str) -> Case:
        """Return the case of a name."""
        if name in self._opened:
            return self._opened[name]
        case = self._open_case(name)
        if len(self._opened) < KEPT_OPEN:
            self._opened[name] = case
        return case
