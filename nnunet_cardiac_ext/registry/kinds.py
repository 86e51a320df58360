"""What an entry of the registry is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Paper:
    """A paper whose method is offered."""

    number: str
    title: str
    authors: str


@dataclass(frozen=True)
class DataSet:
    """A data set that `nnunet-cardiac convert` reads and `nnunet-cardiac phantom` imitates.

    Attributes:
        name: What people type.
        title: Its proper name.
        package: Import path of the converter, with a function `convert`.
        phantom: Import path of the phantom writer, with a function `write_phantoms`.
        label_map: Key of `anatomy.LABEL_MAPS`.
        dataset_name: The part behind the number in nnU-Net's folder name (`Dataset027_ACDC`).
        summary: One line.
        page: Its page in docs/.
    """

    name: str
    title: str
    package: str
    phantom: str
    label_map: str
    dataset_name: str
    summary: str
    page: str


@dataclass(frozen=True)
class Trainer:
    """A trainer class that nnU-Net finds by its name.

    Attributes:
        name: Class name, what stands behind `-tr`.
        module: Import path of the module that defines it.
        paper: Number of its paper, or "" for what serves all of them.
        summary: One line.
        configuration: The stock configuration that it is made for.
        page: Its page in docs/.
    """

    name: str
    module: str
    paper: str
    summary: str
    configuration: str
    page: str


@dataclass(frozen=True)
class Preset:
    """A configuration that `nnunet-cardiac plan --preset` writes into a plans file.

    Attributes:
        name: What people type.
        trainer: Name of the trainer that it is meant for.
        inherits_from: The stock configuration that it builds on.
        configuration: Name of the configuration that is written, unless `--name` says otherwise.
        settings: Keys of the "cardiac" block.
        overrides: `plans.PLAN_KEYS`: what it changes in nnU-Net's own configuration (`batch_size`, `network`, ...).
        summary: One line.
        unet: Whether it trains nnU-Net's U-Net: `features`, `convolutions` and `norm` shape that, and the patch has to
            pass through its strides.
        stack_slices: Above 0 for presets of whole stacks: slices that a patch of nnUNetv2_predict holds, put before the
            patch of the 2D configuration that it inherits from. Slices are then neither resampled nor left out.
    """

    name: str
    trainer: str
    inherits_from: str
    configuration: str
    summary: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    unet: bool = True
    stack_slices: int = 0


@dataclass(frozen=True)
class PresetGroup:
    """Several configurations, those of all models of a pipeline, that `plan --preset` writes at once.

    Attributes:
        name: What people type; the pipeline of the same name uses the models.
        configuration: What the names of the configurations begin with, unless `--name` says otherwise.
        members: Name of a preset by the part that its model plays; the configurations are PREFIX_PART.
        summary: One line.
    """

    name: str
    configuration: str
    members: Mapping[str, str]
    summary: str


@dataclass(frozen=True)
class Pipeline:
    """A way from images to segmentations, what stands behind `nnunet-cardiac predict`."""

    name: str
    module: str
    paper: str
    summary: str
    page: str


def by_name(*items: Any) -> Mapping[str, Any]:
    """Return the items by their names, read-only."""
    return MappingProxyType({item.name: item for item in items})
