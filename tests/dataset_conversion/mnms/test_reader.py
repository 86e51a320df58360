import shutil

import pytest
from helpers.acdc_files import heart_labels, save_nifti
from helpers.mnms_files import CSV_NAME, row, write_dataset, write_rows, write_subject

from dataset_conversion.mnms.reader import find_subjects
from nnunet_cardiac_ext.errors import UsageError

ALL = {
    "A0B1C2": ("training", "train"), "B0B1C2": ("training", "train"), "C0B1C2": ("training", "train"),
    "D0B1C2": ("unlabelled", "unlabelled"), "E0B1C2": ("validation", "test"), "F0B1C2": ("testing", "test"),
}  # fmt: skip


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "OpenDataset")


def parts(source, **options):
    """Official part and part of each subject."""
    subjects = find_subjects(source, **options)
    assert not any(subject.problem for subject in subjects)
    rows = {subject.name: {(c.row.extra["official_part"], c.row.part) for c in subject.cases} for subject in subjects}
    return {name: found.pop() for name, found in rows.items() if len(found) == 1}


def problem(source, code, **options):
    return {subject.name: subject.problem for subject in find_subjects(source, **options)}[code]


def test_the_folder_and_the_one_above_it_give_all_parts(dataset):
    assert parts(dataset) == parts(dataset.parent) == ALL


@pytest.mark.parametrize(
    ("folder", "codes"),
    [("Training", "ABCD"), ("Training/Labeled", "ABC"), ("Training/Unlabeled", "D"), ("Validation", "E"),
     ("Testing", "F")],
)  # fmt: skip
def test_each_folder_alone_gives_its_part_and_finds_the_csv_above(dataset, folder, codes, monkeypatch):
    expected = {name: part for name, part in ALL.items() if name[0] in codes}
    assert parts(dataset / folder) == expected
    assert {case.row.vendor for subject in find_subjects(dataset / folder) for case in subject.cases} <= {
        "Siemens", "Philips", "GE", "Canon",
    }  # fmt: skip
    monkeypatch.chdir(dataset / folder)
    assert parts(type(dataset)(".")) == expected


def test_all_labelled_subjects_may_be_for_training(dataset):
    assert {part for _, part in parts(dataset, train_on="labelled").values()} == {"train", "unlabelled"}
    assert parts(dataset, train_on="labelled")["D0B1C2"] == ("unlabelled", "unlabelled")


def test_in_a_flat_copy_what_has_labels_is_for_training(tmp_path):
    write_subject(tmp_path / "MnM" / "dataset" / "A0B1C2")
    (write_subject(tmp_path / "MnM" / "dataset" / "B0B1C2") / "B0B1C2_sa_gt.nii.gz").unlink()
    write_rows(tmp_path / "MnM" / "dataset_information.csv", [row("A0B1C2"), row("B0B1C2")])
    expected = {"A0B1C2": ("", "train"), "B0B1C2": ("", "unlabelled")}
    assert parts(tmp_path / "MnM") == parts(tmp_path / "MnM" / "dataset") == expected


def test_the_first_release_has_a_file_per_frame(tmp_path):
    folder = tmp_path / "A0B1C2"
    for phase in ("ED", "ES"):
        save_nifti(folder / f"A0B1C2_sa_{phase}.nii.gz", heart_labels())
        save_nifti(folder / f"A0B1C2_sa_{phase}_gt.nii.gz", heart_labels())
    write_rows(tmp_path / "info.csv", [row("A0B1C2", vendor="C", ed=24, es=9)])
    (subject,) = find_subjects(tmp_path)
    assert [(c.row.case, c.row.frame, c.row.vendor, c.image.frame) for c in subject.cases] == [
        ("A0B1C2_ED", 24, "GE", None),
        ("A0B1C2_ES", 9, "GE", None),
    ]
    (folder / "A0B1C2_sa_ES_gt.nii.gz").unlink()
    assert problem(tmp_path, "A0B1C2") == "A0B1C2_sa_ES_gt.nii.gz: expected the labels of ES, found none"


def test_rows_hold_what_the_csv_says(dataset):
    write_rows(dataset / CSV_NAME, [row("A0B1C2", vendor="B", centre="3", ed=1, es=3, group="DCM", Height=1.8)])
    case = find_subjects(dataset)[0].cases[1]
    assert (case.row.case, case.row.phase, case.row.frame) == ("A0B1C2_ES", "ES", 3)
    assert (case.row.vendor, case.row.centre, case.row.group) == ("Philips", "3", "DCM")
    assert case.row.source == "Training/Labeled/A0B1C2/A0B1C2_sa.nii.gz"
    assert case.row.extra == {
        "official_part": "training", "vendor_letter": "B", "sex": "F", "age": "41", "height_cm": "180",
        "weight_kg": "70.5",
    }  # fmt: skip


def test_hidden_files_and_folders_are_left_alone(dataset):
    folder = dataset / "Training" / "Labeled" / "A0B1C2"
    for path in (folder / "._A0B1C2_sa.nii.gz", folder / "notes.txt", folder.parent / "._A0B1C2"):
        path.write_bytes(b"\0\5\26\7")
    shutil.copytree(dataset / "Training", dataset / "__MACOSX" / "Training")
    subject = find_subjects(dataset)[0]
    assert parts(dataset) == ALL
    assert {path.name: reason for path, reason in subject.ignored.items()} == {
        "._A0B1C2_sa.nii.gz": "hidden file",
        "notes.txt": "neither the short-axis series nor its labels",
    }


def test_label_files_of_the_unlabelled_part_are_never_labels(dataset):
    (subject,) = find_subjects(dataset / "Training" / "Unlabeled")
    assert [case.labels for case in subject.cases] == [None, None]
    ((path, reason),) = subject.ignored.items()
    assert (path.name, reason) == (
        "D0B1C2_sa_gt.nii.gz", "a subject of Training/Unlabeled: this file holds no labels",
    )  # fmt: skip


def test_all_frames_adds_the_whole_cycle_counted_from_0(dataset):
    subject = find_subjects(dataset, frames="all")[0]
    assert [(c.row.case, c.row.phase, c.image.frame) for c in subject.cases if c.row.part == "cine"] == [
        ("A0B1C2_frame00", "ED", 0),
        ("A0B1C2_frame01", "", 1),
        ("A0B1C2_frame02", "ES", 2),
        ("A0B1C2_frame03", "", 3),
    ]


def test_what_a_subject_lacks_is_its_problem(dataset):
    labeled, other = dataset / "Training" / "Labeled", dataset / "Testing" / "F0B1C2"
    (labeled / "A0B1C2" / "A0B1C2_sa_gt.nii.gz").unlink()
    (labeled / "B0B1C2" / "B0B1C2_sa.nii.gz").unlink()
    shutil.copytree(labeled / "C0B1C2", dataset / "Testing" / "C0B1C2")
    (other / "F0B1C2_sa_gt.nii.gz").unlink()
    write_rows(dataset / CSV_NAME, [row(code) for code in ("A0B1C2", "B0B1C2", "C0B1C2")])
    assert problem(dataset, "A0B1C2") == (
        "A0B1C2_sa_gt.nii.gz: expected the labels of a subject of Training/Labeled, found none"
    )
    assert problem(dataset, "B0B1C2") == (
        "B0B1C2_sa.nii.gz: expected the short-axis series, found B0B1C2_sa_gt.nii.gz"
    )
    assert problem(dataset, "C0B1C2") == "expected one folder, found Testing/C0B1C2, Training/Labeled/C0B1C2"
    assert problem(dataset, "D0B1C2") == problem(dataset, "F0B1C2") == (
        f"no row in {CSV_NAME}: vendor, centre and group unknown; ED and ES of a subject without labels are told by "
        "nothing else"
    )


def test_one_frame_for_ed_and_es_of_an_unlabelled_subject_is_its_problem(dataset):
    write_rows(dataset / CSV_NAME, [row("D0B1C2", ed=2, es=2)])
    assert problem(dataset, "D0B1C2") == "csv: expected ED and ES to be different frames, got 2 for both"


def test_no_subjects_absent_folders_and_unknown_options_are_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="with folders named like A0B1C2; found none"):
        find_subjects(tmp_path)
    with pytest.raises(UsageError, match="expected a folder, found nothing"):
        find_subjects(tmp_path / "absent")
    with pytest.raises(UsageError, match="--frames: expected labelled or all, got 'some'"):
        find_subjects(tmp_path, frames="some")
    with pytest.raises(UsageError, match="--train-on: expected training or labelled, got 'all'"):
        find_subjects(tmp_path, train_on="all")
