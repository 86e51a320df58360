import pytest
from helpers.label_stacks import write_volume
from helpers.ring_hearts import LABELS, LGE_LABELS, ring_heart

from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.evaluation.heart.images import group_by_heart
from nnunet_cardiac_ext.evaluation.heart.subject import measure_subject
from nnunet_cardiac_ext.evaluation.heart.tables import open_tables
from nnunet_cardiac_ext.files import read_csv


@pytest.fixture
def measured(tmp_path):
    write_volume(tmp_path / "in" / "a.nii.gz", ring_heart(slices=3), (8.0, 1.0, 1.0))
    (files,) = group_by_heart({"a": tmp_path / "in" / "a.nii.gz"}, [])
    return measure_subject(files, LABELS)


def test_lines_of_every_subject_stand_in_every_table(tmp_path, measured):
    with open_tables(tmp_path / "out", LABELS) as write:
        write(measured)
        write(measured)
    lines = {path.name: len(read_csv(path)) for path in (tmp_path / "out").iterdir()}
    assert lines == {"subjects.csv": 0, "volumes.csv": 2, "segments.csv": 40, "slices.csv": 6, "curves.csv": 0}


def test_a_table_without_lines_has_its_header(tmp_path):
    with open_tables(tmp_path, LGE_LABELS):
        pass
    header = {path.name: path.read_text().strip().split(",") for path in tmp_path.iterdir()}
    assert "lv_ef_percent" in header["subjects.csv"]
    assert {"infarct_percent_of_lv_mass", "wall_thickness_mm"} <= set(header["volumes.csv"])
    assert "transmurality_mean_percent" in header["segments.csv"]


def stopped(folder, measured):
    with open_tables(folder, LABELS) as write:
        write(measured)
        raise WorkError("stopped")


def test_nothing_appears_after_a_failure(tmp_path, measured):
    with pytest.raises(WorkError, match="stopped"):
        stopped(tmp_path / "out", measured)
    assert list((tmp_path / "out").iterdir()) == []
