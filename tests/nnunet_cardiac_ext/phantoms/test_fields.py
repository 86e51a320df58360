import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.fields import blurred, over, smooth_noise, soft


def test_soft_edge_is_the_covered_share():
    assert soft(np.array([-2.0, -0.5, 0.0, 0.25, 2.0]), 1.0) == pytest.approx([0, 0, 0.5, 0.75, 1])


def test_noise_has_unit_deviation_and_the_scale_asked_for():
    field = smooth_noise((40, 200, 200), 10, np.random.default_rng(0))
    assert field.mean() == pytest.approx(0, abs=0.05)
    assert field.std() == pytest.approx(1, abs=0.05)
    near = np.corrcoef(field[:, 2:].ravel(), field[:, :-2].ravel())[0, 1]
    far = np.corrcoef(field[:, 40:].ravel(), field[:, :-40].ravel())[0, 1]
    assert near > 0.95
    assert abs(far) < 0.1


def test_painting_over_mixes_by_share():
    assert over(np.array([1.0, 1.0, 1.0]), 3.0, np.array([0, 0.5, 1])).tolist() == [1, 2, 3]


def test_blur_keeps_the_sum_and_leaves_the_first_axes_alone():
    image = np.zeros((2, 21, 21))
    image[0, 10, 10] = 1
    result = blurred(image, 1.5)
    assert result[0].sum() == pytest.approx(1, abs=1e-3)
    assert not result[1].any()
    assert blurred(image, 0) is image
