"""How a hospital images: the choices from which a subject's stack, signals and noise are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import Contrast, draw_bssfp
from nnunet_cardiac_ext.phantoms.scanner import Scanner, draw_scanner


@dataclass(frozen=True)
class Protocol:
    """The choices of one hospital; of a tuple of values each is as likely as it is often listed.

    Attributes:
        spacings: Distance between slices, mm.
        voxels: In-plane spacing, mm.
        rows: Rows of the matrix, from head to foot.
        columns: Columns, from front to back.
        row_origin: Range of the heart's row relative to the number of rows.
        column_origin: Range of its column likewise.
        contrast: Draws the tissue signals.
        scanner: Draws coil, point spread, noise and grey levels.
        beyond: Most slices that the stack goes on above the base and below the apex.
    """

    spacings: tuple[float, ...]
    voxels: tuple[float, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    row_origin: tuple[float, float]
    column_origin: tuple[float, float]
    contrast: Callable[[np.random.Generator], Contrast] = draw_bssfp
    scanner: Callable[[np.random.Generator], Scanner] = draw_scanner
    beyond: tuple[int, int] = (0, 0)


ACDC_PROTOCOL = Protocol(
    spacings=(10, 10, 10, 10, 10, 10, 9, 8, 6.5, 5),
    voxels=(1.3672, 1.4063, 1.4453, 1.5625, 1.5625, 1.6797, 1.7857),
    rows=(208, 224, 256, 256),
    columns=(168, 192, 216, 216, 232, 256),
    row_origin=(0.36, 0.52),
    column_origin=(0.36, 0.54),
)
