"""Tables of a study: our numbers, the paper's beside them, written as csv and markdown with their definition."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext.files import write_csv, write_text
from nnunet_cardiac_ext.recipes import TableRecipe

PUBLISHED = "paper_"


@dataclass(frozen=True)
class Table:
    """A table that was made of a study.

    Attributes:
        recipe: What it is.
        rows: Our numbers, each row with the recipe's key columns; a number is a float, NaN where undefined.
        compared_with: Which of the paper's data sets stands beside ours, if it has numbers of that one; "" for none.
        figure: A figure in place of the rows on the page, or None.
    """

    recipe: TableRecipe
    rows: Sequence[Mapping[str, Any]]
    compared_with: str = ""
    figure: Path | None = None


def published_numbers(recipe: TableRecipe, data_set: str) -> dict[tuple[str, ...], dict[str, str]]:
    """Return a paper's numbers for one of its data sets by the table's keys; empty where it has none for that one."""
    if not recipe.published:
        return {}
    source = resources.files("nnunet_cardiac_ext.reproduce") / "published" / recipe.published
    lines = source.read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(lines) if row.pop("data_set") == data_set]
    return {tuple(row[key] for key in recipe.keys): row for row in rows}


def beside(table: Table) -> list[dict[str, Any]]:
    """Return the rows with the paper's numbers in columns that begin with `paper_`, empty where it has none."""
    published = published_numbers(table.recipe, table.compared_with)
    columns = [name for name in next(iter(published.values()), {}) if name not in table.recipe.keys]
    joined = []
    for row in table.rows:
        theirs = published.get(tuple(str(row[key]) for key in table.recipe.keys), {})
        joined.append(dict(row) | {f"{PUBLISHED}{name}": theirs.get(name, "") for name in columns})
    return joined


def write_table(table: Table, folder: Path) -> str:
    """Write `NAME.csv` and `NAME.md` and return the markdown.

    Args:
        table: The table.
        folder: Where to.
    """
    rows = beside(table)
    write_csv(folder / f"{table.recipe.name}.csv", rows)
    lines = [f"## {table.recipe.title}", ""]
    lines += [f"![{table.recipe.title}]({table.figure.name})"] if table.figure else _markdown(rows)
    lines += ["", table.recipe.definition]
    if table.recipe.published:
        lines += ["", _provenance(table)]
    text = "\n".join(lines) + "\n"
    write_text(folder / f"{table.recipe.name}.md", text)
    return text


def _provenance(table: Table) -> str:
    if not published_numbers(table.recipe, table.compared_with):
        return "The paper has no numbers for this data set."
    return f"The columns {PUBLISHED}* are the paper's numbers for {table.compared_with}, with its own training data."


def _markdown(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return ["No rows."]
    header = list(rows[0])
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(_cell(row[name]) for name in header) + " |" for row in rows]


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    if value != value:
        return "undefined"
    return f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:.4g}" if abs(value) < 1 else f"{value:.2f}"
