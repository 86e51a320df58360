import errno
import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from helpers.acdc_files import SPACING, heart_labels, save_nifti

from dataset_conversion.geometry import Geometry
from dataset_conversion.images import (
    SourceError,
    check_labels,
    check_same_grid,
    count_frames,
    count_slices,
    find_nifti,
    read_stack,
    shown_name,
    write_volume,
)
from nnunet_cardiac_ext.errors import WorkError


@pytest.fixture
def volume():
    return np.random.default_rng(0).integers(-500, 3000, size=(4, 24, 20), dtype=np.int16)


def oblique():
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    return Geometry((8.0, 1.5, 1.25), rotation, np.array([3.0, -40.0, 12.5]))


def test_a_file_with_the_acdc_header_keeps_voxels_and_spacing(tmp_path, volume):
    save_nifti(tmp_path / "a.nii.gz", volume)
    stack = read_stack(tmp_path / "a.nii.gz")
    assert np.array_equal(stack.array, volume)
    assert stack.array.dtype == np.int16
    assert stack.geometry.spacing == SPACING


@pytest.mark.parametrize(("stored", "read"), [("uint8", "uint8"), ("float32", "float32"), ("float64", "float32")])
def test_small_integers_stay_and_all_else_becomes_float32(tmp_path, stored, read):
    save_nifti(tmp_path / "a.nii.gz", heart_labels(), dtype=stored)
    assert read_stack(tmp_path / "a.nii.gz").array.dtype == read


def test_big_endian_files_are_read(tmp_path, volume):
    nib.save(nib.Nifti1Image(volume.T, np.eye(4), nib.Nifti1Header(endianness=">")), tmp_path / "a.nii")
    assert np.array_equal(read_stack(tmp_path / "a.nii").array, volume)


def test_nifti_2_is_read(tmp_path, volume):
    nib.save(nib.Nifti2Image(volume.T, np.diag([1.25, 1.5, 10, 1])), tmp_path / "a.nii.gz")
    stack = read_stack(tmp_path / "a.nii.gz")
    assert np.array_equal(stack.array, volume)
    assert stack.geometry.spacing == SPACING


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("frames", [None, 3])
def test_slices_come_first_wherever_the_file_has_them(tmp_path, axis, frames):
    rng = np.random.default_rng(3)
    volume = rng.integers(0, 99, size=(*((frames,) if frames else ()), 4, 24, 20), dtype=np.int16)
    spacing = [10.0, 1.5, 1.25]
    # From (slice, row, column) to an order in which the slices lie along NIfTI's axis `axis`.
    position = volume.ndim - 1 - axis
    stored = np.moveaxis(volume, volume.ndim - 3, position)
    spacing.insert(2 - axis, spacing.pop(0))
    save_nifti(tmp_path / "a.nii.gz", stored, spacing=tuple(spacing), affine=np.eye(4))
    stack = read_stack(tmp_path / "a.nii.gz")
    assert np.array_equal(stack.array, volume)
    assert stack.geometry.spacing == SPACING


def test_a_file_that_a_browser_decompressed_without_renaming_is_read(tmp_path, volume):
    save_nifti(tmp_path / "a.nii.gz", volume)
    (tmp_path / "a.nii.gz").write_bytes(gzip.decompress((tmp_path / "a.nii.gz").read_bytes()))
    assert np.array_equal(read_stack(tmp_path / "a.nii.gz").array, volume)


def test_scale_factor_is_applied(tmp_path, volume):
    image = nib.Nifti1Image(volume.T, np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    nib.save(image, tmp_path / "a.nii.gz")
    expected = nib.load(tmp_path / "a.nii.gz").get_fdata().T
    assert np.allclose(read_stack(tmp_path / "a.nii.gz").array, expected)


def test_a_series_gives_its_frames(tmp_path, volume):
    save_nifti(tmp_path / "a.nii.gz", np.stack([volume, volume + 1]))
    stack = read_stack(tmp_path / "a.nii.gz")
    assert count_frames(tmp_path / "a.nii.gz") == 2
    assert np.array_equal(stack.volume(1), volume + 1)
    with pytest.raises(SourceError, match=r"a\.nii\.gz: expected at least 3 frames, got 2"):
        stack.volume(2)
    with pytest.raises(SourceError, match="expected 3 dimensions, got 20x24x4x2"):
        stack.volume()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_are_counted_along_their_axis_by_the_header_alone(tmp_path, volume, axis):
    save_nifti(tmp_path / "a.nii.gz", np.moveaxis(volume, 0, axis), spacing=np.insert(SPACING[1:], axis, SPACING[0]))
    assert count_slices(tmp_path / "a.nii.gz") == 4
    assert count_slices(tmp_path / "a.nii.gz") == len(read_stack(tmp_path / "a.nii.gz").array)


def test_slices_of_a_series_are_those_of_its_volumes(tmp_path, volume):
    save_nifti(tmp_path / "a.nii.gz", np.stack([volume] * 6))
    assert count_slices(tmp_path / "a.nii.gz") == 4


def test_files_are_named_with_the_folder_that_tells_image_from_labels(tmp_path):
    assert shown_name(tmp_path / "Images" / "a.nii.gz") == "Images/a.nii.gz"
    assert shown_name(tmp_path / "contours" / "a.nii.gz") == "contours/a.nii.gz"
    assert shown_name(tmp_path / "patient001" / "a.nii.gz") == "a.nii.gz"


def test_a_series_of_one_frame_is_a_volume_too(tmp_path, volume):
    save_nifti(tmp_path / "a.nii.gz", volume[None])
    stack = read_stack(tmp_path / "a.nii.gz")
    assert np.array_equal(stack.volume(), volume)
    assert np.array_equal(stack.volume(0), volume)


def test_compressed_files_come_before_plain_ones(tmp_path, volume):
    assert find_nifti(tmp_path, "a") is None
    save_nifti(tmp_path / "a.nii", volume)
    assert find_nifti(tmp_path, "a") == tmp_path / "a.nii"
    save_nifti(tmp_path / "a.nii.gz", volume)
    assert find_nifti(tmp_path, "a") == tmp_path / "a.nii.gz"


def test_labels_with_the_rounding_of_a_scale_factor_are_whole_numbers():
    labels = check_labels("gt", np.array([0, 0.99999, 2.00001]))
    assert labels.dtype == np.int64
    assert labels.tolist() == [0, 1, 2]


def test_position_of_the_labels_is_noted_not_refused(tmp_path, volume):
    save_nifti(tmp_path / "a.nii.gz", volume)
    moved = np.diag([-1.0, -1.0, 1.0, 1.0])
    moved[0, 3] = 5
    save_nifti(tmp_path / "gt.nii.gz", heart_labels(), affine=moved)
    notes = check_same_grid(read_stack(tmp_path / "a.nii.gz"), read_stack(tmp_path / "gt.nii.gz"))
    assert notes == ("gt.nii.gz: header 0.0 degrees and 5.0 mm off its image's, which is used for both",)


def test_written_files_say_the_same_by_qform_sform_and_simpleitk(tmp_path, volume):
    write_volume(tmp_path / "a.nii.gz", volume, oblique())
    image = nib.load(tmp_path / "a.nii.gz")
    assert np.allclose(image.get_qform(), oblique().affine, atol=1e-4)
    assert np.allclose(image.get_sform(), oblique().affine, atol=1e-4)
    assert (int(image.header["qform_code"]), int(image.header["sform_code"])) == (1, 1)
    itk = SimpleITK.ReadImage(tmp_path / "a.nii.gz")
    assert itk.GetSpacing() == pytest.approx((1.25, 1.5, 8.0))
    assert np.array_equal(SimpleITK.GetArrayFromImage(itk), volume)
    assert np.allclose(read_stack(tmp_path / "a.nii.gz").geometry.affine, oblique().affine, atol=1e-4)


def test_a_full_disk_leaves_nothing_behind(tmp_path, volume, monkeypatch):
    def full(image, path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(nib, "save", full)
    with pytest.raises(WorkError, match=r"a\.nii\.gz: cannot be written \(No space left on device\)"):
        write_volume(tmp_path / "a.nii.gz", volume, oblique())
    assert list(tmp_path.iterdir()) == []
