import h5py
import nibabel as nib
import numpy as np
import pytest
import scipy.io

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.mouse_contours import frame_contours
from nnunet_cardiac_ext.phantoms.mouse_files import write_hdf5, write_matlab, write_nifti
from nnunet_cardiac_ext.phantoms.mouse_scan import draw_scan, label_scan, paint_scan


@pytest.fixture(scope="module")
def scan():
    return draw_scan(0, 2, "day7", frames=4, matrix=96)


@pytest.fixture(scope="module")
def image(scan):
    return paint_scan(scan, range(4))


def test_hdf5_is_laid_out_as_the_public_files(tmp_path, scan, image):
    write_hdf5(tmp_path / "Mouse2.h5", scan, [0, 1])
    with h5py.File(tmp_path / "Mouse2.h5") as file:
        assert set(file) == {"Images", "Masks", "Frames_with_ROI"}
        np.testing.assert_array_equal(file["Images"][()].transpose(3, 2, 0, 1), image)
        masks, frames = file["Masks"][()].transpose(3, 2, 0, 1), file["Frames_with_ROI"][()]
    assert frames.tolist() == [0, 1]
    for frame in (0, 1):
        labels = label_scan(scan, frame)
        np.testing.assert_array_equal(masks[frame] == 1, labels == CINE.values["MYO"])
        np.testing.assert_array_equal(masks[frame] == 2, labels == CINE.values["LV"])
    assert not masks[2:].any()


def read_v5(path):
    struct = scipy.io.loadmat(path, struct_as_record=False, squeeze_me=True)["setstruct"]
    return {name: getattr(struct, name) for name in struct._fieldnames}


def read_v73(path):
    with h5py.File(path) as file:
        group = file["setstruct"]
        fields = {name: group[name][()].T.squeeze() for name in group if isinstance(group[name], h5py.Dataset)}
        assert group.attrs["MATLAB_class"] == b"struct"
        return fields


@pytest.mark.parametrize(("version", "read"), [("5", read_v5), ("7.3", read_v73)])
def test_matlab_files_hold_segments_struct(tmp_path, scan, image, version, read):
    write_matlab(tmp_path / "a.mat", scan, [0, 1], animal="mouse02", version=version)
    fields = read(tmp_path / "a.mat")
    grey = fields["IM"] * fields["IntensityScaling"] + fields["IntensityOffset"]
    np.testing.assert_allclose(grey.transpose(2, 3, 0, 1), image, atol=0.01)
    assert (fields["IM"].min(), fields["IM"].max(), fields["IM"].dtype) == (0, 1, np.float32)
    contours = frame_contours(scan, 1)
    for name, values in contours.items():
        np.testing.assert_array_equal(fields[name][:, 1], values)
        assert np.isnan(fields[name][:, 2:]).all()
    spacing = [fields[name] for name in ("ResolutionX", "ResolutionY", "SliceThickness", "SliceGap")]
    assert spacing == [0.1307, 0.1307, 0.8, 0]
    assert (fields["EDT"], fields["EST"], fields["XSize"], fields["TSize"]) == (1, 2, 96, 4)


def test_files_name_their_version(tmp_path, scan):
    for version, start in (("5", b"MATLAB 5.0 MAT-file"), ("7.3", b"MATLAB 7.3 MAT-file")):
        write_matlab(tmp_path / "a.mat", scan, [0], animal="m", version=version)
        header = (tmp_path / "a.mat").read_bytes()[:128]
        assert header.startswith(start)
        assert header[126:] == b"IM"


def test_nifti_volumes_have_the_spacing_and_masks_the_myocardium(tmp_path, scan):
    write_nifti(tmp_path / "day7", scan, [0, 1])
    assert sorted(path.name for path in (tmp_path / "day7").iterdir()) == [
        "frame00.nii.gz", "frame00_mask.nii.gz", "frame01.nii.gz", "frame01_mask.nii.gz",
    ]  # fmt: skip
    mask = nib.load(tmp_path / "day7" / "frame01_mask.nii.gz")
    assert mask.header.get_zooms() == pytest.approx((0.1307, 0.1307, 0.8))
    assert np.abs(np.diag(mask.affine))[:3] == pytest.approx((0.1307, 0.1307, 0.8))
    np.testing.assert_array_equal(np.asarray(mask.dataobj).T, label_scan(scan, 1) == CINE.values["MYO"])
