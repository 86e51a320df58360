import re

import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.reporting import agreements
from nnunet_cardiac_ext.evaluation.tables import Evaluation


def evaluation(**columns):
    names = [f"{name}_{side}" for name in columns for side in ("reference", "prediction")]
    values = np.concatenate([np.array(pair, dtype=float) for pair in columns.values()])
    rows = [dict(zip(names, line, strict=True)) for line in values.T.tolist()]
    return Evaluation({"labels": {}, "by": []}, [], [], rows, {}, {})


def test_bias_and_limits_stand_in_the_figures_words():
    found = evaluation(lv_edv_ml=([100, 110, 120], [101, 112, 123]), lv_sv_ml=([1, 2, 3], [1, 2, 3]))
    (item,) = agreements.agreements(found)  # stroke volume is not drawn
    assert item["title"] == "LV EDV"
    assert item["agreement"].bias == pytest.approx(2)
    label = re.search('aria-label="([^"]*)"', item["difference"])[1]
    assert label == "LV EDV: difference over mean, bias +2.0 ml, limits +0.0 to +4.0 ml".replace("+0.0", "0.0")


def test_fractions_are_compared_in_points():
    found = evaluation(lv_edv_ml=([9, 9], [9, 9]), lv_ef_percent=([50, 60], [52, 61]))
    (item,) = agreements.ejection_fractions(found)
    assert item["agreement"].mean_absolute_error == pytest.approx(1.5)
    assert agreements.agreements(found)[1]["unit"] == "points"


def test_images_without_phases_are_compared_by_volume():
    found = evaluation(lv_volume_ml=([100, 110], [101, 112]), lv_mass_g=([90, 91], [90, 91]))
    assert [quantity.name for quantity in agreements.quantities(found)] == ["lv_volume", "lv_mass"]
    assert "end-diastole" not in agreements.quantities(found)[1].definition


def test_one_heart_has_no_agreement():
    assert agreements.agreements(evaluation(lv_edv_ml=([100], [101]))) == []
    assert agreements.quantities(Evaluation({}, [], [], [], {}, {})) == []
