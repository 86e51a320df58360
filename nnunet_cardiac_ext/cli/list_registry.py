"""`nnunet-cardiac list`: data sets, trainers, presets and pipelines that exist."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from nnunet_cardiac_ext import registry

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    layout = parser.add_mutually_exclusive_group()
    layout.add_argument("--json", action="store_true", help="print everything that is known as JSON")
    layout.add_argument("--markdown", action="store_true", help="print the tables of README.md")


def run(arguments: argparse.Namespace) -> int:
    """Print the registry."""
    if arguments.json:
        print(as_json())
    elif arguments.markdown:
        print(as_markdown())
    else:
        print(as_text())
    return 0


def as_json() -> str:
    """Return all of the registry as JSON: a list per kind, with every attribute."""
    kinds = {
        "papers": registry.PAPERS,
        "data_sets": registry.DATA_SETS,
        "trainers": registry.TRAINERS,
        "presets": registry.PRESETS,
        "preset_groups": registry.PRESET_GROUPS,
        "pipelines": registry.PIPELINES,
    }
    content = {kind: [_attributes(item) for item in items.values()] for kind, items in kinds.items()}
    return json.dumps(content, indent=2, ensure_ascii=False)


def as_markdown() -> str:
    """Return one Markdown table per kind, with links to the pages in docs/."""
    return "\n\n".join(_markdown_table(table) for table in _tables(linked=True))


def as_text() -> str:
    """Return one table per kind in columns for the terminal."""
    return "\n\n".join(_text_table(table) for table in _tables(linked=False))


def _tables(*, linked: bool) -> list[Table]:
    def name(item: Any) -> str:
        return f"[`{item.name}`]({item.page})" if linked else item.name

    def preset_name(item: registry.Preset | registry.PresetGroup) -> str:
        return f"`{item.name}`" if linked else item.name

    presets = [(preset_name(p), p.trainer, p.inherits_from, p.summary) for p in registry.PRESETS.values()]
    presets += [(preset_name(g), "-", "-", _group_summary(g)) for g in registry.PRESET_GROUPS.values()]
    trainers = [(name(t), t.paper or "-", t.configuration, t.summary) for t in registry.TRAINERS.values()]
    return [
        ("trainer", ("paper", "configuration", "method"), trainers),
        ("data set", ("name", "content"), [(name(d), d.title, d.summary) for d in registry.DATA_SETS.values()]),
        (
            "preset",
            ("trainer", "inherits from", "configuration"),
            presets,
        ),
        (
            "pipeline",
            ("paper", "what it does"),
            [(name(p), p.paper or "-", p.summary) for p in registry.PIPELINES.values()],
        ),
    ]


def _group_summary(group: registry.PresetGroup) -> str:
    return f"{group.summary}: {', '.join(dict.fromkeys(group.members.values()))}"


def _markdown_table(table: Table) -> str:
    first, others, rows = table
    header = (first, *others)
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text_table(table: Table) -> str:
    first, others, rows = table
    lines = [(first, *others), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(others))]
    padded = ([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]] for line in lines)
    return "\n".join("  ".join(cells) for cells in padded)


def _attributes(item: Any) -> dict[str, Any]:
    return {key: dict(value) if isinstance(value, Mapping) else value for key, value in vars(item).items()}
