"""Whether models can share one preprocessing and one export: what in their plans these two depend on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inference_pipelines.model_folder import Model
from nnunet_cardiac_ext.errors import UsageError

# Normalisation schemes of nnU-Net that look at the image alone; any other may use the data set's intensities.
SELF_CONTAINED_SCHEMES = ("ZScoreNormalization", "NoNormalization", "RescaleTo01Normalization", "RGBTo01Normalization")
PLAN_KEYS = ("image_reader_writer", "transpose_forward", "transpose_backward", "label_manager")
CONFIGURATION_KEYS = (
    "preprocessor_name", "spacing", "normalization_schemes", "use_mask_for_norm",
    "resampling_fn_data", "resampling_fn_data_kwargs",
    "resampling_fn_probabilities", "resampling_fn_probabilities_kwargs",
)  # fmt: skip
DATASET_KEYS = ("channel_names", "labels", "regions_class_order", "file_ending")


def check_same_preprocessing(models: Mapping[str, Model]) -> None:
    """Check that all models expect the same preprocessed images and mean the same by their outputs.

    Patch size, batch size, network and training settings may differ.

    Args:
        models: Model by what it is called in messages; the first is what the others are compared with.

    Raises:
        UsageError: One differs; the line names the model, the key and both values.
    """
    first, *others = models
    wanted = _what_counts(models[first])
    for name in others:
        got = _what_counts(models[name])
        for key in wanted:
            if got[key] != wanted[key]:
                raise UsageError(
                    f"{name}, {models[name].folder}: expected plans as those of {first}, but {key} is {got[key]}, "
                    f"expected {wanted[key]}"
                )


def _what_counts(model: Model) -> dict[str, Any]:
    plans, configuration = model.plans.plans, model.configuration.configuration
    facts = {key: model.dataset_json.get(key) for key in DATASET_KEYS}
    # Old data sets call the channels modality.
    facts["channel_names"] = facts["channel_names"] or model.dataset_json.get("modality")
    facts |= {key: plans.get(key) for key in PLAN_KEYS}
    facts |= {key: configuration.get(key) for key in CONFIGURATION_KEYS}
    return facts | {"intensity properties": _intensities(model)}


def _intensities(model: Model) -> dict[str, Any]:
    """The data set's intensities by channel where the normalisation uses them."""
    properties = model.plans.foreground_intensity_properties_per_channel
    return {
        channel: properties.get(channel)
        for channel, scheme in ((str(c), s) for c, s in enumerate(model.configuration.normalization_schemes))
        if scheme not in SELF_CONTAINED_SCHEMES
    }
