"""Pages with the slices of every case, worst first, in a folder beside the report."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.evaluation.reporting.cases import CaseLine
from nnunet_cardiac_ext.evaluation.reporting.hearts import draw_heart
from nnunet_cardiac_ext.evaluation.reporting.render import render
from nnunet_cardiac_ext.evaluation.reporting.scores import structures
from nnunet_cardiac_ext.evaluation.reporting.sources import Sources
from nnunet_cardiac_ext.progress import progress

# Some 70 kB each: a page of about 2 MB.
CASES_PER_PAGE = 25


def write_case_pages(
    report: Path, sources: Sources, lines: Sequence[CaseLine], *, title: str, quiet: bool
) -> list[dict[str, str]]:
    """Write the pages into a folder named after the report; it appears when all of them are written.

    Args:
        report: The page that they lie beside.
        sources: Where labels and images are.
        lines: The cases in their order.
        title: Heading of the report.
        quiet: No progress bar.

    Returns:
        Of each page its address from the report, its first and its last case.

    Raises:
        WorkError: A page cannot be written.
    """
    parts = [lines[start : start + CASES_PER_PAGE] for start in range(0, len(lines), CASES_PER_PAGE)]
    pages = [
        {"name": f"cases_{k:03d}.html", "first": part[0].case, "last": part[-1].case}
        for k, part in enumerate(parts, start=1)
    ]
    folder = report.with_name(f"{report.stem}_cases")
    partial = folder.with_name(f".{uuid.uuid4().hex[:8]}.{folder.name}")
    try:
        partial.mkdir(parents=True)
        for k, part in enumerate(progress(parts, label="drawing pages of cases", quiet=quiet)):
            hearts = [draw_heart(sources, "", line) for line in part]
            text = render(
                "cases.html.j2", title=title, hearts=hearts, structures=structures(sources.labels), number=k,
                pages=pages, report=f"../{report.name}", has_reference=sources.reference is not None,
            )  # fmt: skip
            (partial / pages[k]["name"]).write_text(text, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    except OSError as error:
        raise WorkError(f"{folder}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return [page | {"address": f"{folder.name}/{page['name']}"} for page in pages]
