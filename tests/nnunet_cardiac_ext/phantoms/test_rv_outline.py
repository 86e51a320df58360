import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.rv_outline import RvOutline

ELLIPSE = RvOutline(middle=5.0, half_depth=12.0, half_height=20.0, bend=0.0, power=2.0, skew=0.0)


def test_distance_changes_its_sign_on_an_ellipse():
    angle = np.linspace(0, 6.2, 40)
    for factor, sign in ((0.98, 1), (1.02, -1)):
        distance = ELLIPSE.distance(5 + factor * 12 * np.cos(angle), factor * 20 * np.sin(angle))
        assert (np.sign(distance) == sign).all()


def test_points_stand_for_the_area_of_the_ellipse():
    p, q, area = ELLIPSE.points(64)
    assert area.sum() == pytest.approx(np.pi * 12 * 20, rel=1e-3)
    assert (((p - 5) / 12) ** 2 + (q / 20) ** 2 <= 1 + 1e-9).all()
