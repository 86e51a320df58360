"""One progress bar for all long work: a bar with an estimate in a terminal, a line now and then in a log file."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

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
    yield from progress_bar(items, desc=label, total=total, disable=quiet)


def progress_bar(items: Iterable[Item] | None = None, **options: Any) -> tqdm:
    """Return tqdm's bar on stderr at the pace of this package, for work that is no iteration.

    Args:
        items: What is worked through; None for a bar that is moved on by hand.
        options: Further options of tqdm.
    """
    interval = 0.2 if sys.stderr.isatty() else LOG_INTERVAL_SECONDS
    return tqdm(items, mininterval=interval, file=sys.stderr, **options)
