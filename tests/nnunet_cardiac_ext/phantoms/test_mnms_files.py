from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.mnms_files import draw_export, save_series
from nnunet_cardiac_ext.phantoms.subject import Stack
from nnunet_cardiac_ext.phantoms.vendors import VENDORS

STACK = Stack((8, 6), 1.5, 10.0, 8.0, (0.0, 10.0, 20.0), (4.0, 3.0), ((0.0, 0.0),) * 3)


def export_of(vendor, **changes):
    drawn = draw_export(VENDORS[vendor], np.random.default_rng(1), slices_along=2, sheared=False)
    return replace(drawn, **{"turned": False, "apex_first": True, **changes})


def saved(path, export):
    """A file whose voxels hold their own index in the drawn (frame, slice, row, column)."""
    frames = np.arange(2 * 3 * 8 * 6, dtype=np.int16).reshape(2, 3, 8, 6)
    save_series(path / "a.nii.gz", frames, STACK, export)
    return frames, nib.load(path / "a.nii.gz")


@pytest.mark.parametrize(
    ("vendor", "changes", "codes"),
    [("A", {}, "LPS"), ("A", {"turned": True}, "RAS"), ("C", {}, "PIR"), ("C", {"apex_first": False}, "PIL")],
)
def test_exports_have_the_orientations_of_the_real_files(tmp_path, vendor, changes, codes):
    _, image = saved(tmp_path, export_of(vendor, **changes))
    assert "".join(nib.aff2axcodes(image.affine)) == codes
    assert nib.affines.voxel_sizes(image.affine) == pytest.approx((1.5, 1.5, 10), rel=1e-5)


@pytest.mark.parametrize("slices_along", [0, 1, 2])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("vendor", "AC")
def test_every_voxel_stays_where_it_is_in_the_patient(tmp_path, vendor, turned, slices_along):
    export = export_of(vendor, turned=turned, slices_along=slices_along)
    frames, image = saved(tmp_path, export)
    voxels = np.asarray(image.dataobj)
    for index in ((0, 0, 0), (1, 5, 2), (2, 7, 5)):
        (place,) = np.argwhere(voxels[..., 1] == frames[1][index])
        right, down, deep = (index[2] - 3.0) * 1.5, (index[1] - 4.0) * 1.5, index[0] * 10.0
        expected = np.array(export.centre) + np.array(export.axes) @ (right, down, deep)
        assert nib.affines.apply_affine(image.affine, place) == pytest.approx(expected, abs=1e-3)


def test_a_sheared_slice_axis_leans_whichever_axis_it_is(tmp_path):
    for slices_along in (0, 2):
        _, image = saved(tmp_path, export_of("A", slices_along=slices_along, sheared=True))
        axes = image.affine[:3, :3] / nib.affines.voxel_sizes(image.affine)
        cosine = axes[:, slices_along] @ axes[:, (slices_along + 1) % 3]
        assert np.degrees(np.arccos(cosine)) == pytest.approx(90 - 1.718, abs=0.01)


def test_time_has_no_spacing(tmp_path):
    _, image = saved(tmp_path, export_of("B"))
    assert image.header["pixdim"][4] == 0
