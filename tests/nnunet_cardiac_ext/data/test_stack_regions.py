"""Regions of preprocessed stacks, and which label map a data set has."""

import numpy as np
import pytest
from helpers.tiny_dataset import CASES, write_preprocessed_dataset
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2

from nnunet_cardiac_ext.anatomy import CINE, LGE, MOUSE
from nnunet_cardiac_ext.data.stack_regions import each_stack, label_map_of, stack_regions
from nnunet_cardiac_ext.errors import UsageError


def test_every_case_is_read_once(nnunet_root):
    preprocessed = write_preprocessed_dataset(nnunet_root)
    dataset = nnUNetDatasetBlosc2(str(preprocessed / "nnUNetPlans_2d"))
    found = each_stack(dataset, lambda labels: stack_regions(labels, CINE))
    # Slices 1 to 5 hold ellipses that shrink, so that slice 1 is the base: one slice at each end, three between.
    assert list(found) == list(CASES)
    assert all(regions.tolist() == [0, 1, 2, 2, 2, 3, 0] for regions in found.values())


def test_pixels_that_nobody_annotated_are_background():
    labels = np.zeros((6, 3, 3), dtype=int)
    labels[1:5] = np.arange(4, 0, -1)[:, None, None] < 9
    labels[0] = labels[5] = 9
    assert stack_regions(labels, CINE, ignore_label=9).tolist() == [0, 1, 2, 2, 3, 0]
    assert stack_regions(labels, CINE)[[0, 5]].tolist() == [1, 3]


@pytest.mark.parametrize("label_map", [CINE, LGE, MOUSE])
def test_the_label_map_is_told_by_names_and_values(label_map):
    assert label_map_of({"labels": dict(label_map.values) | {"ignore": 9}}) is label_map


def test_region_based_data_sets_name_their_structures_apart():
    labels = {"background": 0, "heart": [1, 2, 3], "left": [2, 3]}
    assert label_map_of({"labels": labels, "structures": {"RV": 1, "MYO": 2, "LV": 3}}) is CINE


@pytest.mark.parametrize("labels", [{"RV": 3, "MYO": 2, "LV": 1}, {"liver": 1}, {}])
def test_other_labels_are_refused(labels):
    with pytest.raises(UsageError, match=r"^dataset\.json, labels: expected one of RV=1, MYO=2, LV=3; LV=1, .*; got "):
        label_map_of({"labels": {"background": 0, **labels}})
