"""Probabilities of slices against the paper's rule written out by hand."""

import numpy as np
import pytest
from scipy.stats import chisquare

from nnunet_cardiac_ext.data.slice_law import region_aware_law, region_law


def _stack(*values):
    """A stack of 2x2 slices, each filled with one label."""
    return np.array(values)[:, None, None] * np.ones((1, 2, 2), dtype=int)


def test_five_cardiac_slices_among_eight_follow_the_parabola():
    law = region_aware_law(_stack(0, 0, 1, 2, 3, 2, 1, 0), ratio=4)
    # Weights 1 + 3 (2z - 1)^2 at z = 0, 1/4, ..., 1 are 4, 1.75, 1, 1.75, 4, in sum 12.5; five slices share 5/8.
    cardiac = np.array([4, 1.75, 1, 1.75, 4]) / 12.5
    np.testing.assert_allclose(law.random, [1 / 8, 1 / 8, *(5 / 8 * cardiac), 1 / 8])
    np.testing.assert_allclose(law.foreground, [0, 0, *cardiac, 0])


def test_an_empty_slice_between_segmented_ones_is_non_cardiac():
    law = region_aware_law(_stack(1, 0, 1, 1), ratio=20)
    # Three cardiac slices with weights 20, 1, 20 share 3/4.
    np.testing.assert_allclose(law.random, [3 / 4 * 20 / 41, 1 / 4, 3 / 4 / 41, 3 / 4 * 20 / 41])


def test_ratio_one_is_uniform():
    np.testing.assert_allclose(region_aware_law(_stack(0, 1, 1, 1), ratio=1).random, 1 / 4)


@pytest.mark.parametrize("labels", [_stack(0, 0, 0), _stack(-1, 0, -1)])
def test_without_a_heart_all_slices_are_equally_likely(labels):
    law = region_aware_law(labels, ratio=20)
    np.testing.assert_allclose(law.random, 1 / 3)
    assert law.foreground is None
    assert law.draw(foreground=True) in range(3)


def test_slices_that_nobody_annotated_are_never_drawn():
    labels = _stack(9, 0, 1, 2, 9)
    labels[2, 0] = 9
    law = region_aware_law(labels, ratio=20, ignore_label=9)
    np.testing.assert_allclose(law.random, [0, 1 / 3, 1 / 3, 1 / 3, 0])
    np.testing.assert_allclose(law.foreground, [0, 0, 1 / 2, 1 / 2, 0])


def test_a_case_without_any_annotation_is_uniform():
    np.testing.assert_allclose(region_aware_law(_stack(9, 9), ratio=20, ignore_label=9).random, 1 / 2)


@pytest.mark.parametrize("foreground", [False, True])
def test_draws_follow_the_law(foreground):
    law = region_aware_law(_stack(0, 1, 1, 2, 3, 1, 1, 0, 0), ratio=20)
    np.random.seed(0)  # noqa: NPY002
    counts = np.bincount([law.draw(foreground) for _ in range(20_000)], minlength=9)
    expected = law.foreground if foreground else law.random
    assert counts[expected == 0].sum() == 0
    assert chisquare(counts[expected > 0], 20_000 * expected[expected > 0]).pvalue > 1e-3


@pytest.mark.parametrize(("uniform", "index"), [(0.0, 1), (np.nextafter(1, 0), 2)])
def test_the_ends_of_the_interval_never_give_an_impossible_slice(monkeypatch, uniform, index):
    law = region_aware_law(_stack(0, 1, 1, 0), ratio=20)
    monkeypatch.setattr(np.random, "uniform", lambda: uniform)
    assert law.draw(foreground=True) == index


def _areas():
    """Four slices of ten pixels: 2, 1, 0 and 5 pixels of class 1; 0, 3, 1 and 4 of class 2."""
    labels = np.zeros((4, 1, 10), dtype=int)
    for index, (ones, twos) in enumerate([(2, 0), (1, 3), (0, 1), (5, 4)]):
        labels[index, 0, :ones] = 1
        labels[index, 0, 9 - twos : 9] = 2
    return labels


def test_a_restricted_law_takes_only_its_slices():
    law = region_law(_areas(), np.array([True, True, True, False]), classes=[1, 2, 3])
    np.testing.assert_allclose(law.random, [1 / 3, 1 / 3, 1 / 3, 0])
    # Class 1 has pixels 2, 1, 0 there, class 2 has 0, 3, 1; class 3 is absent: the mean of both shares.
    np.testing.assert_allclose(law.foreground, [2 / 6, 1 / 6 + 3 / 8, 1 / 8, 0])


def test_a_rare_class_is_the_centre_as_often_as_a_frequent_one():
    slices = np.array([True, True, True, False])
    law = region_law(_areas(), slices, classes=[1, 2])
    np.random.seed(0)  # noqa: NPY002
    counts = np.zeros((2, 4))
    for _ in range(20_000):
        index = law.draw(foreground=True)
        counts[law.draw_classes(index, 2)[0], index] += 1
    # By hand: each class in half of the draws, in proportion to its pixels in a slice.
    expected = 10_000 * np.array([[2 / 3, 1 / 3, 0, 0], [0, 3 / 4, 1 / 4, 0]])
    assert counts[expected == 0].sum() == 0
    assert chisquare(counts[expected > 0], expected[expected > 0]).pvalue > 1e-3


def test_without_weights_all_classes_come_first_equally_often():
    law = region_aware_law(_areas(), ratio=4)
    np.random.seed(0)  # noqa: NPY002
    first = [law.draw_classes(3, 2)[0] for _ in range(4_000)]
    assert chisquare(np.bincount(first, minlength=2)).pvalue > 1e-3


def test_classes_of_several_labels_are_counted_together():
    law = region_law(_areas(), np.array([True, False, True, False]), classes=[(1, 2)])
    np.testing.assert_allclose(law.foreground, [2 / 3, 0, 1 / 3, 0])


def test_slices_without_foreground_have_no_foreground_law():
    law = region_law(np.zeros((2, 2, 2), dtype=int), np.array([True, False]), classes=[1])
    assert law.foreground is None
    assert law.draw(foreground=True) == 0
    assert law.draw_classes(0, 1).tolist() == [0]


def test_without_any_slice_there_is_no_law():
    assert region_law(_areas(), np.zeros(4, dtype=bool), classes=[1]) is None
