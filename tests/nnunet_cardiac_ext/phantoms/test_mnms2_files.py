import nibabel as nib
import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.long_axis_subject import draw_view
from nnunet_cardiac_ext.phantoms.mnms2_files import SubjectFiles, long_axis_affine, save_long_axis
from nnunet_cardiac_ext.phantoms.mnms_files import draw_export
from nnunet_cardiac_ext.phantoms.subject import draw_subject
from nnunet_cardiac_ext.phantoms.vendors import VENDORS

AFFINE = np.array([[1.5, 0, 0, 10], [0, 1.5, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1.0]])


@pytest.mark.parametrize("front_left", [False, True])
def test_a_voxel_keeps_its_position_however_the_image_is_laid_out(tmp_path, front_left):
    array = np.zeros((1, 4, 6), dtype=np.int16)
    array[0, 1, 5] = 9
    save_long_axis(tmp_path / "a.nii.gz", array, AFFINE, front_left=front_left)
    image = nib.load(tmp_path / "a.nii.gz")
    assert image.shape == ((4, 6, 1) if front_left else (6, 4, 1))
    (index,) = np.argwhere(np.asarray(image.dataobj) == 9)
    assert nib.affines.apply_affine(image.affine, index) == pytest.approx([10 + 5 * 1.5, 20 + 1.5, 30])


def test_the_affine_puts_the_axis_where_the_short_axis_has_it():
    subject = draw_subject("NOR", (1, 1))
    plane, heart = draw_view(subject).plane, Heart(subject.shape, 0)
    export = draw_export(VENDORS["A"], np.random.default_rng(0), slices_along=2, sheared=False)
    affine = long_axis_affine(plane, heart, export)
    at_origin = nib.affines.apply_affine(affine, (plane.origin[1], plane.origin[0], 0))
    axis_point = np.array([*heart.centre(plane.depth), plane.depth])
    assert at_origin == pytest.approx(np.array(export.centre) + np.array(export.axes) @ axis_point)
    assert np.linalg.norm(affine[:3, :3], axis=0) == pytest.approx([plane.voxel, plane.voxel, 1])


def test_series_may_have_a_wrong_spacing_and_frames_a_right_one(tmp_path):
    subject = draw_subject("NOR", (1, 1))
    files = SubjectFiles(subject, draw_view(subject), VENDORS["C"], 3, wrong_series=True)
    files.write(tmp_path, "004", "la")
    series, frame = (nib.load(tmp_path / f"004_LA_{kind}.nii.gz") for kind in ("CINE", "ED"))
    assert series.header["pixdim"][1:4].tolist() == [1, 1, 1]
    assert frame.header["pixdim"][1] > 1.1
    assert np.allclose(series.affine, frame.affine)
    assert len(list(tmp_path.iterdir())) == 5
