import numpy as np
import pytest
from helpers.mouse_files import (
    CENTRE,
    SHAPE,
    SPACING,
    contours,
    grey_values,
    long_axis_fields,
    masks,
    radii,
    stack_fields,
    write_v5,
    write_v73,
)

from dataset_conversion.images import SourceError
from dataset_conversion.mouse.segment import read, survey

BOTH = pytest.mark.parametrize("write", [write_v5, write_v73])


@BOTH
def test_image_masks_and_spacing(write, tmp_path):
    path = write(tmp_path / "m1.mat")
    image, labels = (read(path, f"{what} of setstruct(1)") for what in ("image", "labels"))
    assert image.array == pytest.approx(grey_values(0) / 4000, abs=1e-6)
    assert image.geometry.spacing == labels.geometry.spacing == pytest.approx(SPACING)
    assert np.flatnonzero(labels.array.any(axis=(1, 2, 3))).tolist() == [0, 3]
    # Where a voxel's centre lies in the ring by a voxel or more, all readings agree.
    rows, columns = np.mgrid[: SHAPE[1], : SHAPE[2]]
    distance = np.hypot(rows - CENTRE[0], columns - CENTRE[1])
    for k in range(SHAPE[0]):
        inner, outer = radii(k, 3)
        certain = (np.abs(distance - inner) > 0.75) & (np.abs(distance - outer) > 0.75)
        assert np.array_equal(labels.array[3, k][certain], (masks()[3, k] == 1)[certain])


@BOTH
def test_frames_with_contours_and_their_phases(write, tmp_path):
    path = write(tmp_path / "m1.mat", stack_fields(EDT=4.0, EST=1.0, **contours(annotated=(0, 3, 5))))
    frames = survey(path)
    assert [(frame.number, frame.phase, frame.stack) for frame in frames] == [(1, "ES", ""), (4, "ED", ""), (6, "", "")]
    assert [frame.image.frame for frame in frames] == [0, 3, 5]
    assert frames[0].labels.content == "labels of setstruct(1)"


@BOTH
def test_stacks_without_contours_are_passed_over(write, tmp_path):
    path = write(tmp_path / "m1.mat", long_axis_fields(), stack_fields(5), long_axis_fields())
    frames = survey(path)
    assert [(frame.image.content, frame.stack) for frame in frames] == [("image of setstruct(2)", "")] * 2
    assert read(path, "image of setstruct(2)").array == pytest.approx(grey_values(5) / 4000, abs=1e-6)


@BOTH
def test_one_frame_and_one_slice_lose_axes_in_matlab(write, tmp_path):
    fields = contours(annotated=(0,), times=1, slices=1)
    flat = {name: values[:, 0, 0][:, None] for name, values in fields.items()}
    image = grey_values(3)[0, 0].astype(np.float64)
    path = write(tmp_path / "m1.mat", stack_fields(IM=image, **flat))
    assert read(path, "image of setstruct(1)").array.shape == (1, 1, *SHAPE[1:])
    assert read(path, "labels of setstruct(1)").array.sum() == pytest.approx(np.pi * (9.0**2 - 5.0**2), rel=0.04)


def test_one_frame_of_several_slices(tmp_path):
    fields = contours(annotated=(0,), times=1)
    image = grey_values(3)[:1].transpose(2, 3, 0, 1).astype(np.float64)
    path = write_v73(tmp_path / "m1.mat", stack_fields(IM=image, **fields))
    assert read(path, "labels of setstruct(1)").array.shape == (1, *SHAPE)


def test_an_apex_without_endocardium_is_muscle_throughout(tmp_path):
    fields = contours()
    fields["EndoX"][:, 3, 3] = fields["EndoY"][:, 3, 3] = np.nan
    path = write_v5(tmp_path / "m1.mat", stack_fields(**fields))
    apex = read(path, "labels of setstruct(1)").array[3, 3]
    assert apex.sum() == pytest.approx(np.pi * radii(3, 3)[1] ** 2, rel=0.04)
    assert apex[int(CENTRE[0]), int(CENTRE[1])] == 1


def test_frames_with_endocardial_contours_only_are_not_annotated(tmp_path):
    fields = contours(annotated=(0, 2, 3))
    fields["EpiX"][:, 2] = fields["EpiY"][:, 2] = np.nan
    path = write_v5(tmp_path / "m1.mat", stack_fields(**fields))
    assert [frame.number for frame in survey(path)] == [1, 4]
    assert not read(path, "labels of setstruct(1)").array[2].any()


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_contours_of_zeros_or_nan_are_none(nothing, tmp_path):
    fields = contours(annotated=(0, 2))
    for values in fields.values():
        values[np.isnan(values)] = nothing
    path = write_v5(tmp_path / "m1.mat", stack_fields(**fields))
    assert [frame.number for frame in survey(path)] == [1, 3]
    annotated = read(path, "labels of setstruct(1)").array.any(axis=(1, 2, 3))
    assert np.flatnonzero(annotated).tolist() == [0, 2]


def test_without_endocardial_fields_the_whole_is_muscle(tmp_path):
    path = write_v5(tmp_path / "m1.mat", stack_fields(EndoX=None, EndoY=None))
    assert read(path, "labels of setstruct(1)").array[0, 0].sum() == pytest.approx(np.pi * 81, rel=0.04)


def test_volume_of_the_myocardium_is_that_of_the_circles(tmp_path):
    path = write_v73(tmp_path / "m1.mat")
    stack = read(path, "labels of setstruct(1)")
    expected = sum(np.pi * (outer**2 - inner**2) for inner, outer in (radii(k, 0) for k in range(SHAPE[0])))
    assert stack.array[0].sum() == pytest.approx(expected, rel=0.01)


def test_the_gap_between_slices_counts(tmp_path):
    path = write_v5(tmp_path / "m1.mat", stack_fields(SliceThickness=0.5, SliceGap=0.7, ResolutionX=0.2))
    assert read(path, "image of setstruct(1)").geometry.spacing == pytest.approx((1.2, 0.2, 0.13))


def test_an_absent_stack_is_a_failure(tmp_path):
    path = write_v5(tmp_path / "m1.mat")
    with pytest.raises(SourceError, match=r"m1.mat: setstruct\(2\): expected this stack, got 1 stacks"):
        read(path, "image of setstruct(2)")
    with pytest.raises(ValueError, match="expected a content of Segment's files, got 'Masks'"):
        read(path, "Masks")
