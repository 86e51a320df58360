import numpy as np
import pytest

from nnunet_cardiac_ext.anatomy import LGE
from nnunet_cardiac_ext.phantoms.infarct import sliced_infarct
from nnunet_cardiac_ext.phantoms.integrals import sliced_volumes
from nnunet_cardiac_ext.phantoms.lge_subject import draw_lge_subject, label_lge, paint_lge

SUBJECTS = [("P", 1), ("P", 2), ("P", 5), ("N", 3)]


@pytest.fixture(scope="module", params=SUBJECTS, ids=lambda pair: f"{pair[0]}{pair[1]}")
def drawn(request):
    group, number = request.param
    subject = draw_lge_subject(group, (0, number))
    return subject, label_lge(subject)


def millilitres(subject, labels, *values):
    stack = subject.stack
    return np.isin(labels, values).sum() * stack.voxel**2 * stack.spacing / 1000


def test_labels_hold_the_volumes_of_the_continuous_heart(drawn):
    subject, labels = drawn
    stack = subject.stack
    volumes = sliced_volumes(subject.heart, stack.depths, stack.spacing)
    infarct = sliced_infarct(subject.heart, subject.infarct, stack.depths, stack.spacing)
    assert millilitres(subject, labels, 1) == pytest.approx(volumes.lv, rel=0.01)
    assert millilitres(subject, labels, 2, 3, 4) == pytest.approx(volumes.myocardium, rel=0.02)
    assert millilitres(subject, labels, 3, 4) == pytest.approx(infarct.infarct, rel=0.04, abs=0.1)
    assert millilitres(subject, labels, 4) == pytest.approx(infarct.core, rel=0.12, abs=0.1)


def test_every_slice_shows_cavity_and_wall(drawn):
    _, labels = drawn
    for plane in labels:
        assert {LGE.values["LV"]} <= set(np.unique(plane))
        assert (plane >= LGE.values["MYO"]).any()


def test_the_same_seed_gives_the_same_image():
    first, second = (paint_lge(draw_lge_subject("P", (0, 2))) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, paint_lge(draw_lge_subject("P", (0, 4)))[: len(first)])


def test_images_show_what_is_labelled(drawn):
    subject, labels = drawn
    image = paint_lge(subject)
    assert image.shape == labels.shape
    median = {value: np.median(image[labels == value]) for value in np.unique(labels)}
    assert median[1] > median[2]
    if subject.infarct:
        assert median[3] > median[2]
    assert image.max() <= 4095


def test_what_was_not_imaged_is_zero_and_holds_no_heart(drawn):
    subject, labels = drawn
    image = paint_lge(subject)
    assert (image[labels > 0] > 0).all()
    views = subject.view[::-1] if subject.apex_first else subject.view
    for plane, (top, bottom, left, right) in zip(image, views, strict=True):
        assert (plane[top:bottom, left:right] > 0).all()
        assert (plane > 0).sum() == (bottom - top) * (right - left)


def test_most_stacks_start_at_the_apex():
    subjects = [draw_lge_subject("N", (9, number)) for number in range(12)]
    for subject in subjects[:3]:
        areas = (label_lge(subject) > 0).sum((1, 2))
        assert bool(areas[:2].sum() < areas[-2:].sum()) is subject.apex_first
    assert sum(subject.apex_first for subject in subjects) >= 9


def test_normal_subjects_have_no_infarct_and_pathological_ones_often_a_core():
    assert all(draw_lge_subject("N", (1, number)).infarct is None for number in range(4))
    infarcts = [draw_lge_subject("P", (1, number)).infarct for number in range(16)]
    assert 6 <= sum(infarct.core > 0 for infarct in infarcts) <= 15
