"""The heart beat: how far contracted the heart is in each frame of a cine."""

from __future__ import annotations

import numpy as np

# Systole takes about a third of the cycle.
_SYSTOLE = 0.36


def cycle(frames: int) -> np.ndarray:
    """Phase of the heart in each cine frame: 0 in the first, 1 at end-systole, a plateau before the next beat."""
    systole = end_systole(frames)
    index = np.arange(frames)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip(index / systole, 0, 1))
    fall = np.clip((index - systole) / (frames - systole), 0, 1)
    return np.where(index <= systole, rise, (1 - fall) ** 2 * (1 + 2 * fall))


def end_systole(frames: int) -> int:
    """Index (from 0) of the end-systolic frame."""
    return max(1, round(_SYSTOLE * frames))
