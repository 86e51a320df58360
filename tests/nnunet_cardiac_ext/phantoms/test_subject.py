import numpy as np
import pytest

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.integrals import sliced_volumes
from nnunet_cardiac_ext.phantoms.subject import draw_subject, label_frame, paint_frames


@pytest.mark.parametrize("group", ["NOR", "HCM", "RV"])
@pytest.mark.parametrize("phase", [0.0, 1.0])
def test_labels_have_the_true_volumes(group, phase):
    subject = draw_subject(group, (0, 7))
    stack = subject.stack
    labels = label_frame(subject, phase)
    true = sliced_volumes(Heart(subject.shape, phase), stack.depths, stack.spacing)
    voxel = stack.voxel**2 * stack.spacing / 1000
    got = [float((labels == CINE.values[name]).sum()) * voxel for name in ("LV", "RV", "MYO")]
    assert got == pytest.approx([true.lv, true.rv, true.myocardium], rel=0.02, abs=0.5)


def test_blood_is_brighter_than_muscle_and_air_is_dark():
    subject = draw_subject("NOR", (0, 1))
    image = paint_frames(subject, [0.0])[0]
    labels = label_frame(subject, 0.0)
    median = {name: np.median(image[labels == value]) for name, value in CINE.values.items() if value}
    assert median["LV"] > 1.4 * median["MYO"]
    assert image.shape == labels.shape
    assert np.percentile(image, 2) < 0.4 * median["MYO"]


def test_the_heart_moves_and_its_surroundings_do_not():
    subject = draw_subject("NOR", (0, 1))
    diastole, systole = paint_frames(subject, [0.0, 1.0]).astype(float)
    changed = np.abs(diastole - systole)
    heart = label_frame(subject, 0.0) > 0
    corner = np.zeros_like(heart)
    corner[:, :12] = True
    assert changed[heart].mean() > 3 * changed[corner].mean()


def test_stack_covers_the_ventricle_as_readers_plan_it():
    for number in range(12):
        stack = draw_subject("NOR", (5, number)).stack
        assert 6 <= len(stack.depths) <= 18
        assert np.diff(stack.depths) == pytest.approx(stack.spacing)
        assert 1.36 <= stack.voxel <= 1.79
        assert 5 <= stack.spacing <= 10
