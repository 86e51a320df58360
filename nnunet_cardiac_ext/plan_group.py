"""Write the configurations of all models of a pipeline into an nnU-Net plans file at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.plans import DEFAULT_PLANS, UNET_KEYS, PlannedConfiguration, Request, plan_all
from nnunet_cardiac_ext.registry import PRESET_GROUPS, PRESETS, PresetGroup


@dataclass(frozen=True)
class PlannedGroup:
    """The configurations of a pipeline's models and what to do with them.

    Attributes:
        members: The configuration by the part that its model plays.
        commands: What comes next: preprocessing where data are missing, a training each, the pipeline.
    """

    members: Mapping[str, PlannedConfiguration]
    commands: tuple[str, ...]


def plan_group(
    dataset_id: int,
    group: str,
    changes: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    plans: str = DEFAULT_PLANS,
    overwrite: bool = False,
) -> PlannedGroup:
    """Write the configurations PREFIX_PART of a group, all or none; all other configurations stay.

    Args:
        dataset_id: Number of the data set.
        group: Name of a preset group.
        changes: Settings and plan keys: `key` goes into all members, `part.key` into one. Keys that shape nnU-Net's
            U-Net pass by a member with another network.
        name: The prefix; by default the group's.
        plans: Name of the plans file without `.json`.
        overwrite: Replace configurations of these names that have another content.

    Raises:
        UsageError: An unknown group or member; otherwise as `plans.plan`.
    """
    if group not in PRESET_GROUPS:
        raise UsageError(f"--preset: expected one of {', '.join(PRESET_GROUPS)}, got {group!r}")
    chosen = PRESET_GROUPS[group]
    prefix = chosen.configuration if name is None else name
    shares = _shares(chosen, changes or {})
    requests = [Request(f"{prefix}_{part}", PRESETS[preset], shares[part]) for part, preset in chosen.members.items()]
    planned = plan_all(dataset_id, requests, plans=plans, overwrite=overwrite)
    return PlannedGroup(
        dict(zip(chosen.members, planned, strict=True)),
        (*_unique_commands(planned), _prediction(chosen, dataset_id, prefix, plans)),
    )


def _shares(group: PresetGroup, changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the changes of each member, its own over those of all."""
    common = {key: value for key, value in changes.items() if "." not in key}
    shares = {
        part: {key: value for key, value in common.items() if PRESETS[preset].unet or key not in UNET_KEYS}
        for part, preset in group.members.items()
    }
    for key, value in changes.items():
        part, dot, own_key = key.partition(".")
        if not dot:
            continue
        if part not in shares:
            raise UsageError(f"--set {key}: expected one of {', '.join(shares)} before the dot, got {part!r}")
        shares[part][own_key] = value
    return shares


def _unique_commands(planned: list[PlannedConfiguration]) -> list[str]:
    """Return the preprocessing of each folder of data that is missing, once, then the trainings."""
    first = {each.data: each for each in reversed(planned)}
    preprocessing = [command for each in planned if first[each.data] is each for command in each.commands[:-1]]
    return preprocessing + [each.commands[-1] for each in planned]


def _prediction(group: PresetGroup, dataset_id: int, prefix: str, plans: str) -> str:
    named = f" -c {prefix}" * (prefix != group.configuration) + f" -p {plans}" * (plans != DEFAULT_PLANS)
    return f"nnunet-cardiac predict {group.name} -i IMAGES -o PREDICTIONS -d {dataset_id}{named}"
