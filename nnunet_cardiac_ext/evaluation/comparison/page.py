"""The comparison table as markdown, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from nnunet_cardiac_ext.evaluation.comparison.effect_sizes import EFFECT_OF_TEST
from nnunet_cardiac_ext.evaluation.comparison.hypothesis_tests import TESTS
from nnunet_cardiac_ext.evaluation.comparison.models import ComparisonRow, ComparisonSettings

SMALLEST_P = 1e-4
METHOD_WORDS = {"bca": "BCa", "percentile": "percentile"}
CORRECTION_WORDS = {"none": "not corrected", "holm": "corrected by Holm", "bh": "corrected by Benjamini and Hochberg"}


def markdown(rows: Sequence[ComparisonRow], settings: ComparisonSettings, remarks: Sequence[str]) -> str:
    """Return the whole page.

    Args:
        rows: The rows of `comparison.csv`.
        settings: How they were computed.
        remarks: What to know before believing a p-value.
    """
    lines = ["# Comparison", "", *_explanation(rows, settings)]
    lines += [f"- **Note:** {remark}." for remark in remarks]
    for (metric, structure, region, unit, convention), group in groupby(rows, key=lambda row: row[:5]):
        where = f", {region}" if region else ""
        shown = f" ({unit})" if unit not in ("", "1") else ""
        lines += ["", f"## {metric}{shown}, {structure}{where}", "", f"Definition: {convention}.", ""]
        lines += _table(list(group), settings)
    return "\n".join(lines) + "\n"


def p_text(value: float) -> str:
    """Return a p-value as papers print it: "0.034", "< 0.0001", "-" where there is none."""
    if np.isnan(value):
        return "-"
    return f"< {SMALLEST_P:.4f}" if value < SMALLEST_P else f"{value:.2g}" if value < 0.01 else f"{value:.3f}"


def _explanation(rows: Sequence[ComparisonRow], settings: ComparisonSettings) -> Iterator[str]:
    tests = sum(np.isfinite(row.p) for row in rows)
    test = TESTS[settings.test]
    yield f"- Test: {test.title}, two-sided. {test.null}"
    yield f"- p-values {CORRECTION_WORDS[settings.correction]} over the {tests} tests of this page."
    drawn = settings.bootstrap
    yield (
        f"- Difference: the line's mean minus the baseline's, with its {100 * drawn.level:g} % interval "
        f"({METHOD_WORDS[drawn.method]} bootstrap, {drawn.resamples} draws of subjects, seed {drawn.seed})."
    )
    yield f"- Effect: {EFFECT_OF_TEST[settings.test][0]}, positive where the line is larger than the baseline."
    yield f"- One value per {settings.unit}. Undefined values are left out, in pairs with their partner, and counted."


def _table(rows: Sequence[ComparisonRow], settings: ComparisonSettings) -> Iterator[str]:
    pairs = "pairs (left out)" if TESTS[settings.test].paired else "values (left out)"
    yield f"| | n (undefined) | mean ± SD | median | difference [interval] | p | p corrected | effect | {pairs} |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        start = (
            f"| {row.sample} | {row.n} ({row.n_undefined}) | {_number(row.mean)} ± {_number(row.sd)} | "
            f"{_number(row.median)}"
        )
        if not row.baseline:
            yield f"{start} | baseline | | | | |"
            continue
        difference = f"{row.difference:+.4g} [{row.low:+.4g}, {row.high:+.4g}]"
        effect = "-" if np.isnan(row.effect) else f"{row.effect:+.2f}"
        pairs = f"{row.n_pairs} ({row.n_left_out})"
        why = f" ({row.reason})" if row.reason else ""
        yield f"{start} | {difference} | {p_text(row.p)}{why} | {p_text(row.p_corrected)} | {effect} | {pairs} |"


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.4g}"
