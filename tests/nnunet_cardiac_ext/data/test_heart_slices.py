"""Height, centre and size of the left ventricle in each slice."""

import numpy as np
import pytest
from helpers.emidec_files import lge_labels
from helpers.tiny_dataset import CASES, write_preprocessed_dataset
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2

from nnunet_cardiac_ext.anatomy import CINE, LGE, MOUSE
from nnunet_cardiac_ext.data.heart_slices import HeartSlice, Partners, heart_slices, hearts_of, left_ventricle_labels
from nnunet_cardiac_ext.errors import UsageError


def test_cavity_and_wall_are_the_left_ventricle():
    assert left_ventricle_labels(LGE) == (1, 2, 3, 4)
    assert sorted(left_ventricle_labels(CINE)) == [2, 3]
    assert left_ventricle_labels(MOUSE) == (1,)


def test_height_runs_from_base_to_apex_whichever_comes_first():
    for apex_first in (True, False):
        heights = [each.height for each in heart_slices(lge_labels(apex_first=apex_first), LGE)]
        expected = [1, 0.75, 0.5, 0.25, 0] if apex_first else [0, 0.25, 0.5, 0.75, 1]
        assert heights == expected


def test_centre_and_radius_by_hand():
    labels = np.zeros((3, 6, 6), dtype=np.int16)
    labels[1, 2, 1], labels[1, 2, 5] = 1, 3  # the centre is (2, 3), both pixels are 2 away
    (found,) = heart_slices(labels, LGE)
    assert found == HeartSlice(1, 0.5, (2.0, 3.0), 2.0)


def test_the_right_ventricle_and_what_is_outside_count_for_nothing():
    labels = np.full((2, 6, 6), -1)
    labels[0, 0] = CINE.values["RV"]
    assert heart_slices(labels, CINE) == ()
    labels[1, 2:4, 2:4] = CINE.values["MYO"]
    (found,) = heart_slices(labels, CINE)
    assert (found.index, found.height, found.centre) == (1, 0.5, (2.5, 2.5))


def test_a_single_pixel_has_no_size():
    labels = np.zeros((2, 4, 4), dtype=np.uint8)
    labels[0, 1, 1] = 2
    assert heart_slices(labels, LGE) == ()


def test_the_hearts_of_preprocessed_cases(nnunet_root):
    folder = write_preprocessed_dataset(nnunet_root)
    hearts = hearts_of(nnUNetDatasetBlosc2(str(folder / "nnUNetPlans_2d")), CINE)
    assert sorted(hearts) == list(CASES)
    for slices in hearts.values():
        assert [each.index for each in slices] == [1, 2, 3, 4, 5]
        assert [each.height for each in slices] == [0, 0.25, 0.5, 0.75, 1]
        assert np.all(np.diff([each.radius for each in slices]) < 0)


def slices_at(*heights):
    return tuple(HeartSlice(index, height, (0.0, 0.0), 1.0) for index, height in enumerate(heights))


def test_partners_come_from_other_cases_at_similar_height_all_equally_often():
    partners = Partners({"a": slices_at(0.5), "b": slices_at(0.4, 0.6, 1), "c": slices_at(0.55)}, tolerance=0.1)
    np.random.seed(0)  # noqa: NPY002
    drawn = [partners.draw("a", 0.5) for _ in range(900)]
    counts = {}
    for case, each in drawn:
        counts[case, each.height] = counts.get((case, each.height), 0) + 1
    assert sorted(counts) == [("b", 0.4), ("b", 0.6), ("c", 0.55)]
    assert all(abs(count - 300) < 60 for count in counts.values())


def test_without_a_slice_at_similar_height_there_is_no_partner():
    partners = Partners({"a": slices_at(0, 1), "b": slices_at(0.5)}, tolerance=0.1)
    assert partners.draw("a", 0.0) is None
    assert partners.draw("b", 0.5) is None


def test_a_single_heart_is_refused():
    with pytest.raises(UsageError, match=r"^pathology mixup: expected at least two training cases"):
        Partners({"a": slices_at(0.5), "b": ()}, tolerance=0.1)
