import h5py
import numpy as np
import pytest
from helpers.mouse_files import (
    ANNOTATED,
    CENTRE,
    FRAMES,
    MATLAB_AXES,
    PYTHON_AXES,
    SHAPE,
    grey_values,
    masks,
    radii,
    write_mouse,
)

from dataset_conversion.images import SourceError
from dataset_conversion.mouse.hdf5 import DEFAULT_SPACING, has_default_spacing, read, survey

SPACING = (0.9, 0.2, 0.1)


@pytest.mark.parametrize("axes", [PYTHON_AXES, MATLAB_AXES], ids=["python", "matlab"])
@pytest.mark.parametrize("first", [0, 1])
def test_axes_and_frames_are_recognised_however_the_file_was_written(axes, first, tmp_path):
    path = write_mouse(tmp_path / "Mouse7.h5", axes=axes, listed=[index + first for index in ANNOTATED], seed=7)
    frames = survey(path, SPACING)
    assert [(frame.number, frame.phase) for frame in frames] == [(first, "ED"), (3 + first, "ES")]
    for frame, index in zip(frames, ANNOTATED, strict=True):
        image, labels = (read(path, volume.content) for volume in (frame.image, frame.labels))
        assert np.array_equal(image.volume(), grey_values(7)[index])
        assert np.array_equal(labels.volume(), masks()[index] == 1)
        assert image.geometry.spacing == labels.geometry.spacing == SPACING


def test_the_ring_is_where_it_was_drawn(tmp_path):
    path = write_mouse(tmp_path / "Mouse1.h5", axes=MATLAB_AXES)
    labels = read(path, survey(path, None)[0].labels.content).volume()
    row, column = int(CENTRE[0]), int(CENTRE[1])
    middle = round(sum(radii(0, 0)) / 2)
    assert labels[0, row, column] == 0
    assert labels[0, row + middle, column] == labels[0, row, column + middle] == 1
    assert labels[0, row + 12, column] == labels[0, row, column + 12] == 0


@pytest.mark.parametrize(
    ("listed", "numbers"),
    [
        ((0, 3), [0, 3]),
        ((1, 4), [1, 4]),
        ((0, 3, 5), [0, 3]),
        ((1, 4, 6), [1, 4]),
        ([[0], [3]], [0, 3]),
        (False, [0, 3]),
    ],
)
def test_frames_are_numbered_as_the_file_lists_them(listed, numbers, tmp_path):
    frames = survey(write_mouse(tmp_path / "Mouse1.h5", listed=listed), None)
    assert [frame.number for frame in frames] == numbers


def test_a_list_that_fits_both_ways_counts_as_the_exact_one(tmp_path):
    labels = masks(annotated=(1, 2))
    assert [f.number for f in survey(write_mouse(tmp_path / "a.h5", labels=labels, listed=(1, 2)), None)] == [1, 2]
    assert [f.number for f in survey(write_mouse(tmp_path / "b.h5", labels=labels, listed=(2, 3)), None)] == [2, 3]
    assert [f.number for f in survey(write_mouse(tmp_path / "c.h5", labels=labels, listed=(1, 2, 3)), None)] == [1, 2]


def test_the_earliest_frame_is_ed_and_the_smallest_pool_of_the_others_es(tmp_path):
    labels = masks(annotated=(1, 2, 4))
    labels[2][labels[2] == 2] = 0
    frames = survey(write_mouse(tmp_path / "Mouse1.h5", labels=labels, listed=(1, 2, 4)), None)
    assert [frame.phase for frame in frames] == ["ED", "ES", ""]
    frames = survey(write_mouse(tmp_path / "Mouse2.h5", labels=masks(annotated=(4,)), listed=(4,)), None)
    assert [frame.phase for frame in frames] == ["ED"]


def test_spacing_is_given_or_that_of_the_file_or_the_published_one(tmp_path):
    path = write_mouse(tmp_path / "Mouse1.h5")
    assert read(path, survey(path, None)[0].image.content).geometry.spacing == DEFAULT_SPACING
    assert has_default_spacing(survey(path, None)[0].image)
    with h5py.File(path, "r+") as file:
        file.attrs["spacing_mm"] = (0.8, 0.1307, 0.13)
    frame = survey(path, None)[0]
    assert read(path, frame.labels.content).geometry.spacing == (0.8, 0.1307, 0.13)
    assert not has_default_spacing(frame.image)
    assert read(path, survey(path, SPACING)[0].image.content).geometry.spacing == SPACING


@pytest.mark.parametrize("stored", [(0.8, 0.1), (0.8, 0.0, 0.1), (np.nan, 1, 1)])
def test_a_spacing_in_the_file_that_is_none_is_a_failure(stored, tmp_path):
    path = write_mouse(tmp_path / "Mouse1.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["spacing_mm"] = stored
    with pytest.raises(SourceError, match="expected three positive numbers in spacing_mm, got"):
        survey(path, None)


def test_only_the_frame_that_is_asked_for_is_read(tmp_path, monkeypatch):
    path = write_mouse(tmp_path / "Mouse1.h5")
    frames = survey(path, None)
    sizes = []
    real = h5py.Dataset.__getitem__

    def counted(self, key, *rest, **options):
        array = real(self, key, *rest, **options)
        sizes.append(array.size)
        return array

    monkeypatch.setattr(h5py.Dataset, "__getitem__", counted)
    read(path, frames[1].image.content)
    assert sizes == [np.prod(SHAPE)]


def test_an_absent_file_is_a_failure(tmp_path):
    with pytest.raises(SourceError, match=r"Mouse1\.h5: expected a file, found none"):
        survey(tmp_path / "Mouse1.h5", None)


def test_axes_that_cannot_be_told_apart_are_a_failure(tmp_path):
    shape = (FRAMES, 8, 8, 8)
    path = write_mouse(tmp_path / "Mouse1.h5", images=np.ones(shape), labels=np.ones(shape, dtype=np.uint8))
    with pytest.raises(SourceError, match="expected two axes of rows and columns, larger than those of slices and"):
        survey(path, None)
