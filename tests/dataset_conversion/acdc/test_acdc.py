"""The whole conversion of ACDC, in process."""

import csv
import os
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from helpers.acdc_files import SPACING, write_database, write_patient
from helpers.broken_acdc import BROKEN_PATIENTS, BROKEN_TEST_PATIENT, SHEARED_AFFINE

from dataset_conversion import subject as subject_module
from dataset_conversion.acdc import FACTS, convert
from dataset_conversion.acdc.reader import find_subjects
from dataset_conversion.images import check_labels, read_stack
from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.case_table import read_case_table
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.files import read_json


@pytest.fixture
def database(tmp_path):
    return write_database(tmp_path / "database")


@pytest.fixture
def folder(nnunet_root):
    return nnunet_root / "raw" / "Dataset027_ACDC"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(folder):
    """Bytes by file, without the report, which holds the command."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "conversion_report.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_images_and_labels_land_where_nnunet_looks(database, folder):
    report = convert(database, 27, workers=1, quiet=True)
    assert report.exit_code == 0
    cases = [f"patient{number:03d}_frame{frame:02d}" for number in (1, 2, 3) for frame in (1, 3)]
    assert names(folder / "imagesTr") == [f"{case}_0000.nii.gz" for case in cases]
    assert names(folder / "labelsTr") == [f"{case}.nii.gz" for case in cases]
    assert names(folder / "imagesTs") == ["patient101_frame01_0000.nii.gz", "patient101_frame03_0000.nii.gz"]
    assert names(folder / "labelsTs") == ["patient101_frame01.nii.gz", "patient101_frame03.nii.gz"]


def test_voxels_labels_and_spacing_survive(database, folder):
    convert(database, 27, workers=1, quiet=True)
    for kind, source in (("imagesTr", ""), ("labelsTr", "_gt")):
        before = nib.load(database / "training" / "patient002" / f"patient002_frame03{source}.nii.gz")
        path = folder / kind / f"patient002_frame03{'' if source else '_0000'}.nii.gz"
        after = SimpleITK.ReadImage(path)
        assert np.array_equal(SimpleITK.GetArrayFromImage(after), np.asanyarray(before.dataobj).T)
        assert after.GetSpacing() == pytest.approx(SPACING[::-1])
        assert nib.load(path).affine == pytest.approx(np.diag([-1.25, -1.5, 10, 1]))


@pytest.mark.slow
def test_dataset_json_is_what_nnunet_checks(database, folder):
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

    convert(database, 27, workers=1, quiet=True)
    content = read_json(folder / "dataset.json")
    assert content["labels"] == {"background": 0, "RV": 1, "MYO": 2, "LV": 3}
    assert content["channel_names"] == {"0": "cine"}
    assert (content["numTraining"], content["file_ending"]) == (6, ".nii.gz")
    assert content["overwrite_image_reader_writer"] == "SimpleITKIO"
    verify_dataset_integrity(str(folder), num_processes=1)


def test_case_table_tells_phase_group_slices_and_base(database, folder):
    convert(database, 27, workers=1, quiet=True)
    rows = {row.case: row for row in read_case_table(folder / "cases.csv")}
    assert len(rows) == 8
    row = rows["patient002_frame03"]
    assert (row.subject, row.phase, row.frame, row.group, row.part) == ("patient002", "ES", 3, "MINF", "train")
    assert (row.spacing, row.slices, row.base_first) == (SPACING, 4, True)
    assert row.extra == {"height_cm": "170.0", "weight_kg": "70.5", "frames_in_cycle": "4"}
    assert rows["patient101_frame01"].part == "test"


def test_splits_are_where_nnunet_finds_them_before_preprocessing(database, folder, nnunet_root):
    convert(database, 27, workers=1, quiet=True)
    splits = read_json(nnunet_root / "preprocessed" / "Dataset027_ACDC" / "splits_final.json")
    assert splits == read_json(folder / "splits_final.json")
    assert len(splits) == 3  # as many as there are training patients
    assert sorted(case for fold in splits for case in fold["val"]) == [
        name.removesuffix(".nii.gz") for name in names(folder / "labelsTr")
    ]


def test_without_a_preprocessed_folder_the_splits_are_in_the_raw_one(database, folder, monkeypatch):
    monkeypatch.delenv("nnUNet_preprocessed")
    assert convert(database, 27, workers=1, quiet=True).exit_code == 0
    assert (folder / "splits_final.json").exists()


def test_other_folds_on_disk_are_reported_and_kept(database, nnunet_root):
    convert(database, 27, folds=2, workers=1, quiet=True)
    report = convert(database, 27, folds=3, workers=1, quiet=True)
    assert report.exit_code == 1
    assert "expected the folds of this conversion, found others" in report.failures[0]
    assert len(read_json(nnunet_root / "preprocessed/Dataset027_ACDC/splits_final.json")) == 2
    assert convert(database, 27, folds=3, overwrite_splits=True, workers=1, quiet=True).exit_code == 0
    assert len(read_json(nnunet_root / "preprocessed/Dataset027_ACDC/splits_final.json")) == 3


def test_a_damaged_splits_file_is_reported_after_the_conversion(database, folder, nnunet_root):
    path = nnunet_root / "preprocessed" / "Dataset027_ACDC" / "splits_final.json"
    path.parent.mkdir()
    path.write_text("[{")
    report = convert(database, 27, workers=1, quiet=True)
    assert report.exit_code == 1
    assert "expected JSON" in report.failures[0]
    assert len(names(folder / "imagesTr")) == 6
    assert read_json(folder / "conversion_report.json")["problems"] == report.problems


def test_all_frames_go_into_a_folder_of_their_own(tmp_path, folder):
    database = write_database(tmp_path / "database", cine=True)
    convert(database, 27, frames="all", workers=1, quiet=True)
    assert len(names(folder / "imagesCine")) == 4 * 4
    assert len(names(folder / "imagesTr")) == 6
    frames = nib.load(database / "training/patient001/patient001_4d.nii.gz").get_fdata().T
    written = SimpleITK.ReadImage(folder / "imagesCine" / "patient001_frame02_0000.nii.gz")
    assert np.array_equal(SimpleITK.GetArrayFromImage(written), frames[1])
    parts = {row.case: row.part for row in read_case_table(folder / "cases.csv")}
    assert len(parts) == 16
    assert (parts["patient001_frame01"], parts["patient001_frame02"]) == ("train", "cine")
    convert(database, 27, workers=1, quiet=True)
    assert names(folder / "imagesCine") == []


@pytest.mark.parametrize("broken", BROKEN_PATIENTS, ids=lambda broken: broken.kind)
def test_a_broken_patient_is_reported_and_the_others_are_converted(broken, database, folder):
    broken.spoil(database)
    frames = "all" if broken.options else "labelled"
    report = convert(database, 27, frames=frames, workers=1, quiet=True)
    assert report.exit_code == 1
    assert len(report.failures) == 1
    assert report.failures[0].startswith("patient002: ")
    assert broken.message in report.failures[0]
    assert "\n" not in report.failures[0]
    assert {name.split("_")[0] for name in names(folder / "imagesTr")} == {"patient001", "patient003"}
    (failed,) = read_json(folder / "conversion_report.json")["failed"]
    assert failed["subject"] == "patient002"
    assert broken.message in failed["reason"]
    assert read_json(folder / "dataset.json")["numTraining"] == 4


def test_a_test_patient_with_labels_of_one_frame_only_is_reported(database, folder):
    BROKEN_TEST_PATIENT.spoil(database)
    report = convert(database, 27, workers=1, quiet=True)
    assert BROKEN_TEST_PATIENT.message in report.failures[0]
    assert len(names(folder / "imagesTs")) == 2


def test_a_sheared_affine_is_repaired_and_noted(database, folder):
    SHEARED_AFFINE.spoil(database)
    assert convert(database, 27, workers=1, quiet=True).exit_code == 0
    axes = np.array(SimpleITK.ReadImage(folder / "imagesTr" / "patient002_frame01_0000.nii.gz").GetDirection()).reshape(
        3, 3
    )
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    notes = [note for case in read_json(folder / "conversion_report.json")["converted"] for note in case["notes"]]
    assert (
        "patient002_frame01.nii.gz: axes 5.71 degrees off right angles, repaired to the nearest orthonormal ones"
        in notes
    )


def test_a_second_run_converts_only_what_has_changed(database, folder):
    convert(database, 27, workers=1, quiet=True)
    before = contents(folder)
    stamps = {path: path.stat().st_mtime_ns for path in folder.glob("images*/*")}
    os.utime(database / "training/patient002/patient002_frame01.nii.gz", (1, 1))
    (folder / "labelsTr" / "patient003_frame03.nii.gz").write_bytes(b"cut off")
    report = convert(database, 27, workers=1, quiet=True)
    assert [result.subject for result in report.results if not result.unchanged] == ["patient002", "patient003"]
    changed = {path.name.split("_")[0] for path, stamp in stamps.items() if path.stat().st_mtime_ns != stamp}
    assert changed == {"patient002", "patient003"}
    assert {name for name, content in contents(folder).items() if content != before[name]} == {
        ".conversion/patient002.json"  # which holds the new time of the source
    }


def test_a_patient_that_broke_since_the_last_run_is_taken_out(database, folder):
    convert(database, 27, workers=1, quiet=True)
    (database / "training/patient002/patient002_frame01.nii.gz").write_bytes(b"")
    assert convert(database, 27, workers=1, quiet=True).exit_code == 1
    assert {name.split("_")[0] for name in names(folder / "imagesTr") + names(folder / "labelsTr")} == {
        "patient001",
        "patient003",
    }


def test_an_interrupted_run_resumes_to_the_same_files(database, folder, nnunet_root, monkeypatch):
    real = subject_module.write_volume
    calls = []

    def interrupted(path, volume, geometry):
        calls.append(path)
        if len(calls) == 7:  # in the middle of the second patient
            raise KeyboardInterrupt
        real(path, volume, geometry)

    monkeypatch.setattr(subject_module, "write_volume", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(database, 27, workers=1, quiet=True)
    (folder / "imagesTr" / ".0123abcd.patient002_frame03_0000.nii.gz").write_bytes(b"left by a killed process")
    monkeypatch.setattr(subject_module, "write_volume", real)
    report = convert(database, 27, workers=1, quiet=True)
    assert [result.unchanged for result in report.results] == [True, False, False, False]
    resumed = contents(folder)
    for part in ("raw", "preprocessed"):
        (nnunet_root / part).rename(nnunet_root / f"{part}_resumed")
    convert(database, 27, workers=1, quiet=True)
    assert contents(folder) == resumed


def test_a_full_disk_stops_the_run_and_leaves_no_half_file(database, folder, monkeypatch):
    real = nib.save

    def full(image, path):
        if len(list(folder.glob("imagesTr/[!.]*"))) == 3:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        real(image, path)

    monkeypatch.setattr(nib, "save", full)
    with pytest.raises(WorkError, match=r"cannot be written .No space left on device."):
        convert(database, 27, workers=1, quiet=True)
    assert len(names(folder / "imagesTr")) == 3
    assert not (folder / "dataset.json").exists()
    monkeypatch.setattr(nib, "save", real)
    report = convert(database, 27, workers=1, quiet=True)
    assert [result.unchanged for result in report.results] == [True, False, False, False]


def test_worker_processes_give_the_same_files(database, folder, nnunet_root):
    convert(database, 27, workers=1, quiet=True)
    alone = contents(folder)
    for part in ("raw", "preprocessed"):
        (nnunet_root / part).rename(nnunet_root / f"{part}_alone")
    convert(database, 27, workers=2, quiet=True)
    assert contents(folder) == alone


def test_an_id_of_another_data_set_is_refused(database, nnunet_root):
    (nnunet_root / "results" / "Dataset027_Other").mkdir()
    with pytest.raises(UsageError, match=r"-d 27: expected a free id or that of Dataset027_ACDC, got that of .*_Other"):
        convert(database, 27, workers=1, quiet=True)
    assert names(nnunet_root / "raw") == []


@pytest.mark.parametrize("dataset_id", [0, 1000, -3])
def test_an_id_out_of_range_is_refused(database, nnunet_root, dataset_id):
    with pytest.raises(UsageError, match="-d: expected a data set id from 1 to 999"):
        convert(database, dataset_id, workers=1, quiet=True)


def test_a_data_set_of_other_subjects_is_not_mixed_in(database, folder):
    convert(database / "testing", 27, workers=1, quiet=True)
    with pytest.raises(UsageError, match=r"expected only what comes from .*training, found patient101"):
        convert(database / "training", 27, workers=1, quiet=True)
    assert convert(database, 27, workers=1, quiet=True).exit_code == 0


def test_a_data_set_that_something_else_wrote_is_left_alone(database, folder):
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "imagesTr" / "patient001_frame01_0000.nii.gz").write_bytes(b"theirs")
    with pytest.raises(UsageError, match="expected one of this converter's, found another"):
        convert(database, 27, workers=1, quiet=True)
    assert (folder / "imagesTr" / "patient001_frame01_0000.nii.gz").read_bytes() == b"theirs"


def test_an_output_that_cannot_be_written_is_one_line(database, nnunet_root):
    (nnunet_root / "raw").rmdir()
    (nnunet_root / "raw").write_text("a file")
    with pytest.raises(WorkError, match=r"Dataset027_ACDC: cannot be written \(Not a directory\)"):
        convert(database, 27, workers=1, quiet=True)


def test_paths_with_spaces_and_other_letters_work(tmp_path, folder):
    database = write_database(tmp_path / "Herz Übung 心臓" / "database", testing=0)
    assert convert(database, 27, workers=1, quiet=True).exit_code == 0
    assert len(names(folder / "imagesTr")) == 6


def test_one_patient_has_no_folds(tmp_path, folder):
    write_patient(tmp_path / "in" / "patient001")
    assert convert(tmp_path / "in", 27, workers=1, quiet=True).exit_code == 0
    assert not (folder / "splits_final.json").exists()


def test_importing_the_converter_loads_no_torch():
    code = "import sys, dataset_conversion.acdc; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.real_data
def test_volumes_of_real_patients_equal_the_public_table(real_data):
    """Columns ED/ES[vol(LV)], ED/ES[vol(RV)] in mm3; ED[mass(MYO)] equals the volume in mm3, a density of 1 mg/mm3."""
    with (real_data / "reference" / "acdc_volumes.csv").open() as stream:
        table = {row["Name"]: row for row in csv.DictReader(stream)}
    subjects = find_subjects(real_data / "acdc")
    assert {subject.name for subject in subjects} == set(table)
    for subject in subjects:
        for case in subject.cases:
            stack = read_stack(case.labels.path)
            labels = CINE.remap(check_labels("gt", stack.volume()), FACTS.source_labels)
            volume = {
                name: (labels == value).sum() * np.prod(stack.geometry.spacing) for name, value in CINE.values.items()
            }
            expected, phase = table[subject.name], case.row.phase
            assert volume["LV"] == pytest.approx(float(expected[f"{phase}[vol(LV)]"]), rel=1e-6)
            assert volume["RV"] == pytest.approx(float(expected[f"{phase}[vol(RV)]"]), rel=1e-6)
            myocardium = "ED[mass(MYO)]" if phase == "ED" else "ES[vol(MYO)]"
            assert volume["MYO"] == pytest.approx(float(expected[myocardium]), rel=1e-6)
            assert case.row.group == expected["GROUP"]
