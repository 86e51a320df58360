import pytest
from helpers.label_stacks import write_study

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.measure import measure
from nnunet_cardiac_ext.evaluation.reporting.heart_numbers import heart_numbers


@pytest.fixture
def measured(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=2)
    for side, folder in (("reference", reference), ("prediction", prediction)):
        measure(folder, tmp_path / side, workers=1, quiet=True)
    return {side: tmp_path / side for side in ("reference", "prediction")}


def test_numbers_of_hearts_with_both_sides(measured):
    found = heart_numbers(measured)
    assert (found.of, found.sides) == ("subjects", ("reference", "prediction"))
    rows = {row["title"]: row for row in found.rows}
    # Both hearts are alike, so there is no spread; without height and weight there is no index.
    assert rows["LV EF"]["unit"] == "%"
    assert rows["LV EF"]["sides"][0].n == 2
    assert rows["LV EF"]["ranges"][0] == pytest.approx([rows["LV EF"]["sides"][0].mean] * 2)
    assert "LV EDV index" not in rows


def test_hearts_that_one_side_lacks_do_not_count(measured):
    path = measured["prediction"] / "subjects.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:2]) + "\n")
    assert [found.n for found in heart_numbers(measured).rows[0]["sides"]] == [1, 1]


def test_images_without_a_phase_have_volumes(tmp_path):
    reference, _ = write_study(tmp_path, subjects=1)
    (tmp_path / "cases.csv").unlink()
    measure(reference, tmp_path / "m", workers=1, quiet=True)
    found = heart_numbers({"prediction": tmp_path / "m"})
    assert found.of == "images"
    assert found.rows[0]["title"] == "LV volume"
    assert found.rows[0]["sides"][0].n == 2


def test_nothing_measured_gives_nothing():
    assert heart_numbers({}) is None


def test_text_for_a_number_is_one_line(measured):
    path = measured["prediction"] / "subjects.csv"
    lines = path.read_text().splitlines()
    subject, *others = lines[1].split(",")
    path.write_text("\n".join([lines[0], ",".join([subject, *("x" for _ in others)])]) + "\n")
    with pytest.raises(UsageError, match=r"subjects\.csv: expected numbers"):
        heart_numbers(measured)
