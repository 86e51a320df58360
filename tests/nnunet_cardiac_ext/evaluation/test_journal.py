import os

import numpy as np
import pytest
from helpers.label_stacks import SPACING, heart

from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.evaluation.journal import Journal
from nnunet_cardiac_ext.evaluation.scoring import score_case
from nnunet_cardiac_ext.evaluation.scoring_settings import ScoringSettings

SETTINGS = ScoringSettings({"RV": 1, "MYO": 2, "LV": 3}, slices=True)


def score(case="a"):
    prediction = heart(shift=1)
    prediction[prediction == 1] = 0  # so that there are NaN among the numbers
    return score_case(
        case, heart(), prediction, spacing=SPACING, labels=SETTINGS.labels, settings=SETTINGS
    )  # fmt: skip


@pytest.fixture
def files(tmp_path):
    paths = tmp_path / "reference", tmp_path / "prediction"
    for path in paths:
        path.write_bytes(b"12345")
    return paths


def test_scores_come_back_as_they_were(tmp_path, files):
    Journal(tmp_path, "x").add(score(), files)
    (found,) = Journal(tmp_path, "x").scores(["a"])
    expected = score()
    assert repr((found.rows, found.slices, found.volumes)) == repr((expected.rows, expected.slices, expected.volumes))
    assert found.profiles.keys() == expected.profiles.keys()
    for name, profile in expected.profiles.items():
        np.testing.assert_array_equal(found.profiles[name], profile)


def test_a_case_is_known_until_one_of_its_files_changes(tmp_path, files):
    journal = Journal(tmp_path, "x")
    assert not journal.holds("a", files)
    journal.add(score(), files)
    assert journal.holds("a", files)
    assert not journal.holds("b", files)
    assert not journal.holds("a", files[::-1])
    os.utime(files[1], ns=(1, 1))
    assert not Journal(tmp_path, "x").holds("a", files)


def test_other_settings_know_nothing(tmp_path, files):
    Journal(tmp_path, "x").add(score(), files)
    assert not Journal(tmp_path, "y").holds("a", files)


@pytest.mark.parametrize("lost", [1, 40])
def test_a_line_that_was_cut_off_is_dropped_and_overwritten(tmp_path, files, lost):
    journal = Journal(tmp_path, "x")
    for case in ("a", "b"):
        journal.add(score(case), files)
    journal.path.write_bytes(journal.path.read_bytes()[:-lost])
    journal = Journal(tmp_path, "x")
    assert journal.holds("a", files)
    assert not journal.holds("b", files)
    journal.add(score("c"), files)
    assert [found.case for found in Journal(tmp_path, "x").scores(["c", "a"])] == ["c", "a"]


def test_a_file_changed_under_way_is_one_line(tmp_path, files):
    journal = Journal(tmp_path, "x")
    journal.add(score(), files)
    journal.path.write_text("other\n")
    with pytest.raises(WorkError, match=r"x\.jsonl: changed while it was in use"):
        list(journal.scores(["a"]))


def test_nothing_is_made_before_the_first_score_and_nothing_is_left(tmp_path, files):
    journal = Journal(tmp_path / "out", "x")
    journal.remove()
    assert not (tmp_path / "out").exists()
    journal.add(score(), files)
    Journal(tmp_path / "out", "y").remove()
    assert list((tmp_path / "out").iterdir()) == []
