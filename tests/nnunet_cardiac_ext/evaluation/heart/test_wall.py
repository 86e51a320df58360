import numpy as np
import pytest
from helpers.ring_hearts import LABELS, oblique_axes, ring_heart

from nnunet_cardiac_ext.evaluation.heart.images import LabelImage, read_frames
from nnunet_cardiac_ext.evaluation.heart.masks import heart_masks
from nnunet_cardiac_ext.evaluation.heart.orientation import direction, handedness
from nnunet_cardiac_ext.evaluation.heart.rays import ANGLES
from nnunet_cardiac_ext.evaluation.heart.segments import CaseName, segment_rows
from nnunet_cardiac_ext.evaluation.heart.wall import measure_wall
from nnunet_cardiac_ext.regions import Region

SPACING = (8.0, 1.0, 1.0)
ANTERIOR = 90


def wall_of(stack, axes=None):
    return measure_wall(heart_masks(stack, SPACING, LABELS), handedness(axes))


def thickest(stack, axes=None):
    """Names of the thickest segment of each ring."""
    rows = segment_rows(CaseName("s", "c"), wall_of(stack, axes))[:16]
    assert np.isfinite([row.thickness_mm for row in rows]).all()
    rings = (rows[:6], rows[6:12], rows[12:16])
    return [max(ring, key=lambda row: row.thickness_mm).name for ring in rings]


ANTERIOR_WALLS = ["basal anterior", "mid anterior", "apical anterior"]
INFERIOR_WALLS = ["basal inferior", "mid inferior", "apical inferior"]


@pytest.mark.filterwarnings("error")
def test_a_right_ventricle_alone_has_no_septum():
    stack = np.where(ring_heart() == 1, 1, 0).astype(np.uint8)
    assert wall_of(stack).septum_from == "image"


@pytest.mark.parametrize("septum", [0, 33, 90, 170, 245, 310])
def test_segments_turn_with_the_heart(septum):
    assert thickest(ring_heart(septum=septum, bump=(ANTERIOR, 4.0))) == ANTERIOR_WALLS


@pytest.mark.parametrize(("angle", "walls"), [
    (0, ["basal anteroseptal", "mid anteroseptal", "apical septal"]),
    (150, ["basal anterolateral", "mid anterolateral", "apical lateral"]),
    (210, ["basal inferolateral", "mid inferolateral", "apical lateral"]),
    (270, INFERIOR_WALLS),
    (330, ["basal inferoseptal", "mid inferoseptal", "apical septal"]),
])  # fmt: skip
def test_each_wall_is_where_it_belongs(angle, walls):
    stack = ring_heart(septum=20, bump=(angle + (25 if angle == 0 else 0), 4.0))
    assert thickest(stack) == walls


@pytest.mark.parametrize("septum", [0, 60, 200])
def test_a_flipped_image_with_its_header_has_the_same_segments(septum):
    stack = ring_heart(septum=septum, bump=(ANTERIOR, 4.0))
    axes = oblique_axes()
    for axis, column in ((2, 0), (1, 1), (0, 2)):
        flipped = axes.copy()
        flipped[:, column] *= -1
        assert thickest(np.flip(stack, axis).copy(), flipped) == ANTERIOR_WALLS


def test_flipping_the_slices_needs_no_header_but_mirroring_does():
    stack = ring_heart(septum=40, bump=(ANTERIOR, 4.0))
    assert thickest(stack[::-1].copy()) == ANTERIOR_WALLS
    # Nothing tells a mirrored image without directions from the usual display: the walls change places.
    assert thickest(stack[:, :, ::-1].copy()) == INFERIOR_WALLS


def test_the_septum_is_the_middle_of_the_contact():
    wall = wall_of(ring_heart(septum=70))
    assert wall.septum_from == "rv contact"
    at_septum = np.abs((np.rad2deg(wall.angles) + 180) % 360 - 180) < 1.5
    degrees = (np.arange(180) + 0.5) * 2
    assert all(abs(degrees[row].mean() - 70) < 2 for row in at_septum)


def test_an_rv_that_touches_nowhere_gives_its_direction():
    stack = ring_heart(septum=130, rv_gap=6.0, bump=(ANTERIOR, 4.0))
    assert wall_of(stack).septum_from == "rv centroid"
    assert thickest(stack) == ANTERIOR_WALLS


def test_a_ring_without_rv_takes_the_septum_of_the_heart():
    stack = ring_heart(septum=250, bump=(ANTERIOR, 4.0))
    stack[-3:][stack[-3:] == 1] = 0
    assert thickest(stack) == ANTERIOR_WALLS


def test_without_rv_the_angles_are_those_of_the_image():
    wall = wall_of(ring_heart(rv=False))
    assert wall.septum_from == "image"
    assert np.rad2deg(wall.angles[0][:2]) == pytest.approx([1, 3])


def test_open_slices_belong_to_no_ring_and_say_why():
    stack = ring_heart()
    stack[0, 56:][stack[0, 56:] == 2] = 0
    wall = wall_of(stack)
    assert not wall.used[0]
    assert "of the circumference" in wall.reasons[0]
    assert wall.used[1:].all()


@pytest.mark.real_data
@pytest.mark.parametrize("mirrored", [False, True])
def test_anterior_walls_of_real_hearts_face_forwards_and_up(real_data, mirrored):
    paths = sorted((real_data / "mnms" / "Testing").glob("*/*_gt.nii.gz"))
    assert paths
    for path in paths:
        frames, _ = read_frames(LabelImage("p", path), {"LV": 1, "MYO": 2, "RV": 3})
        volume = frames[0].volume
        array, axes = volume.array, volume.axes * [-1 if mirrored else 1, 1, 1]
        masks = heart_masks(array[:, :, ::-1] if mirrored else array, volume.spacing, {"LV": 1, "MYO": 2, "RV": 3})
        wall = measure_wall(masks, handedness(axes))
        assert wall.handedness.source == "header"
        index = np.flatnonzero(wall.used & (wall.regions == Region.MIDDLE))[0]
        row, column = direction(ANGLES[np.argmin(np.abs(wall.angles[index] - np.pi / 2))])
        _, backwards, up = axes[:, 1] * row + axes[:, 0] * column
        assert backwards < -0.3
        assert up > 0.5


def test_an_empty_stack_has_no_wall():
    wall = wall_of(np.zeros((3, 8, 8), dtype=np.uint8))
    assert not wall.used.any()
    assert (wall.regions == Region.NON_CARDIAC).all()
