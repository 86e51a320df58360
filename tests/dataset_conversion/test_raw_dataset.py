import pytest

from dataset_conversion.raw_dataset import RawDataset, open_dataset, require_own_files
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError


@pytest.fixture
def dataset(nnunet_root):
    return open_dataset("Hearts", 12)


def test_files_lie_where_nnunet_looks_by_part(dataset, nnunet_root):
    assert dataset.folder == nnunet_root / "raw" / "Dataset012_Hearts"
    train, test, cine = (CaseRow("a_frame01", "a", part=part) for part in ("train", "test", "cine"))
    assert dataset.image(train) == dataset.folder / "imagesTr" / "a_frame01_0000.nii.gz"
    assert dataset.labels(train) == dataset.folder / "labelsTr" / "a_frame01.nii.gz"
    assert dataset.image(test) == dataset.folder / "imagesTs" / "a_frame01_0000.nii.gz"
    assert dataset.labels(test) == dataset.folder / "labelsTs" / "a_frame01.nii.gz"
    assert dataset.image(cine) == dataset.folder / "imagesCine" / "a_frame01_0000.nii.gz"


def test_files_of_the_desktop_do_no_harm_unless_nnunet_would_read_them(dataset):
    own = dataset.folder / "imagesTr" / "a_0000.nii.gz"
    for path in (own, own.with_name(".DS_Store"), own.with_name("Thumbs.db")):
        path.write_bytes(b"")
    assert dataset.files() == [own]
    require_own_files(dataset, [own], ["a"], dataset.folder)
    own.with_name("._a_0000.nii.gz").write_bytes(b"")  # nnU-Net would take it for a case
    with pytest.raises(UsageError, match=r"found imagesTr.\._a_0000\.nii\.gz"):
        require_own_files(dataset, [own], ["a"], dataset.folder)


def test_left_overs_of_a_killed_run_are_cleared_away_and_nothing_else(dataset):
    partial, hidden = (dataset.folder / "labelsTr" / name for name in (".0a1b2c3d.a.nii.gz", ".DS_Store"))
    state = dataset.states / ".0a1b2c3d.a.json"
    for path in (partial, hidden, state):
        path.write_bytes(b"")
    open_dataset("Hearts", 12)
    assert (partial.exists(), hidden.exists(), state.exists()) == (False, True, False)


def test_foreign_files_and_subjects_are_counted(dataset, tmp_path):
    for name in ("b", "c"):
        (dataset.folder / "imagesTr" / f"{name}_0000.nii.gz").write_bytes(b"")
    with pytest.raises(UsageError, match=r"found imagesTr.b_0000\.nii\.gz and 1 more; give the folder"):
        require_own_files(dataset, [], [], tmp_path)
    dataset.state("d").write_text("{}")
    with pytest.raises(UsageError, match=r"expected only what comes from .*, found d; give the folder"):
        require_own_files(dataset, dataset.files(), ["a"], tmp_path)


def test_finished_subjects_are_those_with_a_state(tmp_path):
    assert RawDataset(tmp_path).finished_subjects() == []
    (tmp_path / ".conversion").mkdir()
    for name in ("p2.json", "p1.json", ".0a1b2c3d.p3.json"):
        (tmp_path / ".conversion" / name).write_text("{}")
    assert RawDataset(tmp_path).finished_subjects() == ["p1", "p2"]
