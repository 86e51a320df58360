"""What is scored and how: the choices of one evaluation, checked once and sent to each worker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite

from nnunet_cardiac_ext import __version__
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.conventions import Structure, find_conventions
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION, NSD_TOLERANCE_MM, Metric, nsd_metric
from nnunet_cardiac_ext.regions import END_SHARES

DEFAULT_SCHEME = "20/60/20"


@dataclass(frozen=True)
class ScoringSettings:
    """The choices of an evaluation.

    Attributes:
        labels: Label value by structure name, without the background.
        conventions: Names of the conventions, aliases resolved.
        metrics: Names of the metrics to compute; None: all of each convention but those on request.
        scheme: Regions of `metrics.csv`: "20/60/20" or "thirds".
        nsd_tolerance: Tolerance of the normalised surface Dice in mm.
        slices: Whether slices are scored too.
        others_as_background: Whether other label values in the files count as background; else they are an error.
    """

    labels: Mapping[str, int]
    conventions: tuple[str, ...] = (CONVENTION,)
    metrics: tuple[str, ...] | None = None
    scheme: str = DEFAULT_SCHEME
    nsd_tolerance: float = NSD_TOLERANCE_MM
    slices: bool = False
    others_as_background: bool = False

    def __post_init__(self) -> None:
        """Resolve aliases and check the choices.

        Raises:
            UsageError: A choice is unknown, or does not fit the labels.
        """
        object.__setattr__(self, "labels", dict(self.labels))
        object.__setattr__(self, "conventions", tuple(found.name for found in find_conventions(self.conventions)))
        if self.scheme not in END_SHARES:
            raise UsageError(f"--scheme: expected one of {', '.join(END_SHARES)}, got {self.scheme!r}")
        if not (isfinite(self.nsd_tolerance) and self.nsd_tolerance > 0):
            raise UsageError(f"--nsd-tolerance: expected a positive number of mm, got {self.nsd_tolerance:g}")
        self.tasks()

    def tasks(self) -> list[tuple[str, Structure, tuple[Metric, ...]]]:
        """Return convention, structure and metrics in the order of the tables.

        Raises:
            UsageError: A metric is in none of the conventions, or a convention lacks a label.
        """
        offered: dict[str, None] = {}
        tasks = []
        for convention in find_conventions(self.conventions):
            metrics = self._offered_by(convention.metrics)
            offered |= dict.fromkeys(metrics)
            for structure in convention.structures(tuple(self.labels)):
                chosen = self._chosen(metrics, structure)
                tasks += [(convention.name, structure, chosen)] if chosen else []
        unknown = [name for name in self.metrics or () if name not in (*offered, "nsd")]
        if unknown or not tasks:
            raise UsageError(f"--metrics: expected names of {', '.join(offered)}, got {', '.join(unknown) or 'none'}")
        return tasks

    def digest(self) -> str:
        """Return a short text that changes with any choice and with the version of this package."""
        content = json.dumps([__version__, asdict(self)])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def _offered_by(self, metrics: Mapping[str, Metric]) -> dict[str, Metric]:
        """The metrics of a convention with the surface Dice at the chosen tolerance."""
        at_tolerance = nsd_metric(self.nsd_tolerance)
        found = (at_tolerance if metric.name == "nsd" else metric for metric in metrics.values())
        return {metric.name: metric for metric in found}

    def _chosen(self, metrics: Mapping[str, Metric], structure: Structure) -> tuple[Metric, ...]:
        wanted: Sequence[str]
        if self.metrics is None:
            wanted = [name for name, metric in metrics.items() if not metric.on_request]
        else:
            tolerant = nsd_metric(self.nsd_tolerance).name
            wanted = [tolerant if name == "nsd" else name for name in self.metrics]
        allowed = structure.metrics or tuple(metrics)
        return tuple(metric for name, metric in metrics.items() if name in wanted and name in allowed)
