"""The loader draws slices by the closed form, and its batches are nnU-Net's otherwise."""

import json
import pickle

import numpy as np
import pytest
from helpers.tiny_dataset import CASES, write_preprocessed_dataset
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from scipy.stats import chisquare

from nnunet_cardiac_ext.data.region_sampling import RegionSamplingDataLoader, slice_laws
from nnunet_cardiac_ext.errors import UsageError

RATIO = 4
# Seven slices, 1 to 5 cardiac: weights 4, 1.75, 1, 1.75, 4 over 12.5, see test_slice_law.py.
WEIGHTS = np.array([0, 4, 1.75, 1, 1.75, 4, 0]) / 12.5
RANDOM = np.where(WEIGHTS > 0, 5 / 7 * WEIGHTS, 1 / 7)


def _parts(preprocessed):
    manager = PlansManager(json.loads((preprocessed / "nnUNetPlans.json").read_text()))
    labels = manager.get_label_manager(json.loads((preprocessed / "dataset.json").read_text()))
    return nnUNetDatasetBlosc2(str(preprocessed / "nnUNetPlans_2d")), labels


def _loader(preprocessed, *, batch_size=6, patch_size=(32, 32), **options):
    dataset, labels = _parts(preprocessed)
    laws = slice_laws(dataset, RATIO, ignore_label=labels.ignore_label)
    options = {"oversample_foreground_percent": 0.33, **options}
    return RegionSamplingDataLoader(dataset, batch_size, patch_size, patch_size, labels, laws=laws, **options)


@pytest.fixture
def preprocessed(nnunet_root):
    return write_preprocessed_dataset(nnunet_root)


def _count_slices(loader, force_fg, draws):
    """Draw slices as the loader does, without reading images."""
    cases = {case: loader._data.load_case(case) for case in CASES}
    counts = {case: np.zeros(7) for case in CASES}
    for _ in range(draws):
        case = loader.get_indices()[0]
        counts[case][cases[case][3]["class_locations"].law.draw(force_fg)] += 1
    return counts


@pytest.mark.parametrize(("force_fg", "law"), [(False, RANDOM), (True, WEIGHTS)])
def test_cases_are_equally_likely_and_slices_follow_the_closed_form(preprocessed, force_fg, law):
    loader = _loader(preprocessed, batch_size=1)
    np.random.seed(1)  # noqa: NPY002
    counts = _count_slices(loader, force_fg, 100_000)
    assert chisquare([count.sum() for count in counts.values()]).pvalue > 1e-3
    total = sum(counts.values())
    assert total[law == 0].sum() == 0
    assert chisquare(total[law > 0], 100_000 * law[law > 0]).pvalue > 1e-3


@pytest.mark.parametrize(("force_fg", "law"), [(False, RANDOM), (True, WEIGHTS)])
def test_the_patches_themselves_follow_it_too(preprocessed, force_fg, law):
    loader = _loader(preprocessed, patch_size=(16, 16))
    np.random.seed(2)  # noqa: NPY002
    properties = loader._data.load_case(CASES[0])[3]
    corners = [loader.get_bbox((7, 36, 36), force_fg, properties["class_locations"]) for _ in range(2000)]
    counts = np.bincount([lower[0] for lower, _ in corners], minlength=7)
    assert chisquare(counts[law > 0], 2000 * law[law > 0]).pvalue > 1e-3
    assert all(np.subtract(upper, lower).tolist() == [1, 16, 16] for lower, upper in corners)


def test_a_foreground_patch_is_centred_on_a_pixel_of_a_class_that_is_drawn_evenly(preprocessed):
    loader = _loader(preprocessed, patch_size=(8, 8))
    np.random.seed(3)  # noqa: NPY002
    _, labels, _, properties = loader._data.load_case(CASES[0])
    drawn = []
    for _ in range(900):
        lower, _ = loader.get_bbox((7, 36, 36), True, properties["class_locations"])
        drawn.append(labels[0, lower[0]][lower[1] + 4, lower[2] + 4])
    assert chisquare(np.bincount(drawn, minlength=4)[1:]).pvalue > 1e-3


def test_the_foreground_share_of_a_batch_is_that_of_nnunet(preprocessed):
    loader = _loader(preprocessed)
    assert [loader.get_do_oversample(index) for index in range(6)] == [False] * 4 + [True] * 2


def test_batches_look_like_those_of_nnunet(preprocessed):
    dataset, labels = _parts(preprocessed)
    stock = next(nnUNetDataLoader(dataset, 6, (32, 32), (32, 32), labels, 0.33))
    ours = next(_loader(preprocessed))
    assert ours.keys() == stock.keys()
    for key in ("data", "target"):
        assert (ours[key].shape, ours[key].dtype) == (stock[key].shape, stock[key].dtype)


def test_patches_larger_than_the_image_are_padded(preprocessed):
    assert next(_loader(preprocessed, patch_size=(64, 48)))["data"].shape == (6, 1, 64, 48)


def test_with_an_ignore_label_patches_centre_on_annotated_pixels(nnunet_root):
    preprocessed = write_preprocessed_dataset(nnunet_root, ignore_label=True)
    loader = _loader(preprocessed, patch_size=(8, 8))
    np.random.seed(4)  # noqa: NPY002
    for force_fg, allowed in ((False, {0, 1, 2, 3}), (True, {1, 2, 3})):
        _, labels, _, properties = loader._data.load_case(CASES[0])
        corners = [loader.get_bbox((7, 36, 36), force_fg, properties["class_locations"])[0] for _ in range(300)]
        slices = {lower[0] for lower in corners}
        assert 3 not in slices
        assert slices == ({1, 2, 4, 5} if force_fg else {0, 1, 2, 4, 5, 6})
        # Where a patch would leave the image it is moved back inside, so that only inner centres can be told.
        inner = [lower for lower in corners if 0 < lower[1] < 28 and 0 < lower[2] < 28]
        assert {int(labels[0, s][r + 4, c + 4]) for s, r, c in inner} <= allowed


def test_regions_of_labels_are_the_classes_where_the_data_set_has_them(preprocessed):
    path = preprocessed / "dataset.json"
    content = json.loads(path.read_text())
    content |= {"labels": {"background": 0, "heart": [1, 2, 3], "left": [2, 3]}, "regions_class_order": [1, 2]}
    path.write_text(json.dumps(content))
    loader = _loader(preprocessed, patch_size=(8, 8))
    _, labels, _, properties = loader._data.load_case(CASES[0])
    lower, _ = loader.get_bbox((7, 36, 36), True, properties["class_locations"])
    assert labels[0, lower[0]][lower[1] + 4, lower[2] + 4] > 0


def test_the_loader_can_go_to_a_spawned_worker(preprocessed):
    copy = pickle.loads(pickle.dumps(_loader(preprocessed)))
    assert next(copy)["data"].shape == (6, 1, 32, 32)


def test_three_dimensional_patches_are_refused(preprocessed):
    with pytest.raises(UsageError, match=r"^region sampling: expected 2D patches, got 3 dimensions$"):
        _loader(preprocessed, patch_size=(4, 32, 32))
