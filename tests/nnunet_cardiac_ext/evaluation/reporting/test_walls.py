import csv
import re

import numpy as np
import pytest
from helpers.label_stacks import write_volume
from helpers.ring_hearts import ring_heart

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.heart.aha import SEGMENTS
from nnunet_cardiac_ext.evaluation.measure import measure
from nnunet_cardiac_ext.evaluation.reporting.walls import bullseyes

COLUMNS = ("case", "phase", "part", "segment", "name", "thickness_mm", "transmurality_mean_percent")


def write(folder, values, *, numbered=True, column="thickness_mm", phase="ED"):
    """`segments.csv` with one value for all segments of each case."""
    folder.mkdir(exist_ok=True)
    with (folder / "segments.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for case, value in values.items():
            for segment in SEGMENTS:
                number, name = (segment.number, segment.name) if numbered else ("", segment.image_name)
                writer.writerow({"case": case, "phase": phase, "part": "segment", "segment": number, "name": name,
                                 column: value + segment.number})  # fmt: skip
            writer.writerow({"case": case, "phase": phase, "part": "ring", "segment": "", "name": "basal", column: 999})
    return folder


def texts(figure):
    return re.findall(r"<title>(\d+), [^:]*: (\S+) ", figure)


def test_means_by_segment_of_both_sides_and_the_difference_of_common_cases(tmp_path):
    reference = write(tmp_path / "r", {"a": 1, "b": 3, "d": 9})
    prediction = write(tmp_path / "p", {"a": 2, "b": 4, "c": 20})
    (plot,) = bullseyes({"reference": reference, "prediction": prediction})
    assert plot["title"] == "Wall thickness at end-diastole"
    assert [(f["side"], f["n"]) for f in plot["figures"]] == [("reference", 2), ("prediction", 2), ("difference", 2)]
    assert ("1", "3.0") in texts(plot["figures"][0]["figure"])
    assert ("16", "19.0") in texts(plot["figures"][1]["figure"])
    assert {value for _, value in texts(plot["figures"][2]["figure"])} == {"+1.0"}
    assert "from 3.0 to 18.0 mm" in plot["figures"][0]["figure"]


def test_end_diastole_comes_first_and_even_walls_have_even_colours(tmp_path):
    folder = write(tmp_path / "p", {"a": 1}, phase="ES")
    lines = (folder / "segments.csv").read_text().splitlines()
    even = [line.replace("ES", "ED").rsplit(",", 2)[0] + ",9.1," for line in lines[1:]]
    (folder / "segments.csv").write_text("\n".join([*lines, *even]) + "\n")
    first, second = bullseyes({"prediction": folder})
    assert first["title"] == "Wall thickness at end-diastole"
    assert (first["figures"][0]["low"], first["figures"][0]["high"]) == ("8.1", "10.1")
    assert second["title"] == "Wall thickness at end-systole"


def test_sides_of_other_hearts_are_not_compared(tmp_path):
    reference, prediction = write(tmp_path / "r", {"a": 1}), write(tmp_path / "p", {"b": 1})
    assert bullseyes({"reference": reference, "prediction": prediction}) == []


def test_one_side_alone_has_one_figure(tmp_path):
    (plot,) = bullseyes({"prediction": write(tmp_path / "p", {"a": 1})})
    assert len(plot["figures"]) == 1


def test_sectors_of_the_image_keep_their_place_and_the_infarct_is_drawn(tmp_path):
    folder = write(tmp_path / "p", {"a": 10}, numbered=False, column="transmurality_mean_percent", phase="")
    (plot,) = bullseyes({"prediction": folder})
    assert plot["of_image"]
    assert plot["title"] == "Infarct transmurality"
    assert "basal, image 60 to 120 degrees: 11 %" in plot["figures"][0]["figure"]


def test_undefined_segments_are_left_out_of_means(tmp_path):
    folder = write(tmp_path / "p", {"a": float("nan"), "b": 4})
    (plot,) = bullseyes({"prediction": folder})
    assert ("1", "5.0") in texts(plot["figures"][0]["figure"])
    assert bullseyes({"prediction": write(tmp_path / "q", {"a": float("nan")})}) == []
    assert bullseyes({}) == []


def test_what_measure_writes_is_read(tmp_path):
    write_volume(tmp_path / "labels" / "a.nii.gz", ring_heart(wall=8.0), (8.0, 1.0, 1.0))
    measure(tmp_path / "labels", tmp_path / "m", workers=1, quiet=True)
    (plot,) = bullseyes({"prediction": tmp_path / "m"})
    values = [float(value) for _, value in texts(plot["figures"][0]["figure"])]
    assert len(values) == 16
    np.testing.assert_allclose(values, 8.0, atol=0.3)


def test_another_table_is_one_line(tmp_path):
    (tmp_path / "segments.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=r"segments\.csv: expected a table of nnunet-cardiac measure"):
        bullseyes({"prediction": tmp_path})
