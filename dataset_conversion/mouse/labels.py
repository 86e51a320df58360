"""The labels of mouse masks: the myocardium is kept, the blood pool of the left ventricle dropped."""

from __future__ import annotations

import numpy as np

from dataset_conversion.images import SourceError

MYOCARDIUM = 1
POOL = 2


def without_pool(name: str, labels: np.ndarray) -> np.ndarray:
    """Return labels with the blood pool (2) turned into background; what is no whole number stays as it is.

    Args:
        name: The file, for the message.
        labels: Labels as stored, any shape.

    Raises:
        SourceError: There is a whole number other than 0, 1 and 2.
    """
    whole = labels[np.isfinite(labels) & (labels == np.rint(labels))]
    unknown = sorted({int(value) for value in np.unique(whole)} - {0, MYOCARDIUM, POOL})
    if unknown:
        raise SourceError(f"{name}: expected labels {[0, MYOCARDIUM, POOL]}, got also {unknown}")
    return np.where(labels == POOL, np.zeros_like(labels), labels)
