import numpy as np
import pytest

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.long_axis import label_long_axis
from nnunet_cardiac_ext.phantoms.long_axis_subject import draw_view, paint_view
from nnunet_cardiac_ext.phantoms.subject import draw_subject


@pytest.fixture(scope="module")
def painted():
    subject = draw_subject("NOR", (0, 5))
    view = draw_view(subject, distractors=3)
    return subject, view, paint_view(subject, view, (0, 1))


def test_images_are_single_slices_of_grey_levels(painted):
    _, view, image = painted
    assert image.shape == (2, 1, *view.plane.shape)
    assert image.dtype == np.int16
    assert 1.2 <= view.plane.voxel <= 1.9


def test_labelled_blood_is_brighter_than_labelled_muscle_and_both_move(painted):
    subject, view, image = painted
    for frame, phase in enumerate((0, 1)):
        labels = label_long_axis(Heart(subject.shape, phase), view.plane)
        seen = {name: np.median(image[frame, 0][labels == CINE.values[name]]) for name in ("LV", "RV", "MYO")}
        assert seen["LV"] > 1.5 * seen["MYO"]
        assert seen["RV"] > 1.2 * seen["MYO"]
    assert (image[0] != image[1]).any()


def test_same_subject_same_view_and_image(painted):
    subject, view, image = painted
    again = draw_view(subject, distractors=3)
    assert again == view
    assert np.array_equal(paint_view(subject, again, (0, 1)), image)


def test_the_number_of_distractors_varies_up_to_the_most():
    counts = [len(draw_view(draw_subject("NOR", (1, number)), distractors=2).distractors) for number in range(6)]
    assert 0 <= min(counts) < max(counts) <= 2


def test_the_whole_heart_lies_in_the_image():
    for number in range(4):
        subject = draw_subject("DCM", (2, number))
        labels = label_long_axis(Heart(subject.shape, 0), draw_view(subject).plane)
        assert not labels[0].any()
        assert not labels[-1].any()
        assert not labels[:, 0].any()
        assert not labels[:, -1].any()
