"""The whole conversion of M&Ms-2, in process; what all data sets share is tested on ACDC."""

import shutil
import subprocess

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from helpers.broken_mnms2 import BROKEN_SUBJECTS, BROKEN_TEST_SUBJECT, REPAIRED
from helpers.mnms2_files import SPACINGS, grey_values, labels_of, write_challenge, write_dataset, write_subject

from dataset_conversion.checking import check_dataset
from dataset_conversion.mnms2 import convert
from nnunet_cardiac_ext.case_table import read_case_table
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json
from nnunet_cardiac_ext.phantoms.mnms2 import write_phantoms
from nnunet_cardiac_ext.steps import executable

SHORT, LONG = "Dataset045_MNMs2SA", "Dataset046_MNMs2LA"


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "MnM2")


@pytest.fixture
def raw(nnunet_root):
    return nnunet_root / "raw"


def run(source, dataset_id=45, **options):
    return convert(source, dataset_id, workers=1, quiet=True, **options)


def names(folder):
    return sorted(path.name.removesuffix(".nii.gz") for path in folder.iterdir()) if folder.exists() else []


def read(path):
    image = SimpleITK.ReadImage(path)
    return SimpleITK.GetArrayFromImage(image), image.GetSpacing()[::-1]


def notes(folder):
    return [note for case in read_json(folder / "conversion_report.json")["converted"] for note in case["notes"]]


def options_of(broken):
    return {key.removeprefix("--"): value for key, value in zip(broken.options[::2], broken.options[1::2], strict=True)}


def cases(view, codes):
    return [f"{code}_{view}_{phase}" for code in codes for phase in ("ED", "ES")]


@pytest.mark.parametrize(("view", "name"), [("sa", "Dataset045_MNMs2SA"), ("la", "Dataset045_MNMs2LA")])
def test_a_view_lands_where_nnunet_looks(dataset, raw, view, name):
    assert run(dataset, view=view).exit_code == 0
    training, testing = cases(view.upper(), ("001", "002", "003")), cases(view.upper(), ("161", "201"))
    assert names(raw / name / "imagesTr") == [f"{case}_0000" for case in training]
    assert names(raw / name / "labelsTr") == training
    assert names(raw / name / "imagesTs") == [f"{case}_0000" for case in testing]
    assert names(raw / name / "labelsTs") == testing
    assert read_json(raw / name / "dataset.json")["labels"] == {"background": 0, "RV": 1, "MYO": 2, "LV": 3}


@pytest.mark.parametrize(("view", "folder"), [("SA", SHORT), ("LA", LONG)])
def test_voxels_survive_and_labels_become_canonical(dataset, raw, view, folder):
    run(dataset, view="both")
    image, spacing = read(raw / folder / "imagesTr" / f"002_{view}_ES_0000.nii.gz")
    labels, _ = read(raw / folder / "labelsTr" / f"002_{view}_ES.nii.gz")
    assert np.array_equal(image, grey_values("002", view)[2])
    source = labels_of(view, "ES")
    for canonical, value in ((1, 3), (2, 2), (3, 1)):
        assert np.array_equal(labels == canonical, source == value)
    assert spacing == pytest.approx((10.0, *SPACINGS[view][1:]))
    image = nib.load(raw / folder / "imagesTr" / f"002_{view}_ES_0000.nii.gz")
    assert np.array_equal(image.get_qform(), image.get_sform())


def test_both_views_are_two_data_sets_with_the_same_folds(dataset, raw):
    report = run(dataset, view="both")
    assert report.exit_code == 0
    assert "long axis: single slices are written 10 mm thick" in report.summary()
    splits = [read_json(raw / folder / "splits_final.json") for folder in (SHORT, LONG)]
    assert len(splits[0]) == 3
    short, long = ([{case[:3] for case in fold["val"]} for fold in found] for found in splits)
    assert short == long


def test_folds_stay_the_same_when_a_subject_fails_in_one_view(tmp_path, raw):
    dataset = write_dataset(tmp_path / "MnM2", numbers=range(1, 13), cine=False)
    (dataset / "dataset/004/004_LA_ED.nii.gz").write_bytes(b"")
    report = run(dataset, view="both")
    assert report.failures == ["004: 004_LA_ED.nii.gz: expected a NIfTI file, got 0 bytes"]
    splits = [read_json(raw / folder / "splits_final.json") for folder in (SHORT, LONG)]
    short, long = ([{case[:3] for case in fold["val"]} for fold in found] for found in splits)
    assert [fold - {"004"} for fold in short] == long


def test_nothing_is_converted_when_the_second_id_is_taken(dataset, raw):
    (raw / "Dataset046_Other").mkdir()
    with pytest.raises(UsageError, match=r"-d 46: expected a free id or that of Dataset046_MNMs2LA"):
        run(dataset, view="both")
    assert not (raw / SHORT).exists()


def test_the_case_table_tells_what_the_csv_says(dataset, raw):
    run(dataset, view="la")
    row = {row.case: row for row in read_case_table(raw / "Dataset045_MNMs2LA" / "cases.csv")}["002_LA_ES"]
    assert (row.subject, row.phase, row.group, row.vendor, row.part) == ("002", "ES", "NOR", "GE", "train")
    assert (row.spacing, row.slices, row.base_first) == ((10.0, 1.5, 1.25), 1, None)
    assert row.extra == {"official_part": "training", "scanner": "Scanner 2", "field_tesla": "1.5"}


def test_all_frames_of_both_views_go_into_a_folder_of_their_own(dataset, raw):
    run(dataset, view="both", frames="all")
    for view, folder in (("SA", SHORT), ("LA", LONG)):
        assert len(names(raw / folder / "imagesCine")) == 5 * 4
        image, spacing = read(raw / folder / "imagesCine" / f"201_{view}_frame01_0000.nii.gz")
        assert np.array_equal(image, grey_values("201", view)[1])
        assert spacing == pytest.approx((10.0, 1.5, 1.25))
        rows = read_case_table(raw / folder / "cases.csv")
        phases = {row.frame: row.phase for row in rows if row.subject == "201" and row.part == "cine"}
        assert phases == {0: "ED", 1: "", 2: "ES", 3: ""}


def test_validation_and_testing_may_train_too(tmp_path, raw):
    write_challenge(tmp_path / "MnM2")
    run(tmp_path / "MnM2", train_on="labelled")
    assert names(raw / SHORT / "labelsTr") == cases("SA", ("001", "002", "201"))
    assert names(raw / SHORT / "imagesTs") == [f"{case}_0000" for case in cases("SA", ("161",))]
    assert names(raw / SHORT / "labelsTs") == []


def test_a_second_run_converts_only_what_has_changed(dataset, raw):
    run(dataset, view="both")
    write_subject(dataset / "dataset" / "002", views=("LA",), cine=False)
    report = run(dataset, view="both")
    assert [result.unchanged for result in report.short_axis.results] == [True] * 5
    assert [result.unchanged for result in report.long_axis.results] == [True, False, True, True, True]


@pytest.mark.parametrize("broken", BROKEN_SUBJECTS, ids=lambda broken: broken.kind)
def test_a_broken_subject_is_reported_and_the_others_are_converted(broken, dataset, raw):
    broken.spoil(dataset)
    report = run(dataset, **options_of(broken))
    assert report.exit_code == 1
    assert len(report.failures) == 1
    assert report.failures[0].startswith("002: ")
    assert broken.message in report.failures[0]
    assert "\n" not in report.failures[0]
    folder = raw / report.folder.name
    assert {name[:3] for name in names(folder / "imagesTr")} == {"001", "003"}
    assert read_json(folder / "conversion_report.json")["failed"][0]["subject"] == "002"


def test_a_test_subject_with_labels_of_one_frame_only_is_reported(dataset, raw):
    BROKEN_TEST_SUBJECT.spoil(dataset)
    assert BROKEN_TEST_SUBJECT.message in run(dataset).failures[0]
    assert len(names(raw / SHORT / "imagesTs")) == 2


@pytest.mark.parametrize("broken", REPAIRED, ids=lambda broken: broken.kind)
def test_what_can_be_repaired_is_converted_and_noted(broken, dataset, raw):
    broken.spoil(dataset)
    report = run(dataset, **options_of(broken))
    assert report.failures == []
    assert any(broken.message in note for note in notes(raw / SHORT))
    image, spacing = read(raw / SHORT / "imagesTr" / "002_SA_ED_0000.nii.gz")
    assert np.array_equal(image, grey_values("002", "SA")[0])
    assert spacing == pytest.approx(SPACINGS["SA"])


def test_unknown_views_are_wrong_use(dataset, nnunet_root):
    with pytest.raises(UsageError, match="--view: expected sa, la or both, got 'xa'"):
        run(dataset, view="xa")


@pytest.mark.slow
def test_phantoms_convert_without_loss(tmp_path, raw):
    write_phantoms(tmp_path / "ph", subjects=2, validation=0, testing=1, cine_frames=3, workers=1, quiet=True)
    report = run(tmp_path / "ph", view="both", frames="all")
    assert report.exit_code == 0
    for dataset_id, folder in ((45, SHORT), (46, LONG)):
        found = check_dataset(dataset_id, integrity=False, workers=1, quiet=True)
        assert (found.problems, found.leaks) == ((), 0)
        assert all(case.compared for case in found.cases)
        assert len(found.cases) == 3 * 5
        assert {row.vendor for row in read_case_table(raw / folder / "cases.csv")} <= {"Siemens", "Philips", "GE"}


@pytest.mark.slow
def test_nnunet_plans_and_preprocesses_the_long_axis_in_two_dimensions(tmp_path, nnunet_root, monkeypatch):
    from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class

    options = {"validation": 0, "testing": 0, "view": "la", "cine_frames": 3}
    write_phantoms(tmp_path / "ph", subjects=3, workers=1, quiet=True, **options)
    run(tmp_path / "ph", dataset_id=46, view="la")
    monkeypatch.setenv("nnUNet_def_n_proc", "1")
    command = ("nnUNetv2_plan_and_preprocess", "-d", "46", "-c", "2d", "-npfp", "1", "-np", "1")
    subprocess.run(executable(command), check=True, capture_output=True)
    folder = nnunet_root / "preprocessed" / LONG
    plans = read_json(folder / "nnUNetPlans.json")
    assert plans["transpose_forward"] == [0, 1, 2]
    assert list(plans["configurations"]) == ["2d"]
    assert min(plans["configurations"]["2d"]["patch_size"]) >= 192
    data = infer_dataset_class(str(folder / "nnUNetPlans_2d"))(str(folder / "nnUNetPlans_2d"))
    for case in cases("LA", ("001", "002", "003")):
        image, labels, *_ = data.load_case(case)
        assert image.shape[:2] == labels.shape[:2] == (1, 1)
        assert min(image.shape[2:]) >= 150
        assert {1, 2, 3} <= set(np.unique(labels[:]))


@pytest.mark.real_data
def test_real_images_without_labels_become_test_cases(real_data, tmp_path, raw):
    folder = tmp_path / "test" / "201"
    folder.mkdir(parents=True)
    for phase in ("ed", "es"):
        for view, name in (("SA", "sax"), ("LA", "lax_4c")):
            shutil.copy(real_data / "mnms2" / f"{name}_{phase}.nii.gz", folder / f"201_{view}_{phase.upper()}.nii.gz")
    shutil.copy(real_data / "mnms2" / "dataset_information_sample.csv", tmp_path / "dataset_information.csv")
    assert run(tmp_path, view="both").exit_code == 0
    for name, view, data_set, spacing in (("sax", "SA", SHORT, (10, 1, 1)), ("lax_4c", "LA", LONG, (10, 1, 1))):
        image, found = read(raw / data_set / "imagesTs" / f"201_{view}_ES_0000.nii.gz")
        source = SimpleITK.ReadImage(real_data / "mnms2" / f"{name}_es.nii.gz")
        assert np.array_equal(image, SimpleITK.GetArrayFromImage(source))
        assert found == pytest.approx(spacing)


@pytest.mark.real_data
def test_the_official_columns_are_understood(real_data):
    from dataset_conversion.mnms2.information import find_table

    table = find_table([real_data / "mnms2"])
    assert len(table.rows) == 55
    information = table.of("186")
    assert (information.group, information.vendor, information.extra["field_tesla"]) == ("CIA", "GE", "3")
