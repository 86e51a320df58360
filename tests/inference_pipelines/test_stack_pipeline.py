"""Which stacks share a pass of the network."""

from types import SimpleNamespace

import pytest

from inference_pipelines.cine_input import Stack
from inference_pipelines.input_cases import InputCase
from inference_pipelines.stack_pipeline import grouped


def stacks(*slices):
    return [Stack(InputCase(f"case{number}", ()), slices=count) for number, count in enumerate(slices)]


def together(at_once):
    return SimpleNamespace(
        inputs_at_once=at_once, inputs_of=lambda stack: stack.slices, compute_together=lambda prepared: prepared
    )


@pytest.mark.parametrize(
    ("slices", "sizes"),
    [
        ([1, 1, 1, 1, 1], [4, 1]),
        ([3, 1, 1], [2, 1]),
        ([9, 1, 3, 9], [1, 2, 1]),  # one that is too large does not draw others along
        ([1, None, 1], [1, 1, 1]),  # of unknown size: by itself
        ([], []),
    ],
)
def test_groups_fill_a_pass_in_the_order_of_the_stacks(slices, sizes):
    given = stacks(*slices)
    groups = grouped(given, together(4))
    assert [len(group) for group in groups] == sizes
    assert [stack for group in groups for stack in group] == given


def test_without_a_way_to_compute_them_together_each_is_a_group():
    assert [len(group) for group in grouped(stacks(1, 1, 1), SimpleNamespace())] == [1, 1, 1]
