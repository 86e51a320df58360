import numpy as np
import pytest

from dataset_conversion.images import SourceError
from dataset_conversion.mouse.labels import without_pool


def test_the_blood_pool_becomes_background():
    labels = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8)
    kept = without_pool("a", labels)
    assert kept.tolist() == [[0, 1, 0], [0, 1, 0]]
    assert kept.dtype == np.uint8


def test_numbers_that_are_not_whole_stay_for_the_check_that_names_them():
    labels = np.array([0.999, np.nan, 1.998, 2.0, 1.0])
    assert without_pool("a", labels) == pytest.approx([0.999, np.nan, 1.998, 0.0, 1.0], nan_ok=True)


def test_another_value_is_a_failure():
    with pytest.raises(SourceError, match=r"a: expected labels \[0, 1, 2\], got also \[-1, 5\]"):
        without_pool("a", np.array([0, 5, -1, 2], dtype=np.int16))
