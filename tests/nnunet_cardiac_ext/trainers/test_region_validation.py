"""From preprocessed slices to those of the file, the lines of the table and their scores."""

import numpy as np
import pytest
import SimpleITK
from helpers.label_stacks import heart
from helpers.tiny_plans import tiny_dataset_json, tiny_plans
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.data.whole_slices import UNKNOWN
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.region_extent import decode_extent
from nnunet_cardiac_ext.region_order import RegionOrder
from nnunet_cardiac_ext.region_table import RegionRow
from nnunet_cardiac_ext.regions import Region
from nnunet_cardiac_ext.trainers.region_validation import in_file, reference_regions, region_rows, summarise

NONE, BASE, MIDDLE, APEX = Region


def _transposed_plans():
    return PlansManager(tiny_plans() | {"transpose_forward": [1, 0, 2], "transpose_backward": [1, 0, 2]})


def test_slices_that_nnunet_cut_off_come_back_in_their_place():
    # Nine slices along the second axis of the file, of which the first two and the last are empty.
    image = np.random.default_rng(0).normal(10, 1, (1, 20, 9, 24))
    image[:, :, [0, 1, 8]] = 0
    plans, properties = _transposed_plans(), {"spacing": [1.5, 10.0, 1.5]}
    stack, _, properties = DefaultPreprocessor(verbose=False).run_case_npy(
        image, None, properties, plans, plans.get_configuration("2d"), tiny_dataset_json()
    )
    assert stack.shape[1] == 6
    assert in_file(np.arange(6), properties, -1).tolist() == [-1, -1, 0, 1, 2, 3, 4, 5, -1]
    probabilities = in_file(np.full((6, 4), 0.25, np.float32), properties, np.eye(4)[0])
    assert probabilities[[0, 1, 8]].tolist() == [[1, 0, 0, 0]] * 3
    assert probabilities[2:8].tolist() == [[0.25] * 4] * 6


def test_the_reference_is_read_along_the_axis_that_nnunet_puts_first(tmp_path):
    labels = np.concatenate([np.zeros((2, 24, 24), np.uint8), heart(slices=5)])
    labels[0, 0] = 4
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(labels.transpose(1, 0, 2)), str(tmp_path / "case.nii.gz"))
    found = reference_regions(tmp_path / "case.nii.gz", _transposed_plans(), CINE, ignore_label=4)
    assert found.tolist() == [UNKNOWN, 0, 1, 2, 2, 2, 3]


def test_a_missing_reference_is_named_in_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"case.nii.gz: expected the reference labels, which nnUNetv2_preprocess"):
        reference_regions(tmp_path / "case.nii.gz", _transposed_plans(), CINE)


PROBABILITIES = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.6, 0.1], [0.0, 0.5, 0.0, 0.5], [0.1, 0.1, 0.2, 0.6]])
ORDER = RegionOrder.estimate([np.array([0, 1, 2, 2, 3]), np.array([3, 2, 2, 1])])


def test_a_row_holds_the_most_probable_region_those_of_the_stack_and_the_reference():
    rows = region_rows("case", PROBABILITIES, ORDER, np.array([0, UNKNOWN, 2, 3]))
    assert [(row.case, row.slice, row.frame, row.used) for row in rows] == [("case", k, None, None) for k in range(4)]
    assert [row.predicted for row in rows] == [NONE, MIDDLE, BASE, APEX]
    assert [row.ordered for row in rows] == ORDER.decode(PROBABILITIES).regions.tolist()
    assert [row.extent for row in rows] == decode_extent(ORDER, PROBABILITIES).regions.tolist()
    assert [row.region for row in rows] == [NONE, None, MIDDLE, APEX]
    assert [list(row.probabilities) for row in rows] == PROBABILITIES.tolist()


def test_without_reference_the_region_is_open():
    assert {row.region for row in region_rows("case", PROBABILITIES, ORDER)} == {None}


def test_the_summary_scores_each_way_on_the_slices_that_have_a_reference():
    columns = zip(
        (NONE, None, MIDDLE, APEX),  # reference
        (NONE, MIDDLE, BASE, APEX),  # most probable
        (BASE, MIDDLE, MIDDLE, APEX),  # in order
        (NONE, BASE, MIDDLE, APEX),  # by extent
        strict=True,
    )
    summary = summarise(
        [
            RegionRow("case", k, None, (0.25,) * 4, said, ordered=ordered, extent=extent, region=region)
            for k, (region, said, ordered, extent) in enumerate(columns)
        ]
    )
    assert summary["slices_without_reference"] == 1
    accuracies = [summary[way]["accuracy"] for way in ("argmax", "ordered", "extent")]
    assert accuracies == pytest.approx([2 / 3, 2 / 3, 1])
    assert summary["argmax"]["confusion"]["middle"] == {"non-cardiac": 0, "base": 1, "middle": 0, "apex": 0}
    assert summary["ordered"]["confusion"]["non-cardiac"] == {"non-cardiac": 0, "base": 1, "middle": 0, "apex": 0}
    assert summary["argmax"]["recall"]["non-cardiac"] == summary["ordered"]["recall"]["middle"] == 1
