"""One progress bar for all long work: a bar with an estimate in a terminal, a line now and then in a log file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")

# A bar that redraws ten times a second fills a SLURM log; half a minute is often enough to see that work goes on.
LOG_INTERVAL_SECONDS = 30.0


def progress(items: Iterable[Item], *, label: str, total: int | None = None, quiet: bool = False) -> Iterator[Item]:
    """Yield the items while a bar with count, rate and remaining time is drawn on stderr.

    Args:
        items: What is worked through.
        label: What is done, as the bar says it ("converting").
        total: Number of items, where `items` cannot tell.
        quiet: Draw nothing.
    """
    interval = 0.2 if sys.stderr.isatty() else LOG_INTERVAL_SECONDS
    yield from tqdm(items, desc=label, total=total, disable=quiet, mininterval=interval, file=sys.stderr)
