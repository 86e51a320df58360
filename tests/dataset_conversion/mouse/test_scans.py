from pathlib import Path

import pytest

from dataset_conversion.cases import VolumeFile
from dataset_conversion.mouse.scans import Frame, Scan, Visit, plain, subjects_of, visit_of

SOURCE = Path("source")


def scan(visit, *numbers, file="a.h5"):
    image = VolumeFile(SOURCE / file)
    return Scan(visit, (SOURCE / file,), tuple(Frame(number, "", image, image) for number in numbers))


@pytest.mark.parametrize(
    ("place", "visit"),
    [
        ("m1.mat", Visit("m1")),
        ("m1_day7.mat", Visit("m1", "day7")),
        ("WT_12.mat", Visit("WT_12")),
        ("_pre.mat", Visit("_pre")),
        ("m1/day7.mat", Visit("m1", "day7")),
        ("m1/scan/d1.mat", Visit("m1", "scan_d1")),
    ],
)
def test_the_place_of_a_file_tells_whose_scan_it_is(place, visit):
    assert visit_of(SOURCE / place, SOURCE) == visit


def test_names_of_files_hold_letters_digits_and_hyphens():
    assert plain("Gal3 -/- #7_b") == "Gal3-7-b"
    assert Visit("m 1", "day_7").name == "m-1_day-7"


def test_scans_of_one_name_are_a_problem_because_their_cases_would_overwrite_each_other():
    scans = [scan(Visit("m 1"), 0), scan(Visit("m-1"), 0, file="b.h5"), scan(Visit("m2"), 0)]
    found = {subject.name: subject for subject in subjects_of(scans, SOURCE)}
    assert found["m-1"].problem == "expected one scan of this name, found a.h5, b.h5"
    assert found["m-1"].cases == ()
    assert (found["m2"].problem, [case.row.case for case in found["m2"].cases]) == ("", ["m2_frame00"])


def test_an_animal_in_two_groups_leaves_out_all_its_scans_and_nobody_else():
    scans = [scan(Visit("m1", "pre", "WT"), 0), scan(Visit("m1", "day7", "KO"), 0), scan(Visit("m2", "pre", "KO"), 0)]
    problems = {subject.name: subject.problem for subject in subjects_of(scans, SOURCE)}
    assert problems["m1_pre"] == problems["m1_day7"] == "expected one group per animal, got 'KO' and 'WT'"
    assert problems["m2_pre"] == ""
