import threading
import weakref

import pytest

from inference_pipelines.overlap import overlapped


class Prepared:
    """Something large that can be watched."""

    def __init__(self, number):
        self.number = number


def test_items_come_in_order_through_all_steps():
    finished = []
    done = overlapped(
        range(6), prepare=lambda number: number * 10, compute=lambda number: number + 1,
        finish=lambda number, result: finished.append((number, result)),
    )  # fmt: skip
    assert list(done) == [0, 1, 2, 3, 4, 5]
    assert finished == [(number, number * 10 + 1) for number in range(6)]


@pytest.mark.parametrize("failing", ["prepare", "compute", "finish"])
def test_what_a_step_raises_ends_the_work_and_what_is_done_stays_done(failing):
    def step(name, number):
        if (name, number) == (failing, 3):
            raise KeyError(failing)
        return number

    finished = []
    work = overlapped(
        range(6), prepare=lambda number: step("prepare", number), compute=lambda number: step("compute", number),
        finish=lambda _, number: finished.append(step("finish", number)),
    )  # fmt: skip
    with pytest.raises(KeyError, match=failing):
        list(work)
    assert finished == [0, 1, 2]


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
    assert outcomes == [0, 1, 2]


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
