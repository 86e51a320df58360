"""Drawn hearts as label stacks, for the tests of the quality checks: none of the checks may flag them."""

from __future__ import annotations

import numpy as np

from nnunet_cardiac_ext.anatomy import CINE, LGE, MOUSE
from nnunet_cardiac_ext.evaluation.quality.stack import LabelStack

SPACING = (10.0, 1.5, 1.5)
SIZE = 96
CENTRE = (48, 56)


def values_of(label_map):
    return {name: label_map.values[name] for name in label_map.structures}


def cine_stack(*, slices=9, cavity=15, wall=6, right=18):
    """Base first; cavity and RV taper towards the apex, the RV ends before it."""
    array = np.zeros((slices, SIZE, SIZE), dtype=np.uint8)
    for k in range(slices):
        size = np.sqrt(1 - (k / slices) ** 2)
        if k < slices - 2:
            array[k][_disc(CENTRE[0], CENTRE[1] - 24 * size, right * size)] = 1
        array[k][_disc(*CENTRE, (cavity + wall) * size)] = 2
        array[k][_disc(*CENTRE, cavity * size)] = 3
    return LabelStack(array, SPACING, values_of(CINE), base_first=True)


def systolic_stack():
    """The same heart contracted: smaller cavities, a thicker wall of the same mass."""
    return cine_stack(cavity=11, wall=7.5, right=14)


def lge_stack():
    """An infarct in a quarter of the ring of four slices, with no-reflow in its middle."""
    cine = cine_stack()
    array = np.zeros_like(cine.array)
    array[cine.array == 3] = 1
    array[cine.array == 2] = 2
    rows, columns = np.indices(array.shape[1:])
    angle = np.degrees(np.arctan2(rows - CENTRE[0], columns - CENTRE[1]))
    for k in range(2, 6):
        array[k][(array[k] == 2) & (np.abs(angle) < 45)] = 3
        array[k][(array[k] == 3) & (np.abs(angle) < 15) & _disc(*CENTRE, 18 * np.sqrt(1 - (k / len(array)) ** 2))] = 4
    return LabelStack(array, SPACING, values_of(LGE))


def mouse_stack():
    """The wall alone, a hundredth as long as a human heart's."""
    array = (cine_stack().array == 2).astype(np.uint8)
    return LabelStack(array, (1.0, 0.1, 0.1), values_of(MOUSE))


def _disc(row, column, radius):
    rows, columns = np.ogrid[:SIZE, :SIZE]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
