"""The conversion of any data set, with subjects that no reader has found."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from helpers.acdc_files import heart_labels, save_nifti

from dataset_conversion.cases import DataSetFacts, SourceCase, SourceSubject, Volume, VolumeFile
from dataset_conversion.conversion import convert_subjects
from dataset_conversion.geometry import Geometry
from dataset_conversion.images import Stack
from dataset_conversion.splits import leave_one_out
from nnunet_cardiac_ext.case_table import CaseRow, read_case_table
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json

# Left ventricle first, as M&Ms has it.
FACTS = DataSetFacts("Swapped", "cine", {"LV": 1, "MYO": 2, "RV": 3}, "test", "none", "none")


def subject(folder, name, *, group="NOR"):
    """A subject of one case whose labels are those of `heart_labels` with RV and LV exchanged."""
    labels = heart_labels()
    image, truth = folder / f"{name}.nii.gz", folder / f"{name}_gt.nii.gz"
    save_nifti(image, labels.astype("int16") * 100)
    save_nifti(truth, labels.choose([0, 3, 2, 1]).astype("uint8"))
    row = CaseRow(f"{name}_ED", name, phase="ED", group=group)
    return SourceSubject(name, (SourceCase(row, VolumeFile(image), VolumeFile(truth)),))


def convert(subjects, source, **options):
    return convert_subjects(FACTS, subjects, source, 31, workers=1, quiet=True, **options)


def test_labels_of_another_order_become_canonical(nnunet_root, tmp_path):
    report = convert([subject(tmp_path, "a"), subject(tmp_path, "b")], tmp_path)
    expected = heart_labels()
    assert report.cases[0].voxels == {name: (expected == value).sum() for name, value in
                                      (("RV", 1), ("MYO", 2), ("LV", 3))}  # fmt: skip
    assert read_json(report.folder / "dataset.json")["labels"] == {"background": 0, "RV": 1, "MYO": 2, "LV": 3}


def test_a_subject_known_to_be_broken_is_left_out_of_everything_but_the_report(nnunet_root, tmp_path):
    broken = SourceSubject("c", problem="no header")
    report = convert([subject(tmp_path, "a"), subject(tmp_path, "b"), broken], tmp_path)
    assert report.failures == ["c: no header"]
    assert {row.subject for row in read_case_table(report.folder / "cases.csv")} == {"a", "b"}
    assert len(read_json(report.folder / "splits_final.json")) == 2
    assert read_json(report.folder / "conversion_report.json")["failed"][0]["reason"] == "no header"


def test_a_state_of_another_kind_is_converted_again(nnunet_root, tmp_path):
    subjects = [subject(tmp_path, "a")]
    state = convert(subjects, tmp_path).folder / ".conversion" / "a.json"
    assert convert(subjects, tmp_path).results[0].unchanged
    state.write_text("[]")
    (result,) = convert(subjects, tmp_path).results
    assert (result.unchanged, result.problem) == (False, "")
    assert read_json(state)["files"]


@pytest.mark.parametrize("options", [{"folds": 1}, {"folds": 0}])
def test_nothing_is_made_for_numbers_that_make_no_sense(nnunet_root, tmp_path, options):
    with pytest.raises(UsageError, match="--folds: expected at least 2"):
        convert([subject(tmp_path, "a")], tmp_path, **options)
    assert list((nnunet_root / "raw").iterdir()) == []


@dataclass(frozen=True)
class FirstSlices:
    """A preparation: keep the first slices."""

    count: int

    def __call__(self, volume):
        image, labels = volume.image[: self.count], volume.labels[: self.count]
        return Volume(image, labels, volume.geometry, (*volume.notes, f"{self.count} slices kept"))


def prepared(found, count):
    return replace(found, cases=tuple(replace(case, prepare=FirstSlices(count)) for case in found.cases))


def test_a_preparation_decides_what_is_written_and_counted(nnunet_root, tmp_path):
    report = convert([prepared(subject(tmp_path, "a"), 2), subject(tmp_path, "b")], tmp_path)
    first, second = report.cases
    assert (first.row.slices, second.row.slices) == (2, 4)
    assert first.notes[-1] == "2 slices kept"
    assert first.voxels["LV"] == (heart_labels()[:2] == 3).sum()
    assert nib.load(report.folder / "labelsTr" / "a_ED.nii.gz").shape == (20, 24, 2)


def test_another_preparation_converts_again_the_same_one_does_not(nnunet_root, tmp_path):
    found = [subject(tmp_path, "a")]
    convert([prepared(found[0], 2)], tmp_path)
    assert convert([prepared(found[0], 2)], tmp_path).results[0].unchanged
    assert not convert([prepared(found[0], 3)], tmp_path).results[0].unchanged
    assert not convert(found, tmp_path).results[0].unchanged


def read_arrays(path, content):
    array = np.load(path)[content]
    return Stack(path, array, Geometry((8.0, 1.5, 1.5), np.eye(3), np.zeros(3)))


def test_a_data_set_may_read_files_of_its_own_kind(nnunet_root, tmp_path):
    labels = heart_labels()
    np.savez(tmp_path / "a.npz", images=labels.astype("int16") * 7, masks=labels[None])
    file = tmp_path / "a.npz"
    case = SourceCase(CaseRow("a_ED", "a"), VolumeFile(file, content="images"), VolumeFile(file, 0, "masks"))
    facts = DataSetFacts("Arrays", "cine", {"RV": 1, "MYO": 2, "LV": 3}, "test", "none", "none", read=read_arrays)
    report = convert_subjects(facts, [SourceSubject("a", (case,))], tmp_path, 33, workers=1, quiet=True)
    assert report.failures == []
    assert report.cases[0].row.spacing == (8.0, 1.5, 1.5)
    assert report.cases[0].voxels["RV"] == (labels == 1).sum()


def test_folds_may_follow_another_rule(nnunet_root, tmp_path):
    found = [subject(tmp_path, name) for name in "abc"]
    for one, vendor in zip(found, "XYX", strict=True):
        one.cases[0].row.extra["coil"] = vendor
    report = convert(found, tmp_path, splitter=partial(leave_one_out, column="coil"))
    assert [fold["val"] for fold in report.splits] == [["a_ED", "c_ED"], ["b_ED"]]


def test_regions_stand_in_dataset_json(nnunet_root, tmp_path):
    regions = {"heart": (1, 2, 3), "left": (2, 3), "cavity": (3,)}
    facts = replace(FACTS, region_labels=regions)
    report = convert_subjects(facts, [subject(tmp_path, "a")], tmp_path, 31, workers=1, quiet=True)
    described = read_json(report.folder / "dataset.json")
    assert described["labels"] == {"background": 0, "heart": [1, 2, 3], "left": [2, 3], "cavity": [3]}
    assert described["regions_class_order"] == [1, 2, 3]
    assert described["structures"] == {"RV": 1, "MYO": 2, "LV": 3}


def test_the_report_names_its_source_so_that_it_is_found_from_anywhere(nnunet_root, tmp_path, monkeypatch):
    (tmp_path / "source").mkdir()
    monkeypatch.chdir(tmp_path)
    report = convert([subject(Path("source"), "a")], Path("source"))
    assert read_json(report.folder / "conversion_report.json")["source"] == str(tmp_path / "source")


def test_a_source_given_by_another_path_is_the_same_source(nnunet_root, tmp_path, monkeypatch):
    (tmp_path / "source").mkdir()
    subject(tmp_path / "source", "b")
    monkeypatch.chdir(tmp_path)
    convert([subject(Path("source"), "a")], Path("source"))
    absolute = tmp_path / "source"
    row = CaseRow("a_ED", "a", phase="ED", group="NOR")
    same = SourceSubject("a", (SourceCase(row, *(VolumeFile(absolute / f"a{end}.nii.gz") for end in ("", "_gt"))),))
    assert convert([same], absolute).results[0].unchanged
    other = replace(same, cases=(replace(same.cases[0], image=VolumeFile(absolute / "b.nii.gz")),))
    assert not convert([other], absolute).results[0].unchanged


def last_frame(found, stacks):
    """The frame that only the file tells: the last one; and a case becomes unlabelled."""
    (case,) = found.cases
    frame = len(stacks[case.image.path, ""].array) - 1
    settled = replace(case, row=replace(case.row, part="unlabelled", frame=frame), labels=None, notes=("last frame",))
    return replace(found, cases=(replace(settled, image=VolumeFile(case.image.path, frame)),))


def test_a_data_set_may_settle_its_cases_once_the_files_are_read(nnunet_root, tmp_path):
    frames = np.arange(3 * 4 * 6 * 5, dtype=np.int16).reshape(3, 4, 6, 5)
    save_nifti(tmp_path / "a.nii.gz", frames)
    file = VolumeFile(tmp_path / "a.nii.gz", 0)
    subjects = [SourceSubject("a", (SourceCase(CaseRow("a_ED", "a"), file, file),))]
    facts = replace(FACTS, settle=last_frame)
    for unchanged in (False, True):
        report = convert_subjects(facts, subjects, tmp_path, 31, workers=1, quiet=True)
        assert report.results[0].unchanged is unchanged
        (case,) = report.cases
        assert (case.row.part, case.row.frame, case.notes[0]) == ("unlabelled", 2, "last frame")
        (entry,) = read_json(report.folder / "conversion_report.json")["converted"]
        assert (entry["image"]["frame"], entry["labels"]) == (2, None)
    written = nib.load(report.folder / "imagesUn" / "a_ED_0000.nii.gz")
    assert np.array_equal(np.asarray(written.dataobj).T, frames[2])
    assert not list((report.folder / "imagesTr").iterdir())


def test_folds_that_cannot_be_made_are_a_line_of_the_report(nnunet_root, tmp_path):
    found = [subject(tmp_path, name) for name in "ab"]
    report = convert(found, tmp_path, splitter=partial(leave_one_out, column="vendor"))
    assert report.failures == ["splits_final.json: a_ED: expected a vendor to leave out, found none"]
    assert (report.folder / "conversion_report.json").exists()
