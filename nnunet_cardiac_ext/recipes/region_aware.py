"""Paper 002: sampling by region, and a region classifier followed by region-specific models."""

from __future__ import annotations

from types import MappingProxyType

from nnunet_cardiac_ext.recipes.kinds import CLASSIFIER, PART, ModelRecipe, PipelineRecipe, Recipe
from nnunet_cardiac_ext.recipes.region_aware_tables import TABLES

# Setting `backbone` and the paper's name of each classifier, in the order of its Table 2.
BACKBONES = (
    ("alexnet", "AlexNet"), ("densenet121", "DenseNet121"), ("mobilenet_v2", "MobileNetV2"), ("resnet18", "ResNet18"),
    ("shufflenet_v2", "ShuffleNetV2"), ("squeezenet", "SqueezeNet"), ("vgg11_bn", "VGG-A with batch norm"),
)  # fmt: skip
BEST_CLASSIFIER = "classifier_densenet121"  # in the paper
REGIONS = ("base", "middle", "apex")
# Options of `predict region-cascade --regions`: name of the row, its title.
_WAYS = (
    ("predicted", "", "Classification and segmentation"),
    ("ordered", "-ordered", "Classification in the order of the stack and segmentation"),
    ("extent", "-extent", "Extent of the heart by classification, and segmentation"),
    ("reference", "-reference", "Reference regions and segmentation"),
    ("blended", "-blended", "Segmentations blended by the classifier's probabilities"),
)
_TUNED = ", region models from the baseline's weights"


def _region_models(suffix: str, title: str, *, starts_from: str = "") -> tuple[ModelRecipe, ...]:
    return tuple(
        ModelRecipe(
            f"{region}{suffix}", f"Model of the {region}{title}", f"region-{region}", {"final_validation": "false"},
            kind=PART, starts_from=starts_from,
        )
        for region in REGIONS
    )  # fmt: skip


def _cascades(suffix: str, title: str) -> tuple[PipelineRecipe, ...]:
    """Return the pipelines over the region models whose names end in `_SUFFIX`."""
    parts = {region: f"{region}_{suffix}" if suffix else region for region in REGIONS}
    models = MappingProxyType({"baseline": "baseline", "classifier": BEST_CLASSIFIER, **parts})
    name = f"cascade-{suffix}" if suffix else "cascade"
    return tuple(
        PipelineRecipe(f"{name}{ending}", f"{way}{title}", "region-cascade", models, ("--regions", regions))
        for regions, ending, way in _WAYS
    )


REGION_AWARE = Recipe(
    paper="002",
    data_set="acdc",
    configuration="2d",
    models=(
        ModelRecipe("baseline", "Baseline", "baseline"),
        ModelRecipe("baseline_long", "Baseline, three times as long", "baseline", epochs_factor=3, extra=True),
        ModelRecipe("baseline_tuned", "Baseline, from its own weights", "baseline", starts_from="baseline"),
        ModelRecipe("sampling4", "Batch sampling (ratio 4)", "region-sampling", {"sampling_ratio": "4"}),
        ModelRecipe("sampling20", "Batch sampling (ratio 20)", "region-sampling", {"sampling_ratio": "20"}),
        *_region_models("", ""),
        *_region_models("_tuned", ", from the baseline's weights", starts_from="baseline"),
        *(
            ModelRecipe(f"classifier_{name}", title, "region-classifier", {"backbone": name}, kind=CLASSIFIER)
            for name, title in BACKBONES
        ),
    ),
    pipelines=(*_cascades("", ""), *_cascades("tuned", _TUNED)),
    tables=TABLES,
    evaluation=("--slices",),
    smoke_phantoms=("--testing", "0", "--frames", "3"),
    smoke_models=(
        "baseline", "sampling20", "classifier_densenet121", "cascade", "cascade-ordered", "cascade-extent",
        "cascade-reference", "cascade-blended",
    ),
    smoke_settings=MappingProxyType(
        {
            "features": "8,16,32,32", "patch_size": "96,96", "batch_size": "4", "num_epochs": "1",
            "iterations_per_epoch": "20", "val_iterations_per_epoch": "2", "norm": "batch", "optimizer": "adamw",
            "initial_lr": "0.003", "weight_decay": "0.01", "augmentation": "light", "mirroring": "false",
            # DenseNet121 takes slices of 29 x 29 and more.
            "classifier.patch_size": "32,32", "classifier.batch_size": "4", "classifier.num_epochs": "1",
            "classifier.iterations_per_epoch": "10", "classifier.val_iterations_per_epoch": "2",
            "classifier.augmentation": "light", "classifier.mirroring": "false",
        }
    ),
    # The paper gives the batches of its segmentation models only; the classifiers here see as many images.
    paper_settings=MappingProxyType(
        {
            "num_epochs": "1000", "iterations_per_epoch": "250", "batch_size": "32", "initial_lr": "0.01",
            "classifier.num_epochs": "1000", "classifier.iterations_per_epoch": "250", "classifier.batch_size": "32",
        }
    ),
)  # fmt: skip
