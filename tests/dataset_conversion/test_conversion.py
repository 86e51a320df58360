"""The conversion of any data set, with subjects that no reader has found."""

import pytest
from helpers.acdc_files import heart_labels, save_nifti

from dataset_conversion.cases import DataSetFacts, SourceCase, SourceSubject, VolumeFile
from dataset_conversion.conversion import convert_subjects
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
