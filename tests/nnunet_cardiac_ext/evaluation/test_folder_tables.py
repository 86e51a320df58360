import csv
import gc
import weakref

import pytest
from helpers.label_stacks import SPACING, heart

from nnunet_cardiac_ext.evaluation.folder_tables import write_tables
from nnunet_cardiac_ext.evaluation.scoring import score_case
from nnunet_cardiac_ext.evaluation.scoring_settings import ScoringSettings

SETTINGS = ScoringSettings({"RV": 1, "MYO": 2, "LV": 3}, slices=True)


def score(case):
    return score_case(case, heart(), heart(shift=1), spacing=SPACING, labels=SETTINGS.labels, settings=SETTINGS)


def read(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_no_more_than_one_other_case_is_held_at_a_time(tmp_path):
    alive, most = [], 0

    def scores():
        nonlocal most
        for number in range(6):
            made = score(f"case{number}")
            alive.append(weakref.ref(made))
            yield made
            del made
            gc.collect()
            most = max(most, sum(reference() is not None for reference in alive))

    write_tables(tmp_path, scores(), [], (), slices=True)
    assert most <= 1
    assert {row["case"] for row in read(tmp_path / "metrics.csv")} == {f"case{number}" for number in range(6)}


def test_every_row_is_written_as_it_is(tmp_path):
    write_tables(tmp_path, [score("a")], [], (), slices=True)
    expected = score("a")
    for name, rows in (("metrics.csv", expected.rows), ("slices.csv", expected.slices)):
        assert [list(row.values()) for row in read(tmp_path / name)] == [[str(cell) for cell in row] for row in rows]


def test_an_interruption_leaves_no_table_half_written(tmp_path):
    def scores():
        yield score("a")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_tables(tmp_path, scores(), [], (), slices=True)
    assert list(tmp_path.iterdir()) == []


def test_agreement_of_reference_and_prediction_stands_in_a_table_of_its_own(tmp_path):
    write_tables(tmp_path, (score(f"case{number}") for number in range(3)), [], (), slices=False)
    volumes = [float(row["lv_volume_ml_reference"]) for row in read(tmp_path / "clinical.csv")]
    row = next(row for row in read(tmp_path / "agreement.csv") if row["quantity"] == "lv_volume")
    assert (row["unit"], row["n"], float(row["bias"])) == ("ml", "3", 0)  # the prediction is only shifted
    assert volumes[0] > 0
