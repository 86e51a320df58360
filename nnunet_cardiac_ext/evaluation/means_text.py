"""The means of an evaluation as lines of text, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnunet_cardiac_ext.evaluation.conventions import CONVENTIONS
from nnunet_cardiac_ext.evaluation.folder import EvaluationResult
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION
from nnunet_cardiac_ext.evaluation.scoring import WHOLE
from nnunet_cardiac_ext.evaluation.scoring_settings import DEFAULT_SCHEME
from nnunet_cardiac_ext.evaluation.summary import SummaryRow

# What is shown of our own convention, where it was computed; the rest is in the files.
SHOWN = ("dice", "hd95", "assd")
FIRST_COLUMN = 22
COLUMN = 13


def means_as_text(result: EvaluationResult, *, scheme: str = DEFAULT_SCHEME) -> Iterator[str]:
    """Yield one table per convention, and what was not scored.

    Args:
        result: The evaluation.
        scheme: Scheme of its regions; named where it is not the default.
    """
    overall = [row for row in result.summary if not row.column]
    for name in dict.fromkeys(row.convention for row in overall):
        rows = [row for row in overall if row.convention == name and row.unit != "voxels"]
        shown = [row for row in rows if row.metric in SHOWN] if name == CONVENTION else []
        about = f"{len(result.cases)} cases, means"
        if name != CONVENTION:
            about += f", {CONVENTIONS[name].title}"
        elif scheme != DEFAULT_SCHEME:
            about += f", {scheme}"
        yield from _table(about, shown or rows)
    if result.unpredicted:
        yield f"not predicted, not scored: {len(result.unpredicted)} cases (listed in evaluation.json)"
    yield f"tables: {result.output}"


def _table(about: str, rows: Sequence[SummaryRow]) -> Iterator[str]:
    """One line per structure, one column per metric and region."""
    metrics = list(dict.fromkeys(row.metric for row in rows))
    columns = sorted(dict.fromkeys((row.metric, row.region) for row in rows), key=lambda key: metrics.index(key[0]))
    by_region = {metric for metric, region in columns if region != WHOLE}
    first_row = {row.metric: row for row in reversed(rows)}
    titles = [_title(first_row[metric], region, by_region) for metric, region in columns]
    widths = [max(COLUMN, len(title) + 2) for title in titles]
    first = max(FIRST_COLUMN, len(about))
    yield about.ljust(first) + "".join(f"{title:>{width}}" for title, width in zip(titles, widths, strict=True))
    means = {(row.structure, row.metric, row.region): row.mean for row in rows}
    for structure in dict.fromkeys(row.structure for row in rows):
        cells = [means.get((structure, *column)) for column in columns]
        texts = ["" if mean is None else f"{mean:.3f}" for mean in cells]
        yield structure.ljust(first) + "".join(f"{text:>{width}}" for text, width in zip(texts, widths, strict=True))


def _title(row: SummaryRow, region: str, by_region: set[str]) -> str:
    known = CONVENTIONS[row.convention].metrics.get(row.metric)
    title = known.title if known else row.metric
    unit = "" if row.unit == "1" else f" {row.unit}"
    return f"{title}{unit}" + (f" {region}" if row.metric in by_region else "")
