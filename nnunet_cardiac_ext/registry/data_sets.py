"""The data sets that `nnunet-cardiac convert` reads and `nnunet-cardiac phantom` imitates."""

from __future__ import annotations

from collections.abc import Mapping

from nnunet_cardiac_ext.registry.kinds import DataSet, by_name

DATA_SETS: Mapping[str, DataSet] = by_name(
    DataSet(
        "acdc",
        "ACDC",
        "dataset_conversion.acdc",
        "nnunet_cardiac_ext.phantoms.acdc",
        "cine",
        "ACDC",
        "short-axis cine, ED and ES, five diagnosis groups",
        "docs/datasets/acdc.md",
    ),
    DataSet(
        "emidec",
        "EMIDEC",
        "dataset_conversion.emidec",
        "nnunet_cardiac_ext.phantoms.emidec",
        "lge",
        "EMIDEC",
        "short-axis late gadolinium enhancement: cavity, healthy myocardium, infarct, no-reflow",
        "docs/datasets/emidec.md",
    ),
    DataSet(
        "mnms",
        "M&Ms",
        "dataset_conversion.mnms",
        "nnunet_cardiac_ext.phantoms.mnms",
        "cine",
        "MNMs",
        "short-axis cine, ED and ES, four vendors and five centres",
        "docs/datasets/mnms.md",
    ),
    DataSet(
        "mnms2",
        "M&Ms-2",
        "dataset_conversion.mnms2",
        "nnunet_cardiac_ext.phantoms.mnms2",
        "cine",
        "MNMs2",
        "short-axis and 4-chamber long-axis cine, ED and ES, three vendors, eight groups",
        "docs/datasets/mnms2.md",
    ),
    DataSet(
        "mouse",
        "Mouse",
        "dataset_conversion.mouse",
        "nnunet_cardiac_ext.phantoms.mouse",
        "mouse",
        "Mouse",
        "short-axis cine of mice, myocardium of the left ventricle, from HDF5, Segment or NIfTI files",
        "docs/datasets/mouse.md",
    ),
)
