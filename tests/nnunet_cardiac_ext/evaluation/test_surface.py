import numpy as np
import pytest
from helpers.masks import brute_force_distances, brute_force_edge, monai_numbers, our_numbers, random_pair

from nnunet_cardiac_ext.evaluation.surface import surface, surface_distances


@pytest.mark.parametrize("seed", range(60))
def test_equals_brute_force_on_random_masks(seed):
    reference, prediction, spacing = random_pair(seed)
    found = surface_distances(reference, prediction, spacing)
    from_reference, from_prediction = brute_force_distances(reference, prediction, spacing)
    np.testing.assert_allclose(found.from_reference, from_reference, rtol=1e-12)
    np.testing.assert_allclose(found.from_prediction, from_prediction, rtol=1e-12)


def test_equals_brute_force_in_single_slices():
    for seed in range(20):
        reference, prediction, spacing = random_pair(seed)
        found = surface_distances(reference[0], prediction[-1], spacing[1:])
        expected = brute_force_distances(reference[0], prediction[-1], spacing[1:])
        np.testing.assert_allclose(found.from_reference, expected[0], rtol=1e-12)
        np.testing.assert_allclose(found.from_prediction, expected[1], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_equals_monai_to_its_float32_on_a_thousand_pairs():
    for seed in range(1000):
        reference, prediction, spacing = random_pair(seed)
        found = our_numbers(surface_distances(reference, prediction, spacing), 2.0)
        assert found == pytest.approx(monai_numbers(reference, prediction, spacing, 2.0), rel=1e-6)


def test_surface_is_what_brute_force_says_in_two_and_three_dimensions():
    for seed in range(10):
        mask = random_pair(seed)[0]
        np.testing.assert_array_equal(surface(mask), brute_force_edge(mask))
        np.testing.assert_array_equal(surface(mask[0]), brute_force_edge(mask[0]))


def test_mask_at_the_image_border_has_a_surface_there():
    full = np.ones((3, 3, 3), dtype=bool)
    assert len(surface_distances(full, full, (1, 1, 1)).from_reference) == 26  # all but the centre


def two_points_against_one():
    reference, prediction = np.zeros((1, 1, 12), dtype=bool), np.zeros((1, 1, 12), dtype=bool)
    reference[0, 0, 0] = True
    prediction[0, 0, [0, 11]] = True
    return surface_distances(reference, prediction, (1, 1, 2))


def test_percentile_is_the_larger_direction():
    found = two_points_against_one()
    assert found.percentile(95) == pytest.approx(0.95 * 22)  # from the reference all distances are 0
    assert found.maximum() == 22


def test_pooled_numbers_take_both_directions_together():
    found = two_points_against_one()  # 0 one way, 0 and 22 the other
    assert found.pooled_percentile(95) == pytest.approx(0.9 * 22)  # rank 0.95 * 2 of (0, 0, 22)
    assert found.share_within(21.9) == pytest.approx(2 / 3)
    assert found.share_within(22) == 1


def test_empty_mask_gives_no_distances_and_nan():
    empty, full = np.zeros((2, 3, 3), dtype=bool), np.ones((2, 3, 3), dtype=bool)
    for pair in ((empty, full), (full, empty), (empty, empty)):
        found = surface_distances(*pair, (1, 1, 1))
        assert found.from_reference.size == found.from_prediction.size == 0
        numbers = [found.maximum(), found.percentile(95), found.pooled_percentile(95), found.mean_of_means()]
        assert np.isnan([*numbers, found.share_within(2)]).all()
