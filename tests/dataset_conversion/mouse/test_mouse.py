"""The whole conversion of mouse scans, in process."""

import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from helpers.broken_mouse import BROKEN_HDF5, BROKEN_LISTING, BROKEN_SEGMENT, write_scans
from helpers.mouse_files import (
    ANNOTATED,
    SPACING,
    circle,
    grey_values,
    long_axis_fields,
    masks,
    radii,
    stack_fields,
    write_listing,
    write_mice,
    write_v5,
    write_v73,
)

from dataset_conversion.mouse import convert
from dataset_conversion.splits import leaks
from nnunet_cardiac_ext.case_table import read_case_table
from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.errors import CardiacError, UsageError
from nnunet_cardiac_ext.files import read_json


@pytest.fixture
def folder(nnunet_root):
    return nnunet_root / "raw" / "Dataset030_Mouse"


def converted(source, **options):
    return convert(source, 30, workers=1, quiet=True, **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def array(path):
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))


def test_annotated_frames_of_hdf5_files_become_cases_without_the_blood_pool(tmp_path, folder):
    report = converted(write_mice(tmp_path / "in"))
    assert report.exit_code == 0
    assert names(folder / "imagesTr") == [f"Mouse{n}_frame{f:02d}_0000.nii.gz" for n in (1, 2, 3) for f in ANNOTATED]
    assert np.array_equal(array(folder / "imagesTr" / "Mouse2_frame03_0000.nii.gz"), grey_values(2)[3])
    assert np.array_equal(array(folder / "labelsTr" / "Mouse2_frame03.nii.gz"), masks(0.88)[3] == 1)
    assert read_json(folder / "dataset.json")["labels"] == {"background": 0, "MYO": 1}
    assert "doi:10.1016/j.jocmr.2026.102706" in read_json(folder / "dataset.json")["reference"]


def test_the_spacing_that_hdf5_files_lack_is_said_and_can_be_given(tmp_path, folder):
    report = converted(write_mice(tmp_path / "in"))
    assert "spacing of 3 scans that hold none: 1 x 0.1 x 0.1 mm assumed, as published" in report.summary()
    assert read_json(folder / "conversion_report.json")["remarks"] == report.remarks
    report = converted(tmp_path / "in", spacing=(0.8, 0.13, 0.125))
    assert "0.8 x 0.13 x 0.125 mm, as given" in report.summary()
    image = SimpleITK.ReadImage(folder / "labelsTr" / "Mouse1_frame00.nii.gz")
    assert image.GetSpacing() == pytest.approx((0.125, 0.13, 0.8))
    assert not any(result.unchanged for result in report.results)


def test_contours_of_segment_become_masks(tmp_path, folder):
    report = converted(write_scans(tmp_path / "in"))
    assert report.exit_code == 0
    rows = {row.case: row for row in read_case_table(folder / "cases.csv")}
    scans = ("m1_day7", "m1_pre", "m2_pre", "m3_pre")
    assert sorted(rows) == [f"{scan}_frame{frame:02d}" for scan in scans for frame in (1, 4)]
    row = rows["m1_day7_frame04"]
    assert (row.subject, row.phase, row.frame, row.extra) == ("m1", "ES", 4, {"time_point": "day7"})
    assert (row.spacing, row.slices, row.base_first) == (SPACING, 4, True)
    expected = np.stack([masks()[3, k] == 1 for k in range(4)])
    difference = array(folder / "labelsTr" / "m1_day7_frame04.nii.gz") != expected
    assert difference.mean() < 0.01  # voxel centres against shares of voxels: they differ at outlines only
    image = grey_values(1)[3].astype(np.float64) / 4000
    assert array(folder / "imagesTr" / "m1_day7_frame04_0000.nii.gz") == pytest.approx(image, abs=1e-6)


def test_two_contoured_stacks_of_a_file_are_told_apart(tmp_path, folder):
    write_v73(tmp_path / "in" / "m1_pre.mat", stack_fields(1), long_axis_fields(), stack_fields(2))
    assert converted(tmp_path / "in").exit_code == 0
    assert names(folder / "labelsTr") == [f"m1_pre_stack{n}_frame{f:02d}.nii.gz" for n in (1, 3) for f in (1, 4)]
    second = array(folder / "imagesTr" / "m1_pre_stack3_frame01_0000.nii.gz")
    assert second == pytest.approx(grey_values(2)[0] / 4000, abs=1e-6)


def test_a_listing_gives_group_and_folds_by_animal(tmp_path, folder):
    animals = tuple(f"m{number}" for number in range(10))
    report = converted(write_listing(tmp_path / "in", animals=animals, time_points=("pre", "day7")))
    assert report.exit_code == 0
    assert "40 train cases of 10 subjects in 20 scans" in report.summary()
    rows = {row.case: row for row in read_case_table(folder / "cases.csv")}
    assert (rows["m1_day7_frame03"].group, rows["m1_day7_frame03"].frame) == ("KO", 3)
    splits = read_json(folder / "splits_final.json")
    assert len(splits) == 5
    assert leaks(splits, {case: row.subject for case, row in rows.items()}) == 0
    for fold in splits:
        assert sorted({rows[case].group for case in fold["val"]}) == ["KO", "WT"]
        assert len(fold["val"]) == 8


def test_a_listing_may_name_files_that_lie_elsewhere(tmp_path, folder):
    source = write_listing(tmp_path / "data", animals=("m1",), time_points=("pre",))
    listed = (source / "scans.csv").read_text().replace("nifti/", f"{source}/nifti/")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "mine.csv").write_text(listed)
    assert converted(tmp_path / "lists" / "mine.csv").exit_code == 0
    place = f"{source}/nifti/m1_pre_3.nii.gz"
    assert read_case_table(folder / "cases.csv")[1].source == place
    assert read_json(folder / "conversion_report.json")["converted"][1]["image"]["file"] == place


def test_partition_keeps_each_animal_on_one_side_and_tests_one_part(tmp_path, folder):
    source = write_listing(tmp_path / "in", animals=tuple(f"m{n}" for n in range(6)), time_points=("pre",))
    report = converted(source, partition="2:1:1")
    rows = {row.case: row for row in read_case_table(folder / "cases.csv")}
    (fold,) = read_json(folder / "splits_final.json")
    sides = [{rows[case].subject for case in cases} for cases in fold.values()]
    sides.append({row.subject for row in rows.values() if row.part == "test"})
    assert all(sides)
    assert sum(len(side) for side in sides) == 6 == len(set.union(*sides))
    assert len(names(folder / "labelsTs")) == 2 * len(sides[2])
    assert "val: " in report.summary()
    assert "Kolmogorov-Smirnov" in report.summary()


def test_prepared_training_cases_are_cropped_and_test_cases_are_not(tmp_path, folder):
    converted(write_mice(tmp_path / "in", animals=4), prepare="paper", crop=28, partition="2:1:1")
    parts = {row.case: row for row in read_case_table(folder / "cases.csv")}
    for case, row in parts.items():
        kind = "imagesTr" if row.part == "train" else "imagesTs"
        image = nib.load(folder / kind / f"{case}_0000.nii.gz")
        # Three gaps of 1 mm hold 18 steps of 0.16 mm.
        assert image.shape == ((28, 28, 19) if row.part == "train" else (32, 40, 19))
        assert (row.spacing, row.slices) == ((0.16, 0.1, 0.1), 19)


def test_the_crop_stays_where_it_was_in_millimetres(tmp_path, folder):
    converted(write_mice(tmp_path / "in", animals=1), crop=24)
    small = SimpleITK.ReadImage(folder / "labelsTr" / "Mouse1_frame00.nii.gz")
    whole = masks(0.84)[0] == 1
    for index in ((0, 0, 0), (23, 5, 3)):
        x, y, z = small.TransformIndexToPhysicalPoint(index)
        k, row, column = round(z / 1.0), round(y / 0.1), round(x / 0.1)
        assert small[index] == whole[k, row, column]
    assert array(folder / "labelsTr" / "Mouse1_frame00.nii.gz").sum() == whole.sum()


@pytest.mark.parametrize(
    ("write", "broken", "victim"),
    [(write_mice, broken, "Mouse2") for broken in BROKEN_HDF5]
    + [(write_scans, broken, "m2_pre") for broken in BROKEN_SEGMENT]
    + [(lambda root: write_listing(root, time_points=("pre",)), broken, "m2_pre") for broken in BROKEN_LISTING],
    ids=lambda value: value.kind if hasattr(value, "kind") else "",
)
def test_a_broken_scan_is_one_line_and_the_others_are_converted(write, broken, victim, tmp_path, nnunet_root, capsys):
    source = write(tmp_path / "in")
    broken.spoil(source)
    command = ["convert", "mouse", "-i", str(source), "-d", "30", "-np", "1", "--quiet", *broken.options]
    assert main(command) == broken.exit_code
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == bool(broken.message)
    assert all(broken.message in line for line in lines)
    folder = nnunet_root / "raw" / "Dataset030_Mouse"
    if broken.exit_code == 1:
        assert lines[0].startswith(f"nnunet-cardiac: {victim}: ")
        left = {path.name.rsplit("_frame", 1)[0] for path in folder.glob("images*/*")}
        assert left
        assert victim not in left
        (failed,) = read_json(folder / "conversion_report.json")["failed"]
        assert failed["subject"] == victim
    assert not [path for path in folder.glob("*/.*") if path.is_file()]


def test_a_second_run_converts_only_what_has_changed(tmp_path, folder):
    source = write_scans(tmp_path / "in")
    converted(source, prepare="paper", crop=24)
    write_v5(source / "m3_pre.mat", stack_fields(9))
    report = converted(source, prepare="paper", crop=24)
    assert [result.subject for result in report.results if not result.unchanged] == ["m3_pre"]
    report = converted(source, prepare="paper", crop=26)
    assert not any(result.unchanged for result in report.results)


def test_worker_processes_give_the_same_files(tmp_path, folder, nnunet_root):
    source = write_mice(tmp_path / "in", animals=3)
    converted(source, partition="1:1:1")
    alone = {path.name: path.read_bytes() for path in folder.rglob("*.nii.gz")}
    for part in ("raw", "preprocessed"):
        (nnunet_root / part).rename(nnunet_root / f"{part}_alone")
    convert(source, 30, partition="1:1:1", workers=2, quiet=True)
    assert {path.name: path.read_bytes() for path in folder.rglob("*.nii.gz")} == alone


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prepare": "own"}, "--prepare: expected none or paper, got 'own'"),
        ({"slice_spacing": 0.0}, "--slice-spacing: expected a positive number of mm, got 0"),
        ({"crop": 0}, "--crop: expected a positive number of pixels, got 0"),
        ({"spacing": (1, 0.1)}, "--spacing: expected three positive numbers of mm, got 1 0.1"),
        ({"partition": "7:2:x"}, "--partition: expected shares train:val:test such as 700:200:214"),
        ({"partition": "1:1:1"}, "--partition: expected at least 3 animals with labels, got 2"),
        ({"folds": 1}, "--folds: expected at least 2"),
    ],
)
def test_options_that_make_no_sense_are_wrong_use(options, message, tmp_path, folder):
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        converted(write_mice(tmp_path / "in", animals=2), **options)
    assert not folder.exists()


def test_an_unwritable_output_is_one_line(tmp_path, nnunet_root):
    (nnunet_root / "raw").rmdir()
    (nnunet_root / "raw").write_text("a file")
    with pytest.raises(CardiacError, match=r"Dataset030_Mouse: cannot be written \(Not a directory\)"):
        converted(write_mice(tmp_path / "in", animals=1))


def test_myocardial_volume_of_circles_survives_conversion(tmp_path, folder):
    write_v5(tmp_path / "in" / "m1.mat")
    converted(tmp_path / "in")
    voxels = array(folder / "labelsTr" / "m1_frame01.nii.gz").sum()
    exact = sum(np.pi * (outer**2 - inner**2) for inner, outer in (radii(k, 0) for k in range(4)))
    assert voxels == pytest.approx(exact, rel=0.01)
    assert len(circle(1.0)[0]) == 80


def test_importing_the_converter_loads_no_torch():
    code = "import sys, dataset_conversion.mouse; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
