import numpy as np
import pytest
from helpers.acdc_files import save_nifti
from helpers.broken_inputs import edit_header
from helpers.mnms2_files import AFFINES, SHAPES, SPACINGS, grey_values, write_subject

from dataset_conversion.images import SourceError
from dataset_conversion.mnms2.reader import find_subjects
from dataset_conversion.mnms2.source import find_source
from dataset_conversion.mnms2.stacks import mark_phases, read_long_axis, read_short_axis


@pytest.fixture
def folder(tmp_path):
    return write_subject(tmp_path / "dataset" / "007")


def test_a_single_slice_becomes_thick_and_keeps_its_pixels(folder):
    stack = read_long_axis(folder / "007_LA_ED.nii.gz", "")
    assert stack.array.shape == SHAPES["LA"]
    assert stack.geometry.spacing == (10.0, 1.5, 1.25)
    assert stack.geometry.notes == ()


def test_a_thickness_that_the_header_knows_is_noted(tmp_path):
    path = tmp_path / "007_LA_ED.nii.gz"
    save_nifti(path, grey_values("007", "LA")[0], spacing=(8.0, 1.5, 1.25), affine=np.diag([-1.25, -1.5, 8, 1]))
    geometry = read_long_axis(path, "").geometry
    assert geometry.spacing == (10.0, 1.5, 1.25)
    assert geometry.notes == ("single slice of 8 mm, written as 10 mm",)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_single_slice_is_found_wherever_the_file_has_it(tmp_path, axis):
    # A slice as thick as its pixels are wide: nothing but its one voxel tells the axis.
    image = np.moveaxis(grey_values("007", "LA")[0], 0, axis)
    save_nifti(tmp_path / "007_LA_ED.nii.gz", image, spacing=(1.7, 1.7, 1.7), affine=np.diag([-1.7, -1.7, 1.7, 1]))
    stack = read_long_axis(tmp_path / "007_LA_ED.nii.gz", "")
    assert stack.array.shape[0] == 1
    assert stack.geometry.spacing == pytest.approx((10, 1.7, 1.7))
    assert np.array_equal(np.sort(stack.array, axis=None), np.sort(image, axis=None))


def test_several_slices_and_huge_pixels_are_no_long_axis_image(folder):
    with pytest.raises(SourceError, match=r"007_SA_ED.nii.gz: expected a single slice, got 4"):
        read_long_axis(folder / "007_SA_ED.nii.gz", "")
    save_nifti(folder / "007_LA_ED.nii.gz", grey_values("007", "LA")[0], spacing=(1, 7, 7), affine=np.eye(4))
    with pytest.raises(SourceError, match="expected pixels of some millimetres, got 7 mm"):
        read_long_axis(folder / "007_LA_ED.nii.gz", "")


@pytest.mark.parametrize(("view", "read"), [("SA", read_short_axis), ("LA", read_long_axis)])
def test_a_series_takes_the_geometry_of_its_frame(folder, view, read):
    path = folder / f"007_{view}_CINE.nii.gz"
    edit_header(path, pixdim=[1, 1, 1, 1, 0, 0, 0, 0])
    stack = read(path, "cine")
    assert stack.array.shape == (4, *SHAPES[view])
    assert stack.geometry.spacing == (10.0, 1.5, 1.25)
    assert stack.geometry.notes == (f"spacing 1x1x1 mm, that of 007_{view}_ED.nii.gz is used",)
    assert np.allclose(stack.geometry.origin, 0)


def test_a_series_of_other_voxels_or_without_its_frame_is_refused(folder):
    path = folder / "007_SA_CINE.nii.gz"
    save_nifti(path, grey_values("007", "SA")[:, :3], spacing=SPACINGS["SA"], affine=AFFINES["SA"])
    with pytest.raises(SourceError, match=r"expected frames of the shape of 007_SA_ED.nii.gz, 20x24x4, got 20x24x3"):
        read_short_axis(path, "cine")
    (folder / "007_SA_ED.nii.gz").unlink()
    with pytest.raises(SourceError, match=r"007_SA_ED.nii.gz: expected the frame of ED beside its series"):
        read_short_axis(path, "cine")


def test_frames_that_equal_ed_and_es_get_their_phase(folder):
    (subject,) = find_subjects(find_source(folder.parent), view="sa", frames="all")
    stacks = {(v.path, v.content): read_short_axis(v.path, v.content) for v in subject.volumes}
    marked = [case.row.phase for case in mark_phases(subject, stacks).cases if case.row.part == "cine"]
    assert marked == ["ED", "", "ES", ""]
