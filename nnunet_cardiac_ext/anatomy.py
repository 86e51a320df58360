"""Structures of the heart and the canonical label maps, as data.

Every data set has its own order of labels (ACDC: RV first; M&Ms: LV first); converters map each onto one of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

# Density that turns a volume of myocardium into its mass, g/ml: the value of the clinical literature and of ACDC.
MYOCARDIAL_DENSITY = 1.05
CUBIC_MM_PER_ML = 1000.0
# Infarct and no-reflow are myocardium too; cine has MYO alone.
MYOCARDIUM = ("MYO", "INFARCT", "NOREFLOW")
# No-reflow lies inside the infarct, which a label map with one value per voxel cannot say.
INFARCT = ("INFARCT", "NOREFLOW")


@dataclass(frozen=True)
class LabelMap:
    """Names and values of the labels of one kind of image.

    Attributes:
        name: What kind of image: cine, LGE or mouse.
        values: Label value by structure name; the background is 0.
        long_names: The structure in words, for captions.
        channel: Name of the image channel in `dataset.json`.
    """

    name: str
    values: Mapping[str, int]
    long_names: Mapping[str, str]
    channel: str

    @property
    def structures(self) -> tuple[str, ...]:
        """Structure names without the background, by label value."""
        return tuple(sorted((s for s, v in self.values.items() if v), key=self.values.__getitem__))

    def remap(self, labels: np.ndarray, source: Mapping[str, int]) -> np.ndarray:
        """Turn labels of a source's order into this map's values.

        Args:
            labels: Integer labels of any shape.
            source: Label value by structure name as the source has them (background 0 may be left out).

        Returns:
            Labels of the same shape as uint8.

        Raises:
            ValueError: A value in `labels` is neither 0 nor named by `source`.
        """
        table = {0: 0} | {value: self.values[structure] for structure, value in source.items()}
        present = np.unique(labels)
        unknown = [int(value) for value in present if int(value) not in table]
        if unknown:
            raise ValueError(f"expected labels {sorted(table)}, got also {unknown}")
        mapped = np.zeros(labels.shape, dtype=np.uint8)
        for value in present:
            mapped[labels == value] = table[int(value)]
        return mapped


def _label_map(name: str, channel: str, **structures: str) -> LabelMap:
    values = {"background": 0} | {structure: value for value, structure in enumerate(structures, start=1)}
    return LabelMap(name, MappingProxyType(values), MappingProxyType(dict(structures)), channel)


CINE = _label_map(
    "cine", "cine", RV="right ventricular cavity", MYO="left ventricular myocardium", LV="left ventricular cavity"
)
LGE = _label_map(
    "lge", "LGE", LV="left ventricular cavity", MYO="healthy myocardium", INFARCT="infarct", NOREFLOW="no-reflow"
)
MOUSE = _label_map("mouse", "cine", MYO="left ventricular myocardium")
LABEL_MAPS: Mapping[str, LabelMap] = MappingProxyType({m.name: m for m in (CINE, LGE, MOUSE)})
