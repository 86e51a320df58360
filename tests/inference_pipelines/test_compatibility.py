import pytest
from helpers.tiny_model import REGIONS, write_tiny_model

from inference_pipelines.compatibility import check_same_preprocessing
from inference_pipelines.slice_predictor import SlicePredictor
from nnunet_cardiac_ext.errors import UsageError


def stock(plans):
    return plans["configurations"]["2d"]


def model(folder, **options):
    return SlicePredictor.from_model_folder(write_tiny_model(folder, **options)).model


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return model(tmp_path_factory.mktemp("first"))


OTHERS = {
    "spacing": lambda plans: stock(plans).update(spacing=[1.25, 1.25]),
    "transpose_forward": lambda plans: plans.update(transpose_forward=[1, 0, 2], transpose_backward=[1, 0, 2]),
    "normalization_schemes": lambda plans: stock(plans).update(normalization_schemes=["RescaleTo01Normalization"]),
    "use_mask_for_norm": lambda plans: stock(plans).update(use_mask_for_norm=[True]),
    "image_reader_writer": lambda plans: plans.update(image_reader_writer="NibabelIO"),
    "resampling_fn_data_kwargs": lambda plans: stock(plans)["resampling_fn_data_kwargs"].update(order=1),
    "resampling_fn_data": lambda plans: stock(plans).update(resampling_fn_data="resample_torch_simple"),
    "resampling_fn_probabilities": lambda plans: stock(plans).update(resampling_fn_probabilities="no_resampling_hack"),
}


@pytest.mark.parametrize("key", OTHERS)
def test_what_preprocessing_depends_on_is_named_where_it_differs(first, tmp_path, key):
    other = model(tmp_path, edit=OTHERS[key])
    with pytest.raises(UsageError, match=rf"apex, {tmp_path}.*: expected plans as those of base, but {key} is .*, ex"):
        check_same_preprocessing({"base": first, "middle": first, "apex": other})


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("channel_names", {"channels": 2}),
        ("labels", {"labels": {"background": 0, "LV": 1, "MYO": 2, "RV": 3}}),
        ("labels", {"labels": REGIONS}),
    ],
)
def test_channels_and_labels_are_compared(first, tmp_path, key, options):
    with pytest.raises(UsageError, match=f"apex, .*{key} is "):
        check_same_preprocessing({"base": first, "apex": model(tmp_path, **options)})


def test_intensities_count_where_the_normalisation_uses_them(first, tmp_path):
    def brighter(plans):
        plans["foreground_intensity_properties_per_channel"]["0"]["mean"] = 2.0

    def of_the_data_set(plans):
        stock(plans)["normalization_schemes"] = ["CTNormalization"]

    def both(plans):
        brighter(plans)
        of_the_data_set(plans)

    check_same_preprocessing({"base": first, "apex": model(tmp_path / "z-score", edit=brighter)})
    one, other = model(tmp_path / "one", edit=of_the_data_set), model(tmp_path / "other", edit=both)
    check_same_preprocessing({"base": one, "apex": one})
    with pytest.raises(UsageError, match=r"intensity properties is .*'mean': 2\.0"):
        check_same_preprocessing({"base": one, "apex": other})


def test_network_patch_and_training_may_differ(first, tmp_path):
    def edit(plans):
        stock(plans)["batch_size"] = 7
        stock(plans)["cardiac"] = {"seed": 1}
        stock(plans)["resampling_fn_seg_kwargs"]["order"] = 0

    check_same_preprocessing({"base": first, "apex": model(tmp_path, patch_size=(64, 48), edit=edit)})
