import numpy as np
import pytest
from helpers.mouse_files import SPACING, masks, write_listing, write_v5

from dataset_conversion.mouse.reader import find_source, find_subjects, read
from dataset_conversion.mouse.volumes import measure_animals


def measured(source, workers=1):
    subjects = find_subjects(find_source(source), spacing=None, workers=1, quiet=True)
    return measure_animals(subjects, read, workers=workers, quiet=True)


def test_volumes_of_all_visits_of_an_animal(tmp_path):
    checked, animals = measured(write_listing(tmp_path, animals=("m1", "m2")))
    assert [subject.problem for subject in checked] == [""] * 4
    assert [(animal.name, len(animal.volumes)) for animal in animals] == [("m1", 4), ("m2", 4)]
    expected = [(masks(0.85)[frame] == 1).sum() * np.prod(SPACING) / 1000 for frame in (0, 3)]
    assert sorted(set(animals[1].volumes)) == pytest.approx(sorted(expected), rel=1e-6)
    assert animals[1].mean == pytest.approx(np.mean(expected), rel=1e-6)


def test_worker_processes_measure_the_same(tmp_path):
    source = write_listing(tmp_path, animals=("m1", "m2"))
    assert measured(source, workers=2)[1] == measured(source)[1]


def test_a_scan_that_cannot_be_read_has_a_problem_and_no_volume(tmp_path):
    write_listing(tmp_path, animals=("m1", "m2"), time_points=("pre",))
    (tmp_path / "nifti" / "m1_pre_0_mask.nii.gz").write_bytes(b"")
    checked, animals = measured(tmp_path)
    assert "m1_pre_0_mask.nii.gz: expected a NIfTI file, got 0 bytes" in checked[0].problem
    assert [animal.name for animal in animals] == ["m2"]


def test_contours_are_measured_as_masks(tmp_path):
    write_v5(tmp_path / "m1.mat")
    _, (animal,) = measured(tmp_path)
    stack = read(tmp_path / "m1.mat", "labels of setstruct(1)")
    assert animal.volumes[0] == pytest.approx(stack.array[0].sum() * np.prod(SPACING) / 1000)
