import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.profiles import PROFILE_POINTS, base_to_apex, slice_dice
from nnunet_cardiac_ext.regions import Region

BASE, MIDDLE, APEX, NONE = Region.BASE, Region.MIDDLE, Region.APEX, Region.NON_CARDIAC


def test_dice_of_each_slice():
    reference, prediction = np.zeros((4, 2, 2), dtype=bool), np.zeros((4, 2, 2), dtype=bool)
    reference[0], prediction[0] = True, True
    reference[1, 0], prediction[1, :, 0] = True, True  # one voxel in common of two and two
    reference[2] = True
    np.testing.assert_array_equal(slice_dice(reference, prediction), [1, 0.5, 0, np.nan])


def test_profile_is_linear_between_slices():
    profile = base_to_apex(np.array([1.0, 0.5, 0.0]), np.array([BASE, MIDDLE, APEX]))
    assert len(profile) == PROFILE_POINTS == 101
    np.testing.assert_allclose(profile, np.linspace(1, 0, 101), atol=1e-12)


def test_profile_starts_at_the_base_whichever_way_the_stack_runs():
    values, regions = np.array([0.9, 0.9, 0.2, 0.1, 0.7]), np.array([NONE, BASE, MIDDLE, APEX, NONE])
    profile = base_to_apex(values, regions)
    assert (profile[0], profile[50], profile[100]) == pytest.approx((0.9, 0.2, 0.1))
    np.testing.assert_allclose(base_to_apex(values[::-1], regions[::-1]), profile)


def test_profile_bridges_gaps_but_does_not_go_beyond_the_known_slices():
    profile = base_to_apex(np.array([0.8, np.nan, 0.4, np.nan, np.nan]), np.array([BASE, MIDDLE, MIDDLE, MIDDLE, APEX]))
    assert profile[25] == pytest.approx(0.6)
    assert profile[50] == pytest.approx(0.4)
    assert np.isnan(profile[51:]).all()


@pytest.mark.parametrize("regions", [[NONE, NONE], [NONE, MIDDLE]])
def test_a_heart_without_two_ends_has_no_profile(regions):
    assert np.isnan(base_to_apex(np.array([0.5, 0.5]), np.array(regions))).all()


def test_values_unknown_everywhere_give_no_profile():
    assert np.isnan(base_to_apex(np.full(3, np.nan), np.array([BASE, MIDDLE, APEX]))).all()
