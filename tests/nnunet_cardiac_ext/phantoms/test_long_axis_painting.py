import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.long_axis_painting import Canvas, chambers_of, paint_long_axis, signed_distance
from nnunet_cardiac_ext.phantoms.long_axis_subject import draw_view
from nnunet_cardiac_ext.phantoms.subject import draw_subject


@pytest.fixture(scope="module")
def drawn():
    subject = draw_subject("NOR", (3, 1))
    view = draw_view(subject)
    plane = view.plane
    canvas = Canvas(plane, *plane.in_plane(*plane.positions()), plane.voxel)
    heart = Heart(subject.shape, 1)
    return subject, view, canvas, heart, chambers_of(heart, subject.details, view.atria, canvas)


def test_distances_are_half_a_step_on_both_sides_of_a_border():
    mask = np.zeros((1, 6), dtype=bool)
    mask[0, 3:] = True
    assert signed_distance(mask, 2.0)[0].tolist() == [-5, -3, -1, 1, 3, 5]
    assert (signed_distance(np.zeros((2, 2), dtype=bool), 1.0) == -np.inf).all()


def test_chambers_do_not_overlap_and_lie_in_the_hull(drawn):
    *_, chambers = drawn
    cavities = [chambers.left, chambers.right, chambers.left_atrium, chambers.right_atrium]
    assert np.sum([distance > 0 for distance in cavities], axis=0).max() == 1
    assert (chambers.hull >= np.max(cavities, axis=0)).all()
    assert all((distance > 0).any() for distance in cavities)


def test_an_atrium_opens_into_its_ventricle_and_not_into_the_other_atrium(drawn):
    _, view, canvas, heart, chambers = drawn
    behind_mitral = np.abs(chambers.section.z - heart.base + 1) < 0.5
    near_axis = np.abs(canvas.a - view.atria.left.middle) < 5
    assert (chambers.left_atrium[behind_mitral & near_axis] > -canvas.step).all()
    assert not ((chambers.left_atrium > -0.5 * view.atria.septum) & (chambers.right_atrium > 0)).any()


def test_blood_is_bright_muscle_dark_and_the_rest_untouched(drawn):
    subject, view, canvas, heart, chambers = drawn
    under = np.full(canvas.a.shape, 7.0)
    texture = np.zeros((4, *canvas.a.shape))
    image = paint_long_axis(
        heart, subject.details, view.atria, subject.contrast, canvas, chambers, under, texture
    )  # fmt: skip
    section = chambers.section
    wall = (chambers.left > 2) & (section.radius > section.inner + 2)
    assert np.median(image[wall]) == pytest.approx(subject.contrast.muscle, rel=0.02)
    assert np.median(image[chambers.left_atrium > 4]) == pytest.approx(1, rel=0.02)
    assert np.median(image[chambers.right_atrium > 4]) == pytest.approx(subject.contrast.rv_blood, rel=0.02)
    assert (image[chambers.hull < -30] == 7).all()
