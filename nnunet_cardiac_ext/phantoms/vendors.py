"""The four vendors of M&Ms as their images differ: contrast, noise, sharpness, grey levels, field of view, matrix.

Rounded from what the challenge's paper reports per centre (Campello et al., IEEE TMI 40(12), 2021, table I) and from a
look at public examples; nothing of a single subject is in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import Contrast, draw_bssfp
from nnunet_cardiac_ext.phantoms.protocol import Protocol
from nnunet_cardiac_ext.phantoms.scanner import Scanner, draw_scanner

Pair = tuple[float, float]


@dataclass(frozen=True)
class Vendor:
    """A vendor as one of its hospitals uses it.

    Attributes:
        letter: Its letter in M&Ms.
        name: Its name.
        centres: Numbers of the hospitals, each as likely as it is often listed.
        protocol: How they image.
        late_diastole: How many frames before the end of the cycle ED may lie; 0 where it is always the first frame.
        front_up: Whether the chest wall is at the top of the image; otherwise it is at the left.
        apex_first: Share of the stacks that begin at the apex.
        floor: Grey values below this share of LV blood are cut to 0.
        corner: Side of the triangle that is cut off a corner by the correction of gradients, as a share of the rows.
    """

    letter: str
    name: str
    centres: tuple[int, ...]
    protocol: Protocol
    late_diastole: int
    front_up: bool
    apex_first: float
    floor: float = 0.0
    corner: float = 0.0

    def finish(self, image: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
        """Do to an image (..., slice, row, column) what the scanner does after reconstruction.

        Args:
            image: Grey levels.
            level: Grey level of LV blood.
            rng: Source of the size of the cut corner.
        """
        finished = np.where(image < self.floor * level, 0, image)
        if self.corner:
            rows, columns = image.shape[-2:]
            # In steps, because the correction works on blocks.
            cut = rng.uniform(0, self.corner, image.shape[-3]) * rows
            steps = np.arange(rows) // 8 * 8
            kept = columns - np.clip(cut[:, None] - steps, 0, None)
            finished[..., np.arange(columns) >= kept[:, :, None]] = 0
        return finished.astype(image.dtype)


def _contrast(rng: np.random.Generator, *, muscle: Pair, rv_blood: Pair, lung: float) -> Contrast:
    """Signals with a vendor's own myocardium, right heart (mean, deviation) and lung (largest)."""
    drawn = draw_bssfp(rng)
    own = float(np.clip(rng.normal(*muscle), 0.14, 0.6))
    solids = own / drawn.muscle
    return replace(
        drawn, muscle=own, liver=drawn.liver * solids, skeletal=drawn.skeletal * solids,
        rv_blood=float(np.clip(rng.normal(*rv_blood), 0.45, 1.1)), lung=rng.uniform(0.03, lung),
    )  # fmt: skip


def _scanner(
    rng: np.random.Generator, *, noise: Pair, blur: Pair, reach: Pair, level: float, grain: float
) -> Scanner:
    """Imaging with a vendor's own noise, point spread and reach of the coil (ranges), grey level and interpolation."""
    return replace(
        draw_scanner(rng), noise=rng.uniform(*noise), blur=rng.uniform(*blur), reach=rng.uniform(*reach),
        level=level * float(np.exp(rng.normal(0, 0.25))), grain=grain,
    )  # fmt: skip


_SIEMENS = Vendor(
    "A", "Siemens", (1,),
    Protocol(
        spacings=(9.6, 9.6, 10, 10, 8), voxels=(1.1667, 1.25, 1.3333, 1.3333, 1.4063), rows=(240, 240, 256),
        columns=(196, 196, 208, 216), row_origin=(0.42, 0.56), column_origin=(0.32, 0.46),
        beyond=(2, 1), contrast=partial(_contrast, muscle=(0.21, 0.03), rv_blood=(0.75, 0.1), lung=0.08),
        scanner=partial(_scanner, noise=(0.012, 0.03), blur=(0.7, 1.0), reach=(80, 150), level=300, grain=0.6),
    ),
    late_diastole=0, front_up=True, apex_first=0.7,
)  # fmt: skip
_PHILIPS = Vendor(
    "B", "Philips", (2, 2, 2, 3),
    Protocol(
        spacings=(10, 10, 10, 9.9, 8), voxels=(1.1824, 1.1824, 1.25, 1.4583), rows=(288, 320, 320),
        columns=(288, 320), row_origin=(0.42, 0.56), column_origin=(0.34, 0.5),
        beyond=(2, 1), contrast=partial(_contrast, muscle=(0.29, 0.04), rv_blood=(0.88, 0.08), lung=0.05),
        scanner=partial(_scanner, noise=(0.025, 0.05), blur=(0.8, 1.1), reach=(220, 420), level=150, grain=0.7),
    ),
    late_diastole=2, front_up=True, apex_first=0.6, floor=0.045,
)  # fmt: skip
_GE = Vendor(
    "C", "GE", (4,),
    Protocol(
        spacings=(10, 10, 10, 8), voxels=(1.3672, 1.4063, 1.4844, 1.4844, 1.5625), rows=(256,), columns=(256,),
        row_origin=(0.42, 0.56), column_origin=(0.4, 0.52),
        beyond=(2, 1), contrast=partial(_contrast, muscle=(0.31, 0.05), rv_blood=(0.8, 0.14), lung=0.1),
        scanner=partial(_scanner, noise=(0.012, 0.03), blur=(0.8, 1.1), reach=(160, 320), level=850, grain=0.8),
    ),
    late_diastole=2, front_up=False, apex_first=0.8, corner=0.35,
)  # fmt: skip
_CANON = Vendor(
    "D", "Canon", (5,),
    Protocol(
        spacings=(10, 10, 10, 12), voxels=(0.9766, 1.0417, 1.1719, 1.25), rows=(288, 320), columns=(288, 320),
        row_origin=(0.42, 0.56), column_origin=(0.36, 0.5),
        beyond=(2, 1), contrast=partial(_contrast, muscle=(0.37, 0.05), rv_blood=(0.92, 0.08), lung=0.14),
        scanner=partial(_scanner, noise=(0.03, 0.06), blur=(1.1, 1.5), reach=(140, 260), level=2600, grain=1.0),
    ),
    late_diastole=3, front_up=True, apex_first=0.5,
)  # fmt: skip

VENDORS: Mapping[str, Vendor] = MappingProxyType({v.letter: v for v in (_SIEMENS, _PHILIPS, _GE, _CANON)})
