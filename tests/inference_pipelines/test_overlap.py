import threading
import weakref

from inference_pipelines.overlap import overlapped
from nnunet_cardiac_ext.errors import WorkError


class Prepared:
    """Something large that can be watched."""

    def __init__(self, number):
        self.number = number


def test_items_come_in_order_with_the_failure_of_any_step():
    def fail(step, number):
        if (step, number) in {("prepare", 1), ("compute", 3), ("finish", 4)}:
            raise WorkError(f"{step} of {number}")
        return number

    finished = []
    outcomes = list(
        overlapped(
            range(6),
            prepare=lambda number: fail("prepare", number),
            compute=lambda number: fail("compute", number),
            finish=lambda number, result: finished.append(fail("finish", result)),
        )
    )
    assert outcomes == [(0, ""), (1, "prepare of 1"), (2, ""), (3, "compute of 3"), (4, "finish of 4"), (5, "")]
    assert finished == [0, 2, 5]


def test_no_items_give_nothing():
    assert list(overlapped([], prepare=int, compute=int, finish=lambda *_: None)) == []


def test_next_item_is_prepared_while_this_one_is_computed():
    started = {number: threading.Event() for number in range(3)}

    def compute(number):
        assert number == 2 or started[number + 1].wait(timeout=20)
        return number

    def prepare(number):
        started[number].set()
        return number

    outcomes = list(overlapped(range(3), prepare=prepare, compute=compute, finish=lambda *_: None))
    assert [problem for _, problem in outcomes] == ["", "", ""]


def test_memory_holds_no_more_than_three_items():
    alive = weakref.WeakSet()
    most = []

    def prepare(number):
        prepared = Prepared(number)
        alive.add(prepared)
        most.append(len(alive))
        return prepared

    for _ in overlapped(range(12), prepare=prepare, compute=lambda item: item, finish=lambda *_: None):
        pass
    assert max(most) <= 3
    assert len(most) == 12
