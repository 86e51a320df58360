"""The whole conversion of M&Ms, in process; what all data sets share is tested on ACDC."""

import csv

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from helpers.acdc_files import SHAPE, SPACING, heart_labels, save_nifti
from helpers.broken_mnms import BROKEN_SUBJECTS, BROKEN_UNLABELLED, NO_VENDOR, NOTHING_TO_LEAVE_OUT, REPAIRED
from helpers.mnms_files import AXES, CSV_NAME, dataset_rows, row, write_dataset, write_rows, write_subject
from helpers.mnms_files import source_labels as labels_of_source
from helpers.small_vendors import small_vendors

from dataset_conversion import subject as subject_module
from dataset_conversion.checking import check_dataset
from dataset_conversion.mnms import convert
from nnunet_cardiac_ext.case_table import read_case_table
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json
from nnunet_cardiac_ext.phantoms.mnms import write_phantoms


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "OpenDataset")


@pytest.fixture
def folder(nnunet_root):
    return nnunet_root / "raw" / "Dataset114_MNMs"


def run(source, **options):
    return convert(source, 114, workers=1, quiet=True, **options)


def names(folder):
    return sorted(path.name.removesuffix(".nii.gz") for path in folder.iterdir()) if folder.exists() else []


def read(path):
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))


def notes(folder):
    return [note for case in read_json(folder / "conversion_report.json")["converted"] for note in case["notes"]]


def test_each_part_lands_in_its_folder(dataset, folder):
    assert run(dataset).exit_code == 0
    training = [f"{letter}0B1C2_{phase}" for letter in "ABC" for phase in ("ED", "ES")]
    testing = [f"{letter}0B1C2_{phase}" for letter in "EF" for phase in ("ED", "ES")]
    assert names(folder / "imagesTr") == [f"{case}_0000" for case in training]
    assert names(folder / "labelsTr") == training
    assert names(folder / "imagesTs") == [f"{case}_0000" for case in testing]
    assert names(folder / "labelsTs") == testing
    assert names(folder / "imagesUn") == ["D0B1C2_ED_0000", "D0B1C2_ES_0000"]
    assert read_json(folder / "dataset.json")["labels"] == {"background": 0, "RV": 1, "MYO": 2, "LV": 3}


@pytest.mark.parametrize("slices_along", [2, 1, 0])
@pytest.mark.parametrize("axes", AXES)
def test_frames_labels_and_positions_survive_every_orientation(tmp_path, folder, axes, slices_along):
    source = write_subject(tmp_path / "in" / "A0B1C2", ed=3, es=1, axes=AXES[axes], slices_along=slices_along)
    assert run(tmp_path / "in").exit_code == 0
    before = nib.load(source / "A0B1C2_sa.nii.gz")
    for phase, frame, shrink in (("ED", 3, 0), ("ES", 1, 1)):
        image = nib.load(folder / "imagesTr" / f"A0B1C2_{phase}_0000.nii.gz")
        expected = np.moveaxis(np.asarray(before.dataobj)[..., frame], slices_along, 2)
        assert np.array_equal(np.asarray(image.dataobj), expected)
        assert image.header.get_zooms() == pytest.approx(SPACING[::-1])
        labels = read(folder / "labelsTr" / f"A0B1C2_{phase}.nii.gz")
        assert np.array_equal(labels, heart_labels(shrink=shrink))
        assert labels.dtype == np.uint8
    # Voxels lie where they lay.
    column, line, slice_ = 5, 7, 3
    place = [column, line]
    place.insert(slices_along, slice_)
    here = nib.affines.apply_affine(image.affine, [column, line, slice_])
    assert here == pytest.approx(nib.affines.apply_affine(before.affine, place), abs=1e-4)


@pytest.mark.parametrize(("axes", "slices_along"), [("LPS", 2), ("PIR", 2), ("PIL", 0)])
def test_the_reader_that_nnunet_is_told_to_use_has_the_slices_first(tmp_path, folder, axes, slices_along):
    from nnunetv2.imageio.reader_writer_registry import determine_reader_writer_from_dataset_json as chosen_reader

    write_subject(tmp_path / "in" / "A0B1C2", axes=AXES[axes], slices_along=slices_along)
    run(tmp_path / "in")
    file = str(folder / "imagesTr" / "A0B1C2_ED_0000.nii.gz")
    image, properties = chosen_reader(read_json(folder / "dataset.json"), file, verbose=False)().read_images([file])
    assert image.shape == (1, *SHAPE)
    assert properties["spacing"] == pytest.approx(SPACING)


def test_the_table_tells_frame_vendor_and_the_way_of_the_stack(dataset, folder):
    run(dataset)
    rows = {row.case: row for row in read_case_table(folder / "cases.csv")}
    case = rows["F0B1C2_ES"]
    assert (case.phase, case.frame, case.vendor, case.centre, case.part) == ("ES", 2, "GE", "4", "test")
    assert (case.extra["official_part"], case.extra["vendor_letter"]) == ("testing", "C")
    assert (case.base_first, case.slices, case.spacing) == (True, SHAPE[0], SPACING)
    assert rows["D0B1C2_ED"].part == "unlabelled"


def test_all_frames_go_into_a_folder_of_their_own(dataset, folder):
    run(dataset, frames="all")
    assert len(names(folder / "imagesCine")) == 6 * 4
    frames = nib.load(dataset / "Testing/F0B1C2/F0B1C2_sa.nii.gz").get_fdata().T
    assert np.array_equal(read(folder / "imagesCine" / "F0B1C2_frame03_0000.nii.gz"), frames[3])


def test_the_first_release_is_converted(tmp_path, folder):
    for phase, shrink in (("ED", 0), ("ES", 1)):
        stem = tmp_path / "in" / "A0B1C2" / f"A0B1C2_sa_{phase}"
        save_nifti(stem.with_name(f"{stem.name}.nii.gz"), heart_labels().astype(np.int16))
        save_nifti(stem.with_name(f"{stem.name}_gt.nii.gz"), labels_of_source(shrink=shrink))
    write_rows(tmp_path / "in" / "info.csv", [row("A0B1C2", ed=24, es=9)])
    assert run(tmp_path / "in").exit_code == 0
    assert np.array_equal(read(folder / "labelsTr" / "A0B1C2_ES.nii.gz"), heart_labels(shrink=1))
    assert [row.frame for row in read_case_table(folder / "cases.csv")] == [24, 9]


def test_folds_are_even_over_the_vendors(tmp_path, folder):
    codes = [f"{chr(65 + number)}0B1C2" for number in range(12)]
    for code in codes:
        write_subject(tmp_path / "in" / code)
    rows = [row(code, vendor="AB"[n % 2], group=("NOR", "DCM", "HCM")[n % 3]) for n, code in enumerate(codes)]
    write_rows(tmp_path / "in" / CSV_NAME, rows)
    vendor = {cells["External code"]: cells["Vendor"] for cells in rows}
    for seed in range(4):  # one seed alone may come out even by chance
        run(tmp_path / "in", folds=3, seed=seed, overwrite_splits=True)
        for fold in read_json(folder / "splits_final.json"):
            vendors = [vendor[case[:6]] for case in fold["val"] if case.endswith("ED")]
            assert sorted(vendors) == ["A", "A", "B", "B"]


@pytest.mark.parametrize(("column", "left_out"), [("vendor", "E F BC A"), ("centre", "A B C F E")])
def test_one_vendor_or_centre_is_left_out_per_fold(dataset, folder, column, left_out):
    report = run(dataset, leave_out=column)
    assert report.exit_code == 0
    assert names(folder / "imagesTs") == []
    found = [sorted({case[0] for case in fold["val"]}) for fold in read_json(folder / "splits_final.json")]
    assert found == [list(letters) for letters in left_out.split()]
    assert all(len(fold["train"]) + len(fold["val"]) == 10 for fold in report.splits)


def test_leaving_out_of_the_official_training_part_alone_is_possible(dataset, folder):
    run(dataset, leave_out="vendor", train_on="training")
    assert len(read_json(folder / "splits_final.json")) == 2
    assert len(names(folder / "labelsTs")) == 4


def test_leaving_out_needs_several_vendors_and_a_known_column(dataset, nnunet_root):
    with pytest.raises(UsageError, match="--leave-out: expected vendor or centre, got 'sex'"):
        run(dataset, leave_out="sex")
    NOTHING_TO_LEAVE_OUT.spoil(dataset)
    with pytest.raises(UsageError, match=NOTHING_TO_LEAVE_OUT.message):
        run(dataset, leave_out="vendor")


def test_a_subject_of_unknown_vendor_cannot_be_left_out(dataset, folder):
    NO_VENDOR.spoil(dataset)
    report = run(dataset, leave_out="vendor")
    assert report.failures == [f"B0B1C2: {NO_VENDOR.message}"]
    assert [sorted({case[0] for case in fold["val"]}) for fold in report.splits] == [["E"], ["F"], ["C"], ["A"]]


@pytest.mark.parametrize("broken", BROKEN_SUBJECTS + BROKEN_UNLABELLED, ids=lambda broken: broken.kind)
def test_a_broken_subject_is_reported_and_the_others_are_converted(broken, dataset, folder):
    broken.spoil(dataset)
    report = run(dataset)
    victim = "D0B1C2" if broken in BROKEN_UNLABELLED else "B0B1C2"
    assert report.exit_code == 1
    (failure,) = report.failures
    assert failure.startswith(f"{victim}: ")
    assert broken.message in failure
    assert "\n" not in failure
    written = {name[:6] for part in ("Tr", "Ts", "Un") for name in names(folder / f"images{part}")}
    assert written == {f"{letter}0B1C2" for letter in "ABCDEF"} - {victim}


@pytest.mark.parametrize("broken", REPAIRED, ids=lambda broken: broken.kind)
def test_what_can_be_settled_is_noted(broken, dataset, folder):
    broken.spoil(dataset)
    assert run(dataset).exit_code == 0
    assert any(broken.message in note for note in notes(folder))
    assert np.array_equal(read(folder / "labelsTr" / "B0B1C2_ED.nii.gz"), heart_labels())
    assert check_dataset(114, workers=1, quiet=True, integrity=False).problems == ()


def test_a_subject_whose_csv_row_was_mended_is_converted_again(dataset, folder):
    write_rows(dataset / CSV_NAME, dataset_rows(row("B0B1C2", es=3)))
    run(dataset)
    assert any("the csv says ED 0 and ES 3" in note for note in notes(folder))
    write_rows(dataset / CSV_NAME, dataset_rows(row("B0B1C2")))
    report = run(dataset)
    assert [result.subject for result in report.results if not result.unchanged] == ["B0B1C2"]
    assert notes(folder) == []
    assert all(result.unchanged for result in run(dataset).results)


def test_a_flat_copy_killed_at_an_unlabelled_subject_resumes(tmp_path, folder, monkeypatch):
    write_subject(tmp_path / "in" / "A0B1C2", labelled=False)
    write_rows(tmp_path / "in" / CSV_NAME, [row("A0B1C2")])
    real = subject_module.write_json

    def killed(path, content):
        if "digest" in content:
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(subject_module, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "in")
    assert len(names(folder / "imagesUn")) == 2
    monkeypatch.setattr(subject_module, "write_json", real)
    assert run(tmp_path / "in").exit_code == 0
    assert len(names(folder / "imagesUn")) == 2
    assert [entry["labels"] for entry in read_json(folder / "conversion_report.json")["converted"]] == [None, None]


def test_the_phantom_comes_out_with_its_true_frames_and_volumes(tmp_path, folder):
    options = {"subjects": 5, "unlabelled": 0, "validation": 1, "testing": 0, "cine_frames": 4}
    with small_vendors():
        truths = write_phantoms(tmp_path / "in", workers=1, quiet=True, **options)
    assert run(tmp_path / "in").exit_code == 0
    rows = {row.case: row for row in read_case_table(folder / "cases.csv")}
    for truth in truths:
        for phase, frame, lv in (("ED", truth.ed, truth.lv_ed_ml), ("ES", truth.es, truth.lv_es_ml)):
            case = rows[f"{truth.subject}_{phase}"]
            assert (case.frame, case.base_first) == (frame, not truth.apex_first)
            assert case.extra["vendor_letter"] == truth.vendor
            labels = folder / ("labelsTr" if case.part == "train" else "labelsTs") / f"{case.case}.nii.gz"
            assert (read(labels) == 3).sum() * np.prod(case.spacing) / 1000 == pytest.approx(lv, rel=0.04, abs=1)
    assert sum("the csv says" in note for note in notes(folder)) == 2 * sum(
        (truth.csv_ed, truth.csv_es) != (truth.ed, truth.es) for truth in truths
    )


@pytest.mark.real_data
def test_volumes_of_real_subjects_are_those_of_the_golden_contours(real_data, folder):
    """reference/mnms_predictions holds the contours of the four subjects as three-dimensional files."""
    assert run(real_data / "mnms", frames="all").exit_code == 0
    assert check_dataset(114, workers=1, quiet=True, integrity=False).problems == ()
    with (real_data / "reference" / "mnms_metrics.csv").open() as stream:
        table = [(r["Name"], r["ED/ES"], r["Vendor"], r["Centre"]) for r in csv.DictReader(stream)]
    rows = {row.case: row for row in read_case_table(folder / "cases.csv")}
    assert len(table) == 8
    for name, phase, vendor, centre in table:
        case = rows[f"{name.split('_')[0]}_{phase}"]
        assert (case.extra["vendor_letter"], case.centre) == (vendor, centre)
        reference = nib.load(real_data / "reference" / "mnms_predictions" / f"{name}.nii.gz")
        contours, voxel = np.asarray(reference.dataobj), np.prod(reference.header.get_zooms())
        written = SimpleITK.ReadImage(folder / "labelsTs" / f"{case.case}.nii.gz")
        labels, own_voxel = SimpleITK.GetArrayFromImage(written), np.prod(written.GetSpacing())
        for value, own in ((1, 3), (2, 2), (3, 1)):
            volume = (contours == value).sum() * voxel
            assert (labels == own).sum() * own_voxel == pytest.approx(volume, rel=1e-6)
