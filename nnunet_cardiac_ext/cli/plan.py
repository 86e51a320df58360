"""`nnunet-cardiac plan`: write a preset or settings of your own into a plans file."""

from __future__ import annotations

import argparse
import json
from typing import Any

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.plan_group import plan_group
from nnunet_cardiac_ext.plans import DEFAULT_PLANS, PLAN_KEYS, PlannedConfiguration, plan
from nnunet_cardiac_ext.registry import PRESET_GROUPS, PRESETS
from nnunet_cardiac_ext.settings import BLOCK, KNOWN, value_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-d", dest="dataset_id", type=int, required=True, metavar="ID", help="number of the data set")
    parser.add_argument(
        "--preset", required=True, choices=[*PRESETS, *PRESET_GROUPS],
        help=f"what the configuration starts from; several configurations at once: {', '.join(PRESET_GROUPS)}",
    )  # fmt: skip
    parser.add_argument(
        "--set",
        dest="changes",
        action="extend",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help=f"change values (one or more): {', '.join((*PLAN_KEYS, *KNOWN))}; see docs/methods/settings.md; "
        "of several configurations PART.KEY=VALUE changes one",
    )
    parser.add_argument(
        "--name", metavar="CONFIG",
        help="name of the configuration, of several what their names begin with (default: the preset's)",
    )  # fmt: skip
    parser.add_argument("-p", dest="plans", default=DEFAULT_PLANS, metavar="PLANS", help="plans (default: %(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace a configuration of that name")


def run(arguments: argparse.Namespace) -> int:
    """Write the configuration or configurations and print them with the commands that come next."""
    chosen = arguments.dataset_id, arguments.preset, dict(map(parse_change, arguments.changes))
    options = {"name": arguments.name, "plans": arguments.plans, "overwrite": arguments.overwrite}
    if arguments.preset in PRESET_GROUPS:
        group = plan_group(*chosen, **options)
        planned, commands = list(group.members.values()), group.commands
    else:
        planned = [plan(*chosen, **options)]
        commands = planned[0].commands
    for each in planned:
        _show(each, briefly=len(planned) > 1)
    print("next:", *commands, sep="\n  ")
    return 0


def _show(planned: PlannedConfiguration, *, briefly: bool) -> None:
    state = "wrote" if planned.written else "unchanged:"
    print(f"{state} configuration {planned.name} in {planned.plans_file}")
    for key, value in planned.content.items():
        if briefly and key != BLOCK:
            continue
        if key == "architecture":
            kwargs = value["arch_kwargs"]
            print(f"  architecture: features {kwargs['features_per_stage']}, strides {kwargs['strides']}")
        else:
            print(f"  {key}: {json.dumps(value)}")
    if planned.remark:
        print(f"note: {planned.remark}")


def parse_change(text: str) -> tuple[str, Any]:
    """Take `key=value` apart; the value is JSON, a list with commas (16,32,64), or else text.

    Raises:
        UsageError: There is no key or no equals sign.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"--set: expected KEY=VALUE, got {text!r}")
    return key.strip(), value_of(value.strip())
