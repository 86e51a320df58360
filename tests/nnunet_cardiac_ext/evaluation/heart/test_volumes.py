import math

import numpy as np
import pytest
from helpers.ring_hearts import LABELS, LGE_LABELS, polar

from nnunet_cardiac_ext.evaluation.heart.volumes import image_numbers, structure_volumes


def test_volumes_are_voxels_times_their_size():
    array = np.array([[[0, 1, 1], [2, 3, 3]]], dtype=np.uint8)
    assert structure_volumes(array, (10.0, 2.0, 1.5), LABELS) == pytest.approx({"RV": 0.06, "MYO": 0.03, "LV": 0.06})


def test_lesions_in_closed_form():
    # Cylinder of 40 mm: wall from 20 to 30 mm, its inner half infarcted on one side, 1 mm of that no-reflow.
    radius, angle = polar((140, 140), (0.5, 0.5))
    side = angle < 180
    plane = np.select([radius < 20, radius < 30], [1, 2], 0)
    plane = np.where((plane == 2) & side & (radius < 25), np.where(radius < 21, 4, 3), plane)
    found = image_numbers(structure_volumes(np.stack([plane] * 4), (10.0, 0.5, 0.5), LGE_LABELS))
    wall = np.pi * (30**2 - 20**2) * 40 / 1000
    infarct = np.pi * (25**2 - 20**2) / 2 * 40 / 1000
    noreflow = np.pi * (21**2 - 20**2) / 2 * 40 / 1000
    assert found["myocardium_mass_g"] == pytest.approx(1.05 * wall, rel=0.01)
    assert found["infarct_mass_g"] == pytest.approx(1.05 * infarct, rel=0.01)
    assert found["infarct_percent_of_lv_mass"] == pytest.approx(22.5, abs=0.3)
    assert found["noreflow_mass_g"] == pytest.approx(1.05 * noreflow, rel=0.04)
    assert found["noreflow_percent_of_lv_mass"] == pytest.approx(4.1, abs=0.2)


def test_without_myocardium_the_percentages_are_undefined():
    found = image_numbers({"LV": 10.0, "MYO": 0.0, "INFARCT": 0.0, "NOREFLOW": 0.0})
    assert math.isnan(found["infarct_percent_of_lv_mass"])
    assert found["infarct_mass_g"] == 0


def test_a_mouse_heart_is_told_in_its_units():
    found = image_numbers({"MYO": 0.08})
    assert found["myocardium_volume_mm3"] == pytest.approx(80)
    assert found["myocardium_mass_mg"] == pytest.approx(84)
    assert "lv_volume_ml" not in found


def test_a_human_heart_is_not():
    assert list(image_numbers({"RV": 1.0, "MYO": 1.0, "LV": 1.0})) == [
        "lv_volume_ml", "rv_volume_ml", "myocardium_volume_ml", "myocardium_mass_g",
    ]  # fmt: skip
