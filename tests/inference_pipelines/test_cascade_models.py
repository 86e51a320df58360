"""Which five models, and whether they go together."""

import copy
import shutil

import numpy as np
import pytest
import torch
from helpers.tiny_cascade import STACKS, TRAINERS, write_tiny_cascade
from helpers.tiny_model import write_tiny_model

from inference_pipelines import cascade_models
from inference_pipelines.cascade_models import find_models, load_models
from nnunet_cardiac_ext.architectures.slice_classifier import classify_slices
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.region_order import FILE_NAME, RegionOrder
from nnunet_cardiac_ext.regions import Region


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two folds of each model."""
    return write_tiny_cascade(tmp_path_factory.mktemp("results"), folds=(0, 1))


@pytest.fixture
def own(trained, tmp_path):
    """A copy of them that a test may change; the same names."""
    return {name: shutil.copytree(folder, tmp_path / folder.name) for name, folder in trained.items()}


def test_models_are_found_by_data_set_and_prefix_or_where_they_are_said_to_be(nnunet_root, tmp_path):
    expected = {
        name: nnunet_root / "results" / "Dataset999_Tiny" / f"{trainer.__name__}__nnUNetPlans__2d_small_{name}"
        for name, trainer in TRAINERS.items()
    }
    for folder in expected.values():
        folder.mkdir(parents=True)
    assert find_models("999", prefix="2d_small", given={}) == expected
    assert find_models("999", prefix="2d_small", given={"apex": tmp_path}) == expected | {"apex": tmp_path}
    assert find_models(None, given=dict.fromkeys(TRAINERS, tmp_path)) == dict.fromkeys(TRAINERS, tmp_path)


def test_the_model_that_is_missing_is_named_and_where_it_was_looked_for(nnunet_root, tmp_path):
    write_tiny_cascade(nnunet_root / "results", only=("baseline", "classifier", "base"))
    with pytest.raises(UsageError, match=r"model middle: .*/MiddleRegionTrainer__nnUNetPlans__2d_cascade_middle: no"):
        find_models("999", given={})
    with pytest.raises(UsageError, match="expected -d, or -m baseline=DIR"):
        find_models(None, given={})
    with pytest.raises(UsageError, match="with a name of baseline, classifier, base, middle, apex, got 'top'"):
        find_models("999", given={"top": tmp_path})


def test_each_region_has_its_own_model(trained):
    models = load_models(trained, folds=[0])
    folders = {region: predictor.model.folder for region, predictor in models.segmenting.items()}
    assert folders == {
        Region.NON_CARDIAC: trained["baseline"],
        Region.BASE: trained["base"],
        Region.MIDDLE: trained["middle"],
        Region.APEX: trained["apex"],
    }
    assert models.classifier.folder == trained["classifier"]
    assert models.remarks == ()


def test_probabilities_are_means_over_folds_and_mirrored_copies(trained):
    image = torch.randn(1, 5, 30, 41, generator=torch.Generator().manual_seed(0))
    for mirroring in (True, False):
        models = load_models(trained, mirroring=mirroring)
        axes = (0, 1) if mirroring else ()
        networks = models.classifier.networks
        expected = np.mean([classify_slices(n, image, (32, 32), mirror_axes=axes).numpy() for n in networks], axis=0)
        assert len(networks) == 2
        np.testing.assert_allclose(models.classify(image), expected, atol=1e-6)


def test_the_order_is_that_of_all_folds_together(own):
    other = RegionOrder.estimate([np.array([0, 1, 2, 2, 2, 2, 3, 0, 0])])
    other.write(own["classifier"] / "fold_1" / FILE_NAME)
    assert load_models(own).order == RegionOrder.merged([RegionOrder.estimate(map(np.array, STACKS)), other])
    (own["classifier"] / "fold_1" / FILE_NAME).unlink()
    assert load_models(own).order is None
    assert load_models(own, folds=[0]).order is not None


def test_orders_that_cannot_be_merged_are_one_line(own):
    weighted = RegionOrder.estimate([np.array([1, 2, 3])], class_weights=(1, 2, 1, 2))
    weighted.write(own["classifier"] / "fold_1" / FILE_NAME)
    with pytest.raises(UsageError, match=r"model classifier: .*class weights"):
        load_models(own)


def test_models_of_different_folds_are_loaded_with_a_remark(own):
    shutil.rmtree(own["apex"] / "fold_1")
    (remark,) = load_models(own).remarks
    assert "baseline 0 1, classifier 0 1" in remark or "baseline 0 1, base 0 1, middle 0 1, apex 0" in remark
    assert "apex 0," in remark or "apex 0)" in remark
    assert "\n" not in remark


def test_models_of_different_data_sets_are_loaded_with_a_remark(trained, tmp_path):
    def rename(plans):
        plans["dataset_name"] = "Dataset998_Other"

    other = write_tiny_model(
        tmp_path, folds=(0,), trainer=TRAINERS["base"], configuration="2d_cascade_base", edit=rename
    )
    (remark,) = load_models(trained | {"base": other}, folds=[0]).remarks
    assert "baseline Dataset999_Tiny 0" in remark
    assert "base Dataset998_Other 0" in remark


@pytest.mark.parametrize(
    ("name", "other", "message"),
    [
        ("classifier", "base", "model classifier: expected a model of RegionClassifierTrainer, got one that segments"),
        ("middle", "classifier", "model middle: expected a model that segments, got a classifier"),
    ],
)
def test_a_model_of_the_wrong_kind_is_refused(trained, name, other, message):
    with pytest.raises(UsageError, match=message):
        load_models(trained | {name: trained[other]})


@pytest.mark.parametrize("name", TRAINERS)
def test_a_folder_that_holds_no_model_is_named(trained, tmp_path, name):
    with pytest.raises(UsageError, match=rf"model {name}: {tmp_path}/none: expected a trained model folder"):
        load_models(trained | {name: tmp_path / "none"})


def test_a_model_of_other_plans_is_refused(trained, tmp_path):
    def coarser(plans):
        plans["configurations"]["2d"]["spacing"] = [2.0, 2.0]

    options = {"folds": (0,), "trainer": TRAINERS["middle"], "configuration": "2d_cascade_middle"}
    other = write_tiny_model(tmp_path, **options, edit=coarser)
    with pytest.raises(UsageError, match=r"middle, .*spacing is \[2\.0, 2\.0\], expected \[1\.5, 1\.5\]"):
        load_models(trained | {"middle": other}, folds=[0])


def test_patch_size_and_network_may_differ(trained, tmp_path):
    def other_network(plans):
        arguments = copy.deepcopy(plans["configurations"]["2d"]["architecture"])
        arguments["arch_kwargs"]["features_per_stage"] = [8, 8, 8]
        plans["configurations"]["2d_cascade_apex"] |= {"patch_size": [48, 64], "architecture": arguments}

    options = {"trainer": TRAINERS["apex"], "configuration": "2d_cascade_apex", "edit": other_network}
    models = load_models(trained | {"apex": write_tiny_model(tmp_path, **options)}, folds=[0])
    assert models.segmenting[Region.APEX].window.patch_size == (48, 64)
    assert models.baseline.window.patch_size == (32, 32)


def test_slices_that_do_not_fit_into_memory_are_a_failure_of_their_case(trained, monkeypatch):
    def fill(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    models = load_models(trained, folds=[0])
    monkeypatch.setattr(cascade_models, "classify_slices", fill)
    with pytest.raises(WorkError, match="the slices do not fit into the device's memory"):
        models.classify(torch.zeros(1, 2, 32, 32))


def test_the_names_are_those_of_the_preset_group():
    assert dict(cascade_models.TRAINERS) == {name: trainer.__name__ for name, trainer in TRAINERS.items()}
