import numpy as np
import pytest
from helpers.ring_hearts import oblique_axes

from nnunet_cardiac_ext.evaluation.heart.orientation import (
    Handedness,
    angle_of,
    direction,
    handedness,
    heart_angles,
    mean_angle,
)


def test_oblique_header_tells_from_where_the_heart_is_seen():
    assert handedness(oblique_axes()) == Handedness(1, "header")
    assert handedness(oblique_axes(mirrored=True)) == Handedness(-1, "header")


def test_turning_the_image_or_reversing_the_slices_changes_nothing():
    axes = oblique_axes()
    turned = axes @ np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert handedness(turned).sign == 1
    assert handedness(axes * [1, 1, -1]).sign == 1
    assert handedness(axes * [-1, -1, 1]).sign == 1


@pytest.mark.parametrize("axes", [None, np.eye(3), np.diag([-1.0, -1.0, 1.0]), np.diag([-1.0, 1.0, 1.0])])
def test_a_lost_header_means_the_usual_display(axes):
    assert handedness(axes) == Handedness(1, "display")


def test_a_plane_far_from_the_short_axis_tells_nothing():
    normal = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)  # at right angles to left-anterior-inferior
    column = np.array([0.0, 0.0, 1.0])
    assert handedness(np.column_stack([column, np.cross(normal, column), normal])).source == "display"


def test_anterior_lies_up_front_in_the_patient_for_either_view():
    # The RV lies to the right and in front of the LV; the anterior wall then faces forwards and up.
    right_front = np.array([-1.0, -1.0, 0.0])
    for axes in (oblique_axes(), oblique_axes(mirrored=True)):
        septum = angle_of(np.array([right_front @ axes[:, 1], right_front @ axes[:, 0]]))
        angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
        anterior = angles[np.argmin(np.abs(heart_angles(angles, septum, handedness(axes).sign) - np.pi / 2))]
        row, column = direction(np.array(anterior))
        patient = axes[:, 1] * row + axes[:, 0] * column
        assert patient[1] < -0.3  # forwards
        assert patient[2] > 0.5  # upwards


def test_angles_of_the_image_start_at_its_left_and_go_over_its_top():
    assert direction(np.array([0, np.pi / 2])) == pytest.approx(np.array([[0, -1], [-1, 0]]))
    assert angle_of(np.array([-2.0, 0.0])) == pytest.approx(np.pi / 2)


def test_mean_angle_goes_across_zero():
    assert mean_angle(np.deg2rad([350.0, 10.0])) == pytest.approx(0, abs=1e-12)
    assert np.isnan(mean_angle(np.array([])))


def test_mirrored_angles_run_the_other_way():
    found = np.rad2deg(heart_angles(np.deg2rad([100.0]), np.deg2rad(40.0), -1))
    assert found == pytest.approx([300])
