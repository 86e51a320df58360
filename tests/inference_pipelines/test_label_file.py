import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from helpers.acdc_files import save_nifti

from inference_pipelines.label_file import LabelFile
from nnunet_cardiac_ext.errors import WorkError

LABELS = np.random.default_rng(0).integers(0, 4, (3, 6, 5), dtype=np.uint8)


def write_nrrd(path, array, spacing=(1.5, 1.25, 8.0), origin=(3.0, -2.0, 7.0)):
    image = SimpleITK.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    SimpleITK.WriteImage(image, str(path))


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.nrrd", "a.mha"])
def test_other_labels_get_the_very_same_geometry(tmp_path, name):
    write_nrrd(tmp_path / name, LABELS)
    file = LabelFile.read(tmp_path / name)
    np.testing.assert_array_equal(file.frames, LABELS[None])
    file.write_as(tmp_path / f"new_{name}", 3 - file.frames)
    before, after = (SimpleITK.ReadImage(str(tmp_path / prefix)) for prefix in (name, f"new_{name}"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(after), 3 - LABELS)
    for number in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(after, number)(), getattr(before, number)())


@pytest.mark.parametrize("frames", [1, 4])
def test_a_series_stays_one(tmp_path, frames):
    save_nifti(tmp_path / "a.nii.gz", np.stack([LABELS] * frames))
    file = LabelFile.read(tmp_path / "a.nii.gz")
    assert file.frames.shape == (frames, 3, 6, 5)
    file.write_as(tmp_path / "b.nii.gz", file.frames)
    written = nib.load(tmp_path / "b.nii.gz")
    assert written.shape == (5, 6, 3, frames)
    assert written.header.get_zooms()[:3] == (1.25, 1.5, 10.0)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd"])
@pytest.mark.parametrize(
    ("array", "changes", "message"),
    [
        (LABELS[:2], {}, "expected 1 x 3 x 6 x 5 voxels as in .*, got 1 x 2 x 6 x 5"),
        (LABELS, {"spacing": (1.5, 1.25, 9.0)}, "expected the voxel size of .*, 1.5 x 1.25 x 8, got 1.5 x 1.25 x 9"),
        (LABELS, {"origin": (3.0, -2.0, 8.0)}, "expected the position of"),
    ],
)
def test_another_geometry_is_one_line(tmp_path, ending, array, changes, message):
    write_nrrd(tmp_path / f"a{ending}", LABELS)
    write_nrrd(tmp_path / f"b{ending}", array, **changes)
    first, second = (LabelFile.read(tmp_path / f"{name}{ending}") for name in "ab")
    first.require_geometry_of(first)
    with pytest.raises(WorkError, match=rf"b{ending}: {message}"):
        second.require_geometry_of(first)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd"])
def test_what_is_no_stack_is_one_line(tmp_path, name):
    (tmp_path / name).write_bytes(b"no image")
    with pytest.raises(WorkError, match=f"{name}: cannot be read as an image"):
        LabelFile.read(tmp_path / name)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(LABELS[0]), str(tmp_path / name))
    with pytest.raises(WorkError, match=f"{name}: expected a 3-D or 4-D image, got 2-D"):
        LabelFile.read(tmp_path / name)
