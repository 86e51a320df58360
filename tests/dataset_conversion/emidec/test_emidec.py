"""The whole conversion of EMIDEC, in process."""

import os
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from helpers.broken_emidec import BROKEN_CASES, ODD_BUT_GOOD
from helpers.emidec_files import SPACING, TRAINING, lge_labels, write_case, write_database

from dataset_conversion.emidec import REGION_LABELS, convert
from dataset_conversion.splits import leaks
from nnunet_cardiac_ext.case_table import read_case_table
from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json
from nnunet_cardiac_ext.phantoms.emidec import write_phantoms


@pytest.fixture
def database(tmp_path):
    return write_database(tmp_path / "download")


@pytest.fixture
def folder(nnunet_root):
    return nnunet_root / "raw" / "Dataset115_EMIDEC"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def array(path):
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))


def test_images_and_labels_land_where_nnunet_looks(database, folder):
    assert convert(database, 115, workers=1, quiet=True).exit_code == 0
    assert names(folder / "labelsTr") == ["Case_N003.nii.gz", "Case_P001.nii.gz", "Case_P002.nii.gz"]
    assert names(folder / "imagesTr") == ["Case_N003_0000.nii.gz", "Case_P001_0000.nii.gz", "Case_P002_0000.nii.gz"]
    assert names(folder / "imagesTs") == ["Case_101_0000.nii.gz"]
    assert names(folder / "labelsTs") == []


@pytest.mark.parametrize("case", ["Case_P001", "Case_P002"])  # contours in float64 and in uint8
def test_voxels_labels_and_spacing_survive(database, folder, case):
    convert(database, 115, workers=1, quiet=True)
    before = np.asarray(nib.load(database / TRAINING / case / "Images" / f"{case}.nii.gz").dataobj).T
    written = SimpleITK.ReadImage(folder / "imagesTr" / f"{case}_0000.nii.gz")
    assert np.array_equal(SimpleITK.GetArrayFromImage(written), before)
    assert written.GetSpacing() == pytest.approx(SPACING[::-1])
    assert np.array_equal(array(folder / "labelsTr" / f"{case}.nii.gz"), lge_labels())


def test_the_wrong_affine_is_noted_once_for_each_file(database, folder):
    convert(database / TRAINING, 115, workers=1, quiet=True)
    entry = next(e for e in read_json(folder / "conversion_report.json")["converted"] if e["case"] == "Case_P001")
    said = "Case_P001.nii.gz: affine says 1x1x1 mm, pixdim 1.25x1.5x13 mm: pixdim is used"
    assert entry["notes"] == [f"Images/{said}", f"Contours/{said}"]


def test_every_reader_of_nnunet_finds_the_spacing_that_the_official_affine_hides(database, folder):
    from nnunetv2.imageio.nibabel_reader_writer import NibabelIO, NibabelIOWithReorient
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO, SimpleITKIOWithReorient

    def spacings(path):
        readers = (NibabelIO, NibabelIOWithReorient, SimpleITKIO, SimpleITKIOWithReorient)
        return [sorted(reader().read_images([str(path)])[1]["spacing"]) for reader in readers]

    convert(database, 115, workers=1, quiet=True)
    official = next(database.rglob("Images/Case_P001.nii.gz"))
    assert [1, 1, 1] in spacings(official)
    assert all(found == pytest.approx(sorted(SPACING)) for found in spacings(folder / "imagesTr/Case_P001_0000.nii.gz"))


def test_dataset_json_tells_lge_labels(database, folder):
    convert(database, 115, workers=1, quiet=True)
    content = read_json(folder / "dataset.json")
    assert content["labels"] == {"background": 0, "LV": 1, "MYO": 2, "INFARCT": 3, "NOREFLOW": 4}
    assert content["channel_names"] == {"0": "LGE"}
    assert "regions_class_order" not in content


def test_case_table_tells_group_base_and_clinical_data(tmp_path, folder):
    write_case(tmp_path / "in" / "Case_P001")
    write_case(tmp_path / "in" / "Case_P063", apex_first=False)
    convert(tmp_path / "in", 115, workers=1, quiet=True)
    rows = {row.case: row for row in read_case_table(folder / "cases.csv")}
    row = rows["Case_P001"]
    assert (row.subject, row.phase, row.frame, row.group, row.part) == ("Case_P001", "", None, "P", "train")
    assert (row.spacing, row.slices) == (SPACING, 5)
    assert (row.base_first, rows["Case_P063"].base_first) == (False, True)
    assert (row.extra["age"], row.extra["tobacco"], row.extra["lvef_percent"]) == ("65", "3", "55")


def test_folds_are_by_patient_and_even_in_both_groups(tmp_path, folder):
    write_database(tmp_path / "in", pathological=10, normal=5, testing=0)
    report = convert(tmp_path / "in", 115, workers=1, quiet=True)
    assert len(report.splits) == 5
    for fold in report.splits:
        assert sorted(case[5] for case in fold["val"]) == ["N", "P", "P"]
    assert leaks(report.splits, {row.case: row.subject for row in report.rows}) == 0


def test_slices_are_cases_and_the_leak_is_told(database, nnunet_root):
    report = convert(database, 116, split="slices", workers=1, quiet=True)
    folder = nnunet_root / "raw" / "Dataset116_EMIDECSlices"
    assert report.exit_code == 0
    assert len(names(folder / "imagesTr")) == 3 * 5
    assert names(folder / "imagesTs") == ["Case_101_0000.nii.gz"]
    assert array(folder / "imagesTs" / "Case_101_0000.nii.gz").shape == (5, 24, 20)
    for index, expected in enumerate(lge_labels()):
        assert np.array_equal(array(folder / "labelsTr" / f"Case_P001_z{index:02d}.nii.gz"), expected[None])
    assert [len(report.splits), len(report.splits[0]["val"])] == [1, 2]
    remark = "--split slices: slices of the same patients are in training and validation, as in paper 001"
    assert remark in report.summary()
    assert read_json(folder / "conversion_report.json")["remarks"][0].startswith(remark)
    assert "subjects on both sides of one" in report.summary()


def test_voxels_of_all_slices_add_up_to_the_stacks(database, nnunet_root):
    whole = convert(database, 115, workers=1, quiet=True)
    single = convert(database, 116, split="slices", workers=1, quiet=True)

    def voxels(report):
        return {name: sum(case.voxels.get(name, 0) for case in report.cases) for name in ("LV", "MYO", "INFARCT")}

    assert voxels(whole) == voxels(single)
    assert voxels(whole)["INFARCT"] > 0


def test_each_way_to_convert_needs_an_id_of_its_own(database, nnunet_root):
    convert(database, 115, workers=1, quiet=True)
    with pytest.raises(UsageError, match="expected a free id or that of Dataset115_EMIDECRegions"):
        convert(database, 115, regions=True, workers=1, quiet=True)
    with pytest.raises(UsageError, match="expected a free id or that of Dataset115_EMIDECSlices"):
        convert(database, 115, split="slices", workers=1, quiet=True)


def test_an_unknown_split_is_wrong_use(database, nnunet_root):
    with pytest.raises(UsageError, match="--split: expected patients or slices, got 'voxels'"):
        convert(database, 115, split="voxels", workers=1, quiet=True)


def test_regions_turn_probabilities_back_into_the_labels(database, nnunet_root):
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    convert(database, 117, regions=True, workers=1, quiet=True)
    content = read_json(nnunet_root / "raw" / "Dataset117_EMIDECRegions" / "dataset.json")
    manager = LabelManager(content["labels"], regions_class_order=content["regions_class_order"])
    assert manager.has_regions
    assert manager.foreground_regions == [(1,), (2, 3, 4), (3, 4), (4,)]
    assert manager.all_labels == [0, 1, 2, 3, 4]
    labels = lge_labels()
    probabilities = np.stack([np.isin(labels, values) * 0.8 + 0.1 for values in REGION_LABELS.values()])
    assert np.array_equal(manager.convert_probabilities_to_segmentation(probabilities), labels)


def test_of_two_regions_that_claim_a_voxel_the_inner_one_wins(database, nnunet_root):
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    convert(database, 117, regions=True, workers=1, quiet=True)
    content = read_json(nnunet_root / "raw" / "Dataset117_EMIDECRegions" / "dataset.json")
    manager = LabelManager(content["labels"], regions_class_order=content["regions_class_order"])
    claims = {"LV": (1, 1, 1, 0, 0), "WHOLE_MYO": (0, 1, 1, 1, 0), "WHOLE_INFARCT": (0, 0, 1, 1, 1),
              "NOREFLOW": (0, 0, 0, 1, 0)}  # fmt: skip
    probabilities = np.array([claims[name] for name in content["labels"] if name != "background"], dtype=float)
    assert manager.convert_probabilities_to_segmentation(probabilities[..., None]).ravel().tolist() == [1, 2, 3, 4, 3]


@pytest.mark.parametrize("broken", BROKEN_CASES, ids=lambda broken: broken.kind)
def test_a_broken_case_is_reported_and_the_others_are_converted(broken, database, folder):
    broken.spoil(database)
    report = convert(database, 115, workers=1, quiet=True)
    assert report.exit_code == broken.exit_code
    (line,) = report.failures
    assert line.startswith("Case_P002: ")
    assert broken.message in line
    assert "\n" not in line
    assert names(folder / "labelsTr") == ["Case_N003.nii.gz", "Case_P001.nii.gz"]
    assert read_json(folder / "dataset.json")["numTraining"] == 2


@pytest.mark.parametrize("broken", BROKEN_CASES, ids=lambda broken: broken.kind)
def test_a_broken_case_is_one_failure_of_its_slices_too(broken, database, nnunet_root):
    broken.spoil(database)
    report = convert(database, 115, split="slices", workers=1, quiet=True)
    (line,) = report.failures
    assert line.startswith("Case_P002: ")
    assert {row.subject for row in report.rows if row.part == "train"} == {"Case_P001", "Case_N003"}


@pytest.mark.parametrize("odd", ODD_BUT_GOOD, ids=lambda odd: odd.kind)
def test_what_can_be_repaired_or_left_out_is_accepted(odd, database, folder):
    odd.spoil(database)
    report = convert(database, 115, workers=1, quiet=True)
    assert report.failures == []
    assert len(names(folder / "imagesTr")) == 3


def test_odd_text_keeps_what_it_says(database, folder):
    ODD_BUT_GOOD[-1].spoil(database)
    convert(database, 115, workers=1, quiet=True)
    extra = next(row.extra for row in read_case_table(folder / "cases.csv") if row.case == "Case_P002")
    assert (extra["troponin"], extra["lvef_percent"], extra["nt_probnp"]) == ("1.1", "", "")
    assert extra["age"] == "65"


def test_a_second_run_converts_only_what_has_changed(database, folder):
    convert(database, 115, workers=1, quiet=True)
    os.utime(database / TRAINING / "Case_P002" / "Contours" / "Case_P002.nii.gz", (1, 1))
    text = database / TRAINING / "Case N003.txt"
    text.write_bytes(text.read_bytes().replace(b"65", b"66"))
    report = convert(database, 115, workers=1, quiet=True)
    assert [result.subject for result in report.results if not result.unchanged] == ["Case_N003", "Case_P002"]


def test_worker_processes_give_the_same_files(database, nnunet_root):
    def written():
        convert(database, 120, regions=True, split="slices", workers=len(runs) + 1, quiet=True)
        files = (nnunet_root / "raw").rglob("*.nii.gz")
        return {path.name: path.read_bytes() for path in files}

    runs = []
    for _ in range(2):
        runs.append(written())
        (nnunet_root / "raw").rename(nnunet_root / f"raw{len(runs)}")
        (nnunet_root / "raw").mkdir()
    assert runs[0] == runs[1]
    assert len(runs[0]) == 2 * 3 * 5 + 1


def test_the_command_converts_regions_and_slices(database, nnunet_root, capsys):
    source = ["-i", str(database), "-np", "1", "--quiet"]
    assert main(["convert", "emidec", *source, "-d", "118", "--split", "slices", "--regions"]) == 0
    assert "Dataset118_EMIDECSlicesRegions: 15 train, 1 test cases of 4 subjects" in capsys.readouterr().out


def test_importing_the_converter_loads_no_torch():
    code = "import sys, dataset_conversion.emidec; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_phantom_converts_to_its_true_masses(tmp_path, folder):
    truths = write_phantoms(tmp_path / "phantom", subjects=3, testing=1, seed=5, workers=1, quiet=True)
    report = convert(tmp_path / "phantom", 115, workers=1, quiet=True)
    assert report.exit_code == 0
    rows = {row.case: row for row in report.rows}
    voxels = {case.row.case: case.voxels for case in report.cases}
    for truth in truths[:3]:
        ml = np.prod(rows[truth.case].spacing) / 1000
        assert voxels[truth.case]["LV"] * ml == pytest.approx(truth.lv_ml, rel=0.02)
        found = (voxels[truth.case]["INFARCT"] + voxels[truth.case]["NOREFLOW"]) * ml * 1.05
        assert found == pytest.approx(truth.infarct_g, rel=0.06, abs=0.3)
        assert rows[truth.case].base_first is not truth.apex_first
        assert rows[truth.case].group == truth.group
    assert rows["Case_101"].part == "test"


@pytest.mark.slow
def test_nnunet_plans_and_preprocesses_slices_with_regions(tmp_path, nnunet_root):
    write_database(tmp_path / "in", pathological=3, normal=2, testing=0)
    report = convert(tmp_path / "in", 119, regions=True, split="slices", workers=1, quiet=True)
    code = (
        "import sys\n"
        "from nnunetv2.experiment_planning.plan_and_preprocess_entrypoints import plan_and_preprocess_entry as run\n"
        "sys.argv = 'x -d 119 -c 2d -np 1 -npfp 1 --verify_dataset_integrity'.split()\n"
        "if __name__ == '__main__': run()\n"
    )
    (tmp_path / "plan.py").write_text(code)
    subprocess.run([sys.executable, tmp_path / "plan.py"], check=True, capture_output=True)
    done = nnunet_root / "preprocessed" / report.folder.name / "nnUNetPlans_2d"
    assert len(list(done.glob("*.b2nd"))) == 2 * len(report.rows)


@pytest.mark.real_data
def test_real_cases_keep_their_voxels_and_one_runs_from_the_base(real_data, folder):
    report = convert(real_data / "emidec", 115, workers=1, quiet=True)
    assert report.exit_code == 0
    assert sum(row.slices for row in report.rows) == 431
    assert [row.case for row in report.rows if row.base_first] == ["Case_P063"]
    assert sorted(row.group for row in report.rows) == ["N"] * 20 + ["P"] * 40
    for case in report.cases[::10]:
        name = case.row.case
        before = np.asarray(nib.load(real_data / "emidec" / name / "Contours" / f"{name}.nii.gz").dataobj)
        assert list(case.voxels.values()) == [int((before == value).sum()) for value in (1, 2, 3, 4)]


@pytest.mark.real_data
def test_an_original_case_keeps_pixdim_and_clinical_data(real_data, folder):
    convert(real_data / "emidec_original", 115, workers=1, quiet=True)
    (row,) = read_case_table(folder / "cases.csv")
    assert row.spacing == (13, 1.40625, 1.40625)
    assert (row.extra["age"], row.extra["lvef_percent"], row.extra["slice_distance_mm"]) == ("65", "55", "13")
    written = array(folder / "labelsTr" / "Case_P100.nii.gz")
    before = nib.load(real_data / "emidec_original" / "Case_P100" / "Contours" / "Case_P100.nii.gz")
    assert np.array_equal(written, np.asarray(before.dataobj).T)
