import nibabel as nib
import numpy as np
import pytest
from helpers.acdc_files import save_nifti

from inference_pipelines.nifti import frame_count, read_file_order, save_like


def test_frames_are_counted_by_the_header(tmp_path):
    for name, shape in (("cine.nii.gz", (5, 2, 8, 8)), ("one.nii", (1, 2, 8, 8)), ("stack.nii.gz", (2, 8, 8))):
        save_nifti(tmp_path / name, np.zeros(shape, dtype=np.int16))
    assert frame_count(tmp_path / "cine.nii.gz") == 5
    assert frame_count(tmp_path / "one.nii") == 1
    assert frame_count(tmp_path / "stack.nii.gz") is None


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "absent.nii"])
def test_what_is_no_4d_nifti_file_has_no_frames(tmp_path, name):
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"no image")
    assert frame_count(tmp_path / name) is None


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_the_header_is_kept_although_its_form_and_voxel_size_disagree(tmp_path, name):
    save_nifti(tmp_path / name, np.ones((3, 4, 6, 5), dtype=np.float32) / 7, spacing=(10.0, 1.5, 1.25))
    source = nib.load(tmp_path / name)
    labels = np.random.default_rng(0).integers(0, 4, (5, 6, 4), dtype=np.uint8)
    save_like(tmp_path / f"labels_{name}", labels, source)
    written = nib.load(tmp_path / f"labels_{name}")
    np.testing.assert_array_equal(read_file_order(tmp_path / f"labels_{name}"), labels)
    assert written.header.get_data_dtype() == np.uint8
    assert written.header.get_zooms() == (1.25, 1.5, 10.0)
    for field in ("qform_code", "sform_code", "srow_x", "srow_y", "srow_z", "quatern_b", "xyzt_units"):
        np.testing.assert_array_equal(written.header[field], source.header[field])
