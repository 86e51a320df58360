"""What `evaluation.json` says of an evaluation: how it was made, with what, and what was left out."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext.evaluation.conventions import find_conventions
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION, NSD_TOLERANCE_MM
from nnunet_cardiac_ext.evaluation.scoring_settings import DEFAULT_SCHEME, ScoringSettings

PACKAGES = ("nnunet-cardiac-ext", "nnunetv2", "numpy", "scipy", "SimpleITK")


@dataclass(frozen=True)
class Request:
    """What was asked for.

    Attributes:
        reference: Folder of reference labels.
        prediction: Folder of predicted labels.
        output: Folder of the tables.
        settings: What was scored and how.
        cases: The case table, or None.
        by: Its columns to summarise by.
    """

    reference: Path
    prediction: Path
    output: Path
    settings: ScoringSettings
    cases: Path | None
    by: Sequence[str]

    def command(self) -> str:
        """Return the command line that does the same."""
        words = ["nnunet-cardiac", "evaluate", "-ref", str(self.reference), "-pred", str(self.prediction)]
        words += ["-o", str(self.output)]
        # Only where they were named: with --labels other values in the files count as background.
        if self.settings.others_as_background:
            words += ["--labels", ",".join(f"{name}={value}" for name, value in self.settings.labels.items())]
        words += ["--cases", str(self.cases)] if self.cases else []
        words += ["--by", *self.by] if self.by else []
        return shlex.join(words + _choices(self.settings))


def facts(request: Request, *, cases: int, failures: Mapping[str, str], **outcome: Sequence[str]) -> dict[str, Any]:
    """Return the content of `evaluation.json`.

    Args:
        request: What was asked for.
        cases: Number of scored cases.
        failures: One line by case that could not be scored.
        outcome: Lists of lines: remarks, cases without a prediction.
    """
    settings = request.settings
    return {
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": request.command(),
        "reference": str(request.reference.resolve()),
        "prediction": str(request.prediction.resolve()),
        "case_table": str(request.cases.resolve()) if request.cases else "",
        "labels": dict(settings.labels),
        "by": list(request.by),
        "conventions": {found.name: found.definition for found in find_conventions(settings.conventions)},
        "metrics": list(dict.fromkeys(metric.name for _, _, metrics in settings.tasks() for metric in metrics)),
        "scheme": settings.scheme,
        "nsd_tolerance_mm": settings.nsd_tolerance,
        "slices": settings.slices,
        "others_as_background": settings.others_as_background,
        "cases": cases,
        "failures": dict(failures),
        **{name: list(lines) for name, lines in outcome.items()},
        "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
    }


def _choices(settings: ScoringSettings) -> list[str]:
    """The options of what is not the default."""
    words = ["--convention", *settings.conventions] if settings.conventions != (CONVENTION,) else []
    words += ["--metrics", ",".join(settings.metrics)] if settings.metrics is not None else []
    words += ["--scheme", settings.scheme] if settings.scheme != DEFAULT_SCHEME else []
    words += ["--nsd-tolerance", f"{settings.nsd_tolerance:g}"] if settings.nsd_tolerance != NSD_TOLERANCE_MM else []
    return words + (["--slices"] if settings.slices else [])
