"""`nnunet-cardiac plan`: write a preset or settings of your own into a plans file."""

from __future__ import annotations

import argparse
import json
from typing import Any

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.plans import DEFAULT_PLANS, PLAN_KEYS, plan
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.settings import KNOWN


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("-d", dest="dataset_id", type=int, required=True, metavar="ID", help="number of the data set")
    parser.add_argument("--preset", required=True, choices=list(PRESETS), help="what the configuration starts from")
    parser.add_argument(
        "--set",
        dest="changes",
        action="extend",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help=f"change values (one or more): {', '.join((*PLAN_KEYS, *KNOWN))}; see docs/methods/settings.md",
    )
    parser.add_argument("--name", metavar="CONFIG", help="name of the configuration (default: the preset's)")
    parser.add_argument("-p", dest="plans", default=DEFAULT_PLANS, metavar="PLANS", help="plans (default: %(default)s)")
    parser.add_argument("--overwrite", action="store_true", help="replace a configuration of that name")


def run(arguments: argparse.Namespace) -> int:
    """Write the configuration and print it with the commands that come next."""
    planned = plan(
        arguments.dataset_id,
        arguments.preset,
        dict(map(parse_change, arguments.changes)),
        name=arguments.name,
        plans=arguments.plans,
        overwrite=arguments.overwrite,
    )
    state = "wrote" if planned.written else "unchanged:"
    print(f"{state} configuration {planned.name} in {planned.plans_file}")
    for key, value in planned.content.items():
        if key == "architecture":
            kwargs = value["arch_kwargs"]
            print(f"  architecture: features {kwargs['features_per_stage']}, strides {kwargs['strides']}")
        else:
            print(f"  {key}: {json.dumps(value)}")
    print("next:", *planned.commands, sep="\n  ")
    return 0


def parse_change(text: str) -> tuple[str, Any]:
    """Take `key=value` apart; the value is JSON, a list with commas (16,32,64), or else text.

    Raises:
        UsageError: There is no key or no equals sign.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"--set: expected KEY=VALUE, got {text!r}")
    return key.strip(), _parsed(value.strip())


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return [_parsed(part.strip()) for part in value.split(",")] if "," in value else value
