import numpy as np

from dataset_conversion.emidec.clinical import COLUMNS, read_clinical
from nnunet_cardiac_ext.phantoms.lge_clinical import clinical_text


def texts(tmp_path, infarct_percent, count=60):
    rng = np.random.default_rng(0)
    for _ in range(count):
        path = tmp_path / "Case P001.txt"
        path.write_bytes(clinical_text("Case P001", slice_distance=13, infarct_percent=infarct_percent, rng=rng))
        yield read_clinical(path)


def numbers(rows, column):
    return np.array([float(row[column]) for row in rows if row[column]])


def test_text_is_latin_1_with_the_spaces_of_the_official_files():
    text = clinical_text("Case N003", slice_distance=10, infarct_percent=0, rng=np.random.default_rng(1))
    lines = text.split(b"\r\n")
    assert lines[0] == b"Case N003"
    assert lines[2].startswith(b"Gap between slices\xa0: 10 mm")
    assert lines[3][:5] == b"Sex\xa0:"


def test_the_converter_understands_every_line(tmp_path):
    rows = list(texts(tmp_path, 20))
    for column in COLUMNS.values():
        assert any(row[column] for row in rows)
    assert any(not value for row in rows for value in row.values())
    assert {row["tobacco"] for row in rows} <= {"1", "2", "3", ""}


def test_a_large_infarct_costs_ejection_fraction_and_raises_markers(tmp_path):
    normal, large = (list(texts(tmp_path, percent)) for percent in (0, 45))
    assert numbers(normal, "lvef_percent").mean() > numbers(large, "lvef_percent").mean() + 15
    assert np.median(numbers(large, "troponin")) > 10 * np.median(numbers(normal, "troponin"))
    assert np.median(numbers(large, "nt_probnp")) > np.median(numbers(normal, "nt_probnp"))
