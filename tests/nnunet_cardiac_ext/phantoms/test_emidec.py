import csv
import shutil

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.phantoms.emidec import TESTING_FOLDER, TRAINING_FOLDER, write_phantoms


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("emidec")
    return folder, write_phantoms(folder, subjects=3, testing=1, seed=4, workers=1, quiet=True)


def image_of(folder, case, kind="Images", part=TRAINING_FOLDER):
    return nib.load(folder / part / case / kind / f"{case}.nii.gz")


def test_layout_is_emidecs_own(written):
    folder, _ = written
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.is_file()}
    assert names == {
        "phantoms.json", "truth.csv",
        *(f"{TRAINING_FOLDER}/Case_{n}/{kind}/Case_{n}.nii.gz"
          for n in ("P001", "P002", "N003") for kind in ("Images", "Contours")),
        *(f"{TRAINING_FOLDER}/Case {n}.txt" for n in ("P001", "P002", "N003")),
        f"{TESTING_FOLDER}/Case_101/Images/Case_101.nii.gz", f"{TESTING_FOLDER}/Case 101.txt",
    }  # fmt: skip


def test_header_has_the_defect_of_emidec(written):
    folder, _ = written
    header = image_of(folder, "Case_P001").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 2)
    assert np.array_equal(header.get_sform(), np.diag([-1, -1, 1, 1]))
    path = folder / TRAINING_FOLDER / "Case_P001" / "Images" / "Case_P001.nii.gz"
    assert SimpleITK.ReadImage(path).GetSpacing() == pytest.approx(header.get_zooms())
    assert header.get_zooms()[2] in (10, 13)


def test_images_are_doubles_and_contours_of_either_type(written):
    folder, _ = written
    assert image_of(folder, "Case_P001").get_data_dtype() == np.float64
    kinds = {image_of(folder, case, "Contours").get_data_dtype().name for case in ("Case_P001", "Case_P002")}
    assert kinds == {"float64", "uint8"}


def test_truth_agrees_with_the_contours(written):
    folder, truths = written
    for truth in truths[:3]:
        contours = image_of(folder, truth.case, "Contours")
        labels, ml = np.asarray(contours.dataobj), np.prod(contours.header.get_zooms()) / 1000
        assert (labels == 1).sum() * ml == pytest.approx(truth.lv_ml, rel=0.01)
        assert (labels >= 2).sum() * ml * 1.05 == pytest.approx(truth.mass_g, rel=0.02)
        assert (labels >= 3).sum() * ml * 1.05 == pytest.approx(truth.infarct_g, rel=0.06, abs=0.3)
        assert (labels == 4).sum() * ml * 1.05 == pytest.approx(truth.no_reflow_g, rel=0.15, abs=0.3)
        assert truth.infarct_percent == pytest.approx(truth.infarct_g / truth.mass_g * 100)
    with (folder / "truth.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["case"] for row in rows] == ["Case_P001", "Case_P002", "Case_N003", "Case_101"]
    assert [row["part"] for row in rows] == ["training"] * 3 + ["testing"]


def test_normal_cases_have_no_infarct(written):
    truth = written[1][2]
    assert (truth.group, truth.infarct_g, truth.no_reflow_g, truth.territory) == ("N", 0, 0, "")
    assert np.isnan(truth.transmurality_percent)


def test_number_of_workers_changes_nothing(written, tmp_path):
    folder, truths = written
    again = write_phantoms(tmp_path, subjects=3, testing=1, seed=4, workers=2, quiet=True)
    assert [truth.case for truth in again] == [truth.case for truth in truths]
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes()


def test_a_run_that_lost_a_case_goes_on_to_the_same_files(tmp_path):
    options = {"subjects": 2, "testing": 0, "seed": 4, "workers": 1, "quiet": True}
    first = write_phantoms(tmp_path, **options)
    folder = tmp_path / TRAINING_FOLDER
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.nii.gz")}
    shutil.rmtree(folder / "Case_P002")
    assert write_phantoms(tmp_path, **options) == first
    for path, (content, stamp) in before.items():
        assert path.read_bytes() == content
        assert (path.stat().st_mtime_ns == stamp) is ("Case_P001" in path.name)


def test_no_subjects_at_all_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="subjects: expected at least 1, got 0"):
        write_phantoms(tmp_path, subjects=0, workers=1, quiet=True)
