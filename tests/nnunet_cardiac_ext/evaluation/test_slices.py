import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.mask_pair import MaskPair
from nnunet_cardiac_ext.evaluation.slices import slice_rows
from nnunet_cardiac_ext.regions import Region

SPACING = (10.0, 2.0, 1.5)
REGIONS = np.array([Region.NON_CARDIAC, Region.BASE, Region.MIDDLE, Region.APEX])
THIRDS = np.array([Region.NON_CARDIAC, Region.BASE, Region.APEX, Region.APEX])


def rows():
    reference, prediction = np.zeros((2, 4, 6, 6), dtype=bool)
    reference[1, 2, 2:4] = prediction[1, 4, 2:4] = True
    reference[2, 2, 2:4] = prediction[2, 2, 3:5] = True
    prediction[3, 0, 0] = True
    return list(slice_rows("a", "LV", MaskPair(reference, prediction, SPACING), REGIONS, THIRDS))


def test_every_slice_has_a_row_with_its_regions():
    assert [(row.slice, row.region, row.third) for row in rows()] == [
        (0, "non-cardiac", "non-cardiac"), (1, "base", "base"), (2, "middle", "apex"), (3, "apex", "apex"),
    ]  # fmt: skip


def test_numbers_by_hand():
    _, second, third, _ = rows()
    assert (second.dice, second.hd_mm) == (0, 4)  # two rows of 2 mm away
    assert (third.dice, third.hd_mm) == (0.5, 1.5)
    assert second.reference_area_mm2 == second.predicted_area_mm2 == pytest.approx(2 * 3)
    assert second.reason == third.reason == ""


def test_undefined_numbers_say_why():
    first, _, _, last = rows()
    assert np.isnan([first.dice, first.hd_mm, last.hd_mm]).all()
    assert first.reason == "absent in reference and prediction"
    assert (last.dice, last.reason) == (0, "absent in reference")
    assert (last.reference_area_mm2, last.predicted_area_mm2) == (0, 3)
