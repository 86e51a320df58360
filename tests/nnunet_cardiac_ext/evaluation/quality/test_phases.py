import numpy as np
import pytest
from helpers.drawn_hearts import cine_stack, mouse_stack

from nnunet_cardiac_ext.evaluation.quality.phases import (
    PhasePair,
    StackFacts,
    ejection_fractions,
    mass_changes,
    masses,
    order_changes,
    slice_changes,
    stack_facts,
    stroke_mismatch,
    systolic_excess,
    volumes,
)


def facts(lv=100.0, rv=120.0, myo=80.0, base_end=0.5, slices=9):
    return StackFacts({"LV": lv, "RV": rv, "MYO": myo}, base_end, slices)


def values(measure, *pair):
    return [found.value for found in measure(PhasePair(*pair))]


def test_facts_of_a_drawn_heart():
    stack = cine_stack()
    found = stack_facts(stack)
    ml = 10 * 1.5 * 1.5 / 1000
    assert found.volumes == pytest.approx({n: (stack.array == v).sum() * ml for n, v in stack.labels.items()})
    assert found.base_end > 0
    assert found.slices == 9


def test_volumes_and_mass_of_one_image():
    stack = cine_stack()
    ml = 10 * 1.5 * 1.5 / 1000
    right, wall, left = ((stack.array == value).sum() * ml for value in (1, 2, 3))
    assert [m.value for m in volumes(stack)] == pytest.approx([left, right])
    assert [m.value for m in masses(stack)] == pytest.approx([wall * 1.05])


def test_a_mouse_is_not_weighed_as_a_human():
    assert not list(masses(mouse_stack()))
    assert not list(volumes(mouse_stack()))


def test_ejection_fractions_and_their_reverse():
    assert values(ejection_fractions, facts(), facts(lv=40, rv=60)) == pytest.approx([60, 50])
    assert values(systolic_excess, facts(), facts(lv=40, rv=60)) == pytest.approx([-60, -50])
    assert values(systolic_excess, facts(lv=40), facts(lv=50))[0] == pytest.approx(25)
    assert len(values(ejection_fractions, facts(lv=40), facts(lv=50, rv=60))) == 1


def test_mass_change_in_percent_of_the_mean():
    assert values(mass_changes, facts(myo=90), facts(myo=110)) == pytest.approx([20])


def test_stroke_volumes_against_the_larger_ventricle():
    assert values(stroke_mismatch, facts(), facts(lv=40, rv=108)) == pytest.approx([100 * (60 - 12) / 120])


def test_opposite_directions_count_as_sure_as_the_less_sure():
    assert values(order_changes, facts(base_end=0.5), facts(base_end=-0.2)) == [0.2]
    assert values(order_changes, facts(base_end=0.5), facts(base_end=0.2)) == [0]


def test_slices():
    assert values(slice_changes, facts(slices=9), facts(slices=5)) == [4]


def test_an_absent_structure_leaves_numbers_undefined():
    bare = StackFacts({"LV": 50.0}, float("nan"), 5)
    for measure in (mass_changes, stroke_mismatch):
        assert np.isnan(values(measure, bare, bare)).all()
    assert values(order_changes, bare, bare) == [0]
    assert values(ejection_fractions, bare, bare) == [0]
