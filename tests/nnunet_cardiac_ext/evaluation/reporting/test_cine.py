import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.reporting.cine import MOST_CURVES, volume_curves

HEADER = "subject,case,frame,lv_volume_ml,rv_volume_ml,myocardium_volume_ml,phase,remark\n"


def write(folder, subjects, volumes=(120, 80, 50, 90)):
    folder.mkdir(exist_ok=True)
    lines = [f"{s},{s}_frame{k},{k},{v},{v - 10},100,," for s in subjects for k, v in enumerate(volumes)]
    (folder / "curves.csv").write_text(HEADER + "\n".join(lines) + "\n")
    return folder


def test_curves_of_both_sides_are_drawn_and_told_in_words(tmp_path):
    measured = {"reference": write(tmp_path / "r", ["a"], (130, 60)), "prediction": write(tmp_path / "p", ["a"])}
    (item,), subjects = volume_curves(measured, [])
    assert (item["subject"], subjects) == ("a", 1)
    assert "LV reference 60 to 130 ml" in item["figure"]
    assert "RV prediction 40 to 110 ml" in item["figure"]
    assert "stroke-dasharray" in item["figure"]


def test_shown_subjects_come_first_and_not_all_are_drawn(tmp_path):
    names = [f"s{k:02d}" for k in range(MOST_CURVES + 5)]
    items, subjects = volume_curves({"prediction": write(tmp_path / "p", names)}, ["s12", "other"])
    assert [item["subject"] for item in items][:2] == ["s12", "s00"]
    assert len(items) == MOST_CURVES
    assert subjects == len(names)


def test_images_without_time_have_no_curves(tmp_path):
    assert volume_curves({"prediction": write(tmp_path / "p", [])}, []) == ([], 0)
    assert volume_curves({"prediction": tmp_path}, []) == ([], 0)
    assert volume_curves({}, []) == ([], 0)


def test_text_for_a_volume_is_one_line(tmp_path):
    (tmp_path / "curves.csv").write_text(HEADER + "a,a,0,much,1,1,,\n")
    with pytest.raises(UsageError, match=r"curves\.csv: expected a table of nnunet-cardiac measure, .*much"):
        volume_curves({"prediction": tmp_path}, [])
