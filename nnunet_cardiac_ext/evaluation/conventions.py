"""Conventions of scoring side by side: what a challenge or another program computes from the same masks.

A convention is a set of metrics and the structures that they are computed for. A new one is one more entry here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from nnunet_cardiac_ext.anatomy import INFARCT, MYOCARDIUM
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.foreign_metrics import (
    ACDC_METRICS,
    CROCNET_METRICS,
    EMIDEC_METRICS,
    MNMS_METRICS,
    NNUNET_METRICS,
)
from nnunet_cardiac_ext.evaluation.metrics import CONVENTION, METRICS, Metric


@dataclass(frozen=True)
class Structure:
    """What is scored as one: a label, or several labels joined.

    Attributes:
        name: What stands in the column `structure`.
        parts: The labels that belong to it.
        metrics: Names of the metrics that it gets; empty: all of the convention.
        whole: The labels whose volume in the reference relative volumes refer to.
    """

    name: str
    parts: tuple[str, ...]
    metrics: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()


@dataclass(frozen=True)
class Convention:
    """A way of scoring.

    Attributes:
        name: What stands in the column `convention` and behind `--convention`.
        title: Its name in words.
        definition: What sets it apart.
        metrics: Its metrics by name.
        each_label: Whether every label is scored.
        joined: Structures joined from labels: beside the labels where the data set has all parts, and required
            where `each_label` is False.
    """

    name: str
    title: str
    definition: str
    metrics: Mapping[str, Metric]
    each_label: bool = True
    joined: tuple[Structure, ...] = ()

    def structures(self, labels: Sequence[str]) -> tuple[Structure, ...]:
        """Return what is scored of a data set with these labels.

        Raises:
            UsageError: The convention needs a label that is not there.
        """
        present = tuple(structure for structure in self.joined if set(structure.parts) <= set(labels))
        if not self.each_label and len(present) < len(self.joined):
            needed = dict.fromkeys(part for structure in self.joined for part in structure.parts)
            raise UsageError(
                f"--convention {self.name}: expected the labels {', '.join(needed)}, got {', '.join(labels)}; "
                "name them with --labels"
            )
        single = tuple(Structure(name, (name,)) for name in labels) if self.each_label else ()
        return single + present


_SCAR_METRICS = ("dice", "volume_difference", "relative_volume_difference")

CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {
        convention.name: convention
        for convention in (
            Convention(
                CONVENTION, "nnU-Net cardiac",
                "True geometry: spacing in mm in the order of the axes, 3-D; NaN with a reason where undefined.",
                METRICS,
                joined=(Structure("Myocardium", MYOCARDIUM), Structure("Infarction", INFARCT)),
            ),
            Convention(
                "acdc", "ACDC platform",
                "Both masks empty: Dice 1, HD 0, ASSD 0. One empty: Dice 0, HD 1, ASSD 1, which is no distance.",
                ACDC_METRICS,
            ),
            Convention(
                "mnms", "M&Ms organisers",
                "A structure that one mask lacks: Dice 0, Jaccard 0, HD -1, ASSD -1. The -1 go into means.",
                MNMS_METRICS,
            ),
            Convention(
                "emidec", "EMIDEC challenge",
                "Myocardium is 2+3+4, infarction 3+4, no-reflow 4; the cavity is not scored. Both masks empty: Dice "
                "1, one empty: 0. The Hausdorff distance mixes up the axes of slices and columns.",
                EMIDEC_METRICS, each_label=False,
                joined=(
                    Structure("Myocardium", MYOCARDIUM, ("dice", "volume_difference", "hd")),
                    Structure("Infarction", INFARCT, _SCAR_METRICS, MYOCARDIUM),
                    Structure("NoReflow", ("NOREFLOW",), _SCAR_METRICS, MYOCARDIUM),
                ),
            ),
            Convention(
                "nnunet", "nnU-Net's summary.json",
                "Dice and IoU over the stack, NaN where both masks are empty (its means leave them out), and counts.",
                NNUNET_METRICS,
            ),
            Convention(
                "crocnet", "CroCNet's script",
                "Slice by slice (2-D): HD95 in pixels as the published script computes it, and in mm; the maximum "
                "in mm. A slice that one mask lacks has no distance (the script stops there).",
                CROCNET_METRICS,
            ),
        )
    }
)  # fmt: skip

ALIASES: Mapping[str, str] = MappingProxyType({"challenge": "emidec"})


def find_conventions(names: Sequence[str]) -> tuple[Convention, ...]:
    """Return the conventions of these names or aliases, each once, in the order given.

    Raises:
        UsageError: A name is unknown, or there is none.
    """
    known = [*CONVENTIONS, *ALIASES]
    for name in names or ("",):
        if name not in known:
            raise UsageError(f"--convention: expected one or more of {', '.join(known)}, got {name!r}")
    return tuple(CONVENTIONS[name] for name in dict.fromkeys(ALIASES.get(name, name) for name in names))
