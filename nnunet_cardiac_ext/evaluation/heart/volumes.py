"""`volumes.csv`: volumes, myocardial mass and lesions of each image."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnunet_cardiac_ext.anatomy import CUBIC_MM_PER_ML, INFARCT, MYOCARDIAL_DENSITY
from nnunet_cardiac_ext.evaluation.clinical import lesion, myocardial_volume

# Structures that a mouse study labels: its heart is told in mm3 and mg.
SMALL_HEART = frozenset(("MYO", "LV"))


def structure_volumes(
    array: np.ndarray, spacing: tuple[float, float, float], labels: Mapping[str, int]
) -> dict[str, float]:
    """Return the volume in ml of each structure: its voxels times the voxel volume; 0 where it is absent.

    Args:
        array: Integer labels (slice, row, column).
        spacing: Spacing in mm as (slice, row, column); between slices that of their centres, gap included.
        labels: Label value by structure name.
    """
    counts = np.bincount(array.ravel(), minlength=max(labels.values()) + 1)
    voxel = float(np.prod(spacing)) / CUBIC_MM_PER_ML
    return {name: float(counts[value]) * voxel for name, value in labels.items()}


def image_numbers(volumes: Mapping[str, float]) -> dict[str, float]:
    """Return the numbers of one image by column name.

    The infarct is INFARCT and NOREFLOW together (no-reflow lies within it), the myocardium MYO and both; percentages
    are of the myocardium. They are NaN where there is no myocardium.

    Args:
        volumes: Volume in ml by structure; what the labels do not have gives no column.
    """
    muscle = myocardial_volume(volumes)
    numbers = {f"{name.lower()}_volume_ml": volumes[name] for name in ("LV", "RV") if name in volumes}
    numbers |= {"myocardium_volume_ml": muscle, "myocardium_mass_g": muscle * MYOCARDIAL_DENSITY}
    if volumes.keys() <= SMALL_HEART:
        cubic = muscle * CUBIC_MM_PER_ML
        numbers |= {"myocardium_volume_mm3": cubic, "myocardium_mass_mg": cubic * MYOCARDIAL_DENSITY}
    if "INFARCT" in volumes:
        numbers |= _lesion("infarct", volumes, INFARCT)
    if "NOREFLOW" in volumes:
        numbers |= _lesion("noreflow", volumes, ("NOREFLOW",))
    return numbers


def _lesion(name: str, volumes: Mapping[str, float], parts: tuple[str, ...]) -> dict[str, float]:
    mass, share = lesion(volumes, parts)
    return {f"{name}_mass_g": mass, f"{name}_percent_of_lv_mass": share}
