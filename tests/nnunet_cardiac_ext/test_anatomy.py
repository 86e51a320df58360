"""Canonical labels and the way to them."""

import numpy as np
import pytest

from nnunet_cardiac_ext.anatomy import CINE, LGE, MOUSE


def test_the_canonical_values_are_those_of_the_house():
    assert dict(CINE.values) == {"background": 0, "RV": 1, "MYO": 2, "LV": 3}
    assert dict(LGE.values) == {"background": 0, "LV": 1, "MYO": 2, "INFARCT": 3, "NOREFLOW": 4}
    assert dict(MOUSE.values) == {"background": 0, "MYO": 1}


def test_structures_leave_the_background_out():
    assert CINE.structures == ("RV", "MYO", "LV")


def test_remap_swaps_the_order_of_mnms():
    labels = np.array([[0, 1, 2, 3]])
    mapped = CINE.remap(labels, {"LV": 1, "MYO": 2, "RV": 3})
    assert mapped.tolist() == [[0, 3, 2, 1]]
    assert mapped.dtype == np.uint8


def test_remap_refuses_a_label_that_the_source_does_not_name():
    with pytest.raises(ValueError, match=r"expected labels \[0, 1, 2, 3\], got also \[4\]"):
        CINE.remap(np.array([0, 4]), {"LV": 1, "MYO": 2, "RV": 3})
