"""Write a preset, with changes of one's own, as a configuration into an nnU-Net plans file."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json, write_json
from nnunet_cardiac_ext.network_blocks import NETWORKS, SINGLE_OUTPUT, STACK_NETWORKS, with_network
from nnunet_cardiac_ext.network_plan import (
    check_network,
    check_patch,
    stack_patch,
    with_convolutions,
    with_crop_size,
    with_design,
    with_features,
    with_gate,
    with_margin,
    with_norm,
    with_specialist_features,
    with_switch,
)
from nnunet_cardiac_ext.registry import PRESETS, Preset
from nnunet_cardiac_ext.settings import BLOCK, KNOWN, put_over, read_settings
from nnunet_cardiac_ext.whole_images import tiles_remark

DEFAULT_PLANS = "nnUNetPlans"

# What may be changed besides the settings: keys of nnU-Net's own and of its architecture block.
PLAN_KEYS: Mapping[str, str] = {
    "batch_size": "patches per batch",
    "patch_size": "patch in voxels, as multiples of the network's total stride",
    "spacing": "mm per voxel that images are resampled to; each spacing is preprocessed once, for all configurations",
    "batch_dice": "Dice loss over the batch as one image",
    "network": f"one of {', '.join(NETWORKS)}; unet is nnU-Net's; strides and kernels stay the data's",
    "features": "widths of the network, one per stage",
    "convolutions": "convolutions (or residual blocks) per stage",
    "norm": "normalisation of the network: instance (nnU-Net's) or batch",
    "gate": "attention gates of the network attention-mnet: dual, spatial, channel or none",
    "design": "blocks of the networks e2a-unet and crocnet (there the specialists'): paper or released",
    "specialist_features": "widths of the specialists of the network crocnet",
    "crop_size": "edge of the crops that the specialists see, in pixels",
    "margin": "pixels around the heart in these crops",
    "fusion": "network classifier-guided: the slices of a stack inform each other; false: each by itself",
    "refinement": "network classifier-guided: a second stage refines the probabilities of the first",
    "presence": "network classifier-guided: a classifier at the last stage says which structures a slice holds",
}

# How each key changes the architecture block, besides `network` and `features`, which depend on the patch.
_CHANGES: Mapping[str, Callable[[dict[str, Any], Any], dict[str, Any]]] = {
    "convolutions": with_convolutions,
    "norm": with_norm,
    "gate": with_gate,
    "design": with_design,
    "specialist_features": with_specialist_features,
    "crop_size": with_crop_size,
    "margin": with_margin,
    **{key: partial(with_switch, key) for key in ("fusion", "refinement", "presence")},
}
# Those of them that shape nnU-Net's U-Net and mean nothing to another network.
UNET_KEYS = ("network", "features", *_CHANGES)


@dataclass(frozen=True)
class PlannedConfiguration:
    """A configuration in a plans file and what to do with it.

    Attributes:
        plans_file: The plans file.
        name: Name of the configuration.
        content: The configuration as the file has it.
        written: False where the file already held exactly this.
        commands: What comes next: preprocessing where its data are missing, then training.
        data: Folder of its preprocessed data.
        remark: What a user should know of it, one line.
    """

    plans_file: Path
    name: str
    content: dict[str, Any]
    written: bool
    commands: tuple[str, ...]
    data: Path
    remark: str | None = None


@dataclass(frozen=True)
class Request:
    """A configuration that is to be written.

    Attributes:
        name: Its name.
        preset: What it starts from.
        changes: Settings and `PLAN_KEYS` by name, put over the preset's.
    """

    name: str
    preset: Preset
    changes: Mapping[str, Any]


def plan(
    dataset_id: int,
    preset: str,
    changes: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    plans: str = DEFAULT_PLANS,
    overwrite: bool = False,
) -> PlannedConfiguration:
    """Write a configuration that inherits from a stock one; all other configurations stay.

    Args:
        dataset_id: Number of the data set.
        preset: Name of a preset.
        changes: Settings (keys of the `"cardiac"` block) and `PLAN_KEYS` by name, put over the preset's.
        name: Name of the configuration; by default the preset's.
        plans: Name of the plans file without `.json`.
        overwrite: Replace a configuration of that name that has another content.

    Raises:
        UsageError: An unknown preset, key or name, an impossible value, a plans file that is absent or lacks the
            stock configuration, or a configuration of that name with another content.
    """
    chosen = _chosen(preset)
    name = chosen.configuration if name is None else name
    (planned,) = plan_all(dataset_id, [Request(name, chosen, changes or {})], plans=plans, overwrite=overwrite)
    return planned


def plan_all(
    dataset_id: int, requests: Sequence[Request], *, plans: str = DEFAULT_PLANS, overwrite: bool = False
) -> list[PlannedConfiguration]:
    """Write several configurations, all or none; arguments and errors as in `plan`."""
    for request in requests:
        _check_name(request.name)
    folder = discovery.dataset_folder(discovery.preprocessed_folder(), dataset_id)
    path = folder / f"{plans}.json"
    content = _read_plans(path, dataset_id)
    configurations = content["configurations"]
    planned = []
    for request in requests:
        new = configuration(configurations, request.preset, request.changes)
        written = _put(configurations, request.name, new, path, overwrite=overwrite)
        whole = resolved(configurations, request.name)
        data = folder / str(whole.get("data_identifier"))
        commands = _commands(dataset_id, request.name, request.preset.trainer, plans)[data.is_dir() :]
        remark = tiles_remark(request.changes.get("network", request.preset.overrides.get("network")), whole)
        planned.append(PlannedConfiguration(path, request.name, new, written, commands, data, remark))
    if any(each.written for each in planned):
        write_json(path, content)
    return planned


def configuration(configurations: Mapping[str, Any], preset: Preset, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a preset with changes, as it stands in a plans file.

    Args:
        configurations: The plans' configurations.
        preset: The preset.
        changes: Settings and `PLAN_KEYS` by name.

    Raises:
        UsageError: As `plan`.
    """
    unknown = [key for key in changes if key not in KNOWN and key not in PLAN_KEYS]
    if unknown:
        raise UsageError(f"unknown key {', '.join(unknown)}; known are {', '.join((*PLAN_KEYS, *KNOWN))}")
    shaping = [key for key in UNET_KEYS if key in changes and not preset.unet]
    if shaping:
        raise UsageError(f"{shaping[0]}: expected a preset that trains nnU-Net's U-Net, got {preset.name}")
    block = put_over(preset.settings, {key: value for key, value in changes.items() if key in KNOWN})
    wanted = {**preset.overrides, **{key: value for key, value in changes.items() if key in PLAN_KEYS}}
    _check_dimensions(preset, wanted.get("network"))
    if wanted.get("network") in SINGLE_OUTPUT:
        block = {"deep_supervision": False} | block
        if block["deep_supervision"]:
            raise UsageError(f"deep_supervision: expected false, the network {wanted['network']} has a single output")
    read_settings(block)
    base = resolved(configurations, preset.inherits_from)
    overrides = _own_keys(base, wanted, preset)
    return {"inherits_from": preset.inherits_from, **overrides, BLOCK: _as_json(block)}


def resolved(configurations: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a configuration with all it inherits.

    Raises:
        UsageError: It, or one that it inherits from, does not exist, or the inheritance is a circle.
    """
    chain: list[str] = []
    following: str | None = name
    while following is not None:
        if following not in configurations or following in chain:
            raise UsageError(f"plans: expected a configuration {following}, found {', '.join(configurations)}")
        chain.append(following)
        following = configurations[following].get("inherits_from")
    merged: dict[str, Any] = {}
    for ancestor in reversed(chain):
        merged.update(copy.deepcopy(configurations[ancestor]))
    return merged


def _chosen(preset: str) -> Preset:
    if preset not in PRESETS:
        raise UsageError(f"--preset: expected one of {', '.join(PRESETS)}, got {preset!r}")
    return PRESETS[preset]


def _read_plans(path: Path, dataset_id: int) -> dict[str, Any]:
    if not path.is_file():
        raise UsageError(f"{path}: not found; plan the data set first: nnUNetv2_plan_and_preprocess -d {dataset_id}")
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("configurations"), dict):
        raise UsageError(f"{path}: expected nnU-Net plans with configurations")
    return content


def _check_name(name: str) -> None:
    # nnU-Net takes a model folder's name apart at double underscores.
    if not re.fullmatch(r"[A-Za-z0-9.-]+(_[A-Za-z0-9.-]+)*", name):
        raise UsageError(f"--name: expected letters, digits, '.', '-' and single '_', got {name!r}")


def _put(configurations: dict[str, Any], name: str, new: dict[str, Any], path: Path, *, overwrite: bool) -> bool:
    """Put a configuration among the others; False where it is there already."""
    old = configurations.get(name)
    if old == new:
        return False
    if old is not None and BLOCK not in old:
        raise UsageError(f"--name: {name} is a configuration of nnU-Net's own in {path}; choose another name")
    if old is not None and not overwrite:
        raise UsageError(f"{path}: holds another configuration {name}; choose another --name or say --overwrite")
    configurations[name] = new
    return True


def _check_dimensions(preset: Preset, network: str | None) -> None:
    """Stacks take networks of stacks, and these nothing else."""
    if preset.stack_slices and network not in STACK_NETWORKS:
        raise UsageError(f"network: expected {' or '.join(STACK_NETWORKS)} with preset {preset.name}, got {network!r}")
    if network in STACK_NETWORKS and not preset.stack_slices:
        stacks = [name for name, each in PRESETS.items() if each.stack_slices]
        raise UsageError(f"network: {network} takes whole stacks; expected preset {' or '.join(stacks)}")


def _own_keys(base: dict[str, Any], wanted: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    """Return nnU-Net's own keys where they differ from the base configuration's."""
    own = _resampled(base, wanted["spacing"]) if "spacing" in wanted else {}
    patch_size = list(base["patch_size"])
    if preset.stack_slices:
        new_spacing = own.get("spacing", base["spacing"])
        patch_size = own["patch_size"] = stack_patch(preset.stack_slices, patch_size, base["spacing"], new_spacing)
    if "patch_size" in wanted:
        patch_size = own["patch_size"] = _numbers("patch_size", wanted["patch_size"], len(patch_size), int)
    if "batch_size" in wanted:
        own["batch_size"] = _numbers("batch_size", [wanted["batch_size"]], 1, int)[0]
    if "batch_dice" in wanted:
        if not isinstance(wanted["batch_dice"], bool):
            raise UsageError(f"batch_dice: expected true or false, got {wanted['batch_dice']!r}")
        own["batch_dice"] = wanted["batch_dice"]
    if preset.unet:
        # A network of stacks has no say along the slices.
        own |= _changed_architecture(base, wanted, patch_size[1:] if preset.stack_slices else patch_size)
    return own


def _changed_architecture(base: dict[str, Any], wanted: Mapping[str, Any], patch_size: Sequence[int]) -> dict[str, Any]:
    """Return the key `architecture` where it changes; check that the patch passes through the network."""
    changes = [key for key in ("network", *_CHANGES, "features", "patch_size") if key in wanted]
    stock = base.get("architecture")
    if not isinstance(stock, dict) or "strides" not in stock.get("arch_kwargs", {}):
        if changes:
            raise UsageError(
                f"{changes[0]}: expected plans with an architecture block and its strides, which older nnU-Net did "
                "not write; plan the data set again"
            )
        return {}
    architecture = with_network(stock, wanted["network"], patch_size) if "network" in wanted else stock
    if "features" in wanted:
        architecture = with_features(architecture, _listed(wanted["features"]), patch_size)
    for key, changed in _CHANGES.items():
        if key in wanted:
            architecture = changed(architecture, wanted[key])
    check_network(architecture, patch_size)
    check_patch(architecture, patch_size)
    return {"architecture": architecture} if architecture != stock else {}


def _resampled(base: dict[str, Any], spacing: Any) -> dict[str, Any]:
    """Return the keys that change with the spacing; none where it is the base configuration's."""
    old = base["spacing"]
    new = _numbers("spacing", spacing, len(old), float)
    if new == [float(value) for value in old]:
        return {}
    sizes = base["median_image_size_in_voxels"]
    scaled = [size * before / after for size, before, after in zip(sizes, old, new, strict=True)]
    # Configurations that differ in nothing else than their networks and settings share the data of a spacing.
    own_data = f"{base['data_identifier']}_{'x'.join(f'{value:g}' for value in new)}"
    return {"spacing": new, "median_image_size_in_voxels": scaled, "data_identifier": own_data}


def _numbers(key: str, values: Any, count: int, kind: type) -> list[Any]:
    listed = _listed(values)
    allowed = int | float if kind is float else int
    good = all(isinstance(value, allowed) and not isinstance(value, bool) and value > 0 for value in listed)
    if len(listed) != count or not good:
        what = "whole numbers" if kind is int else "numbers"
        raise UsageError(f"{key}: expected {count} {what} above 0, got {values!r}")
    return [kind(value) for value in listed]


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, Sequence) and not isinstance(values, str) else [values]


def _as_json(block: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in block.items()}


def _commands(dataset_id: int, name: str, trainer: str, plans: str) -> tuple[str, str]:
    other_plans = plans != DEFAULT_PLANS
    return (
        f"nnUNetv2_preprocess -d {dataset_id} -c {name}" + f" -plans_name {plans}" * other_plans,
        f"nnUNetv2_train {dataset_id} {name} 0 -tr {trainer}" + f" -p {plans}" * other_plans,
    )
