"""Case after case: one background thread reads the next and writes the previous while this thread computes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")
Result = TypeVar("Result")


def overlapped(
    items: Sequence[Item],
    *,
    prepare: Callable[[Item], Prepared],
    compute: Callable[[Prepared], Result],
    finish: Callable[[Item, Result], None],
) -> Generator[Item, None, None]:
    """Work through items in three steps; at most three items are in memory, one in each step.

    Args:
        items: What is worked through, in this order.
        prepare: First step, in the background.
        compute: Second step, in the calling thread.
        finish: Last step, in the background.

    Yields:
        Each item in its order when it is done. What a step raises ends the work.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="overlap") as background:
        preparing = background.submit(prepare, items[0]) if items else Future()
        finishing: tuple[Item, Future[None]] | None = None
        for index, item in enumerate(items):
            prepared = preparing.result()
            # The future would keep the prepared item alive for as long as this name.
            preparing = background.submit(prepare, items[index + 1]) if index + 1 < len(items) else Future()
            result = compute(prepared)
            del prepared
            if finishing is not None:
                finishing[1].result()
                yield finishing[0]
            finishing = item, background.submit(finish, item, result)
            del result
        if finishing is not None:
            finishing[1].result()
            yield finishing[0]
