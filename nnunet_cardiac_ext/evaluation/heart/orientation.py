"""Where the anterior wall is: which way round a short-axis image turns, and where its septum lies.

Angles in an image are measured about the centre of the left ventricle in mm, from the left of the image (towards the
first column) over its top (towards the first row): the right ventricle of a usual display is at 0, the anterior wall at
90 degrees. Angles of the heart start at the middle of the septum and reach the anterior wall at 90 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# From base to apex the long axis points to the left, forwards and down: (+L, -P, -S) in the patient coordinates of ITK.
LONG_AXIS = np.array([1.0, -1.0, -1.0]) / np.sqrt(3)
# A short-axis plane is oblique to all three patient axes; a normal along one of them belongs to a header that was lost.
LARGEST_COMPONENT = 0.98
# Nor is it nearly at right angles to the usual long axis: 60 degrees off, and the header is of no help.
LEAST_COSINE = 0.5


@dataclass(frozen=True)
class Handedness:
    """Which way round an image turns.

    Attributes:
        sign: 1 as seen from the apex, the usual display; -1 mirrored.
        source: "header", or "display" where the header cannot tell and the usual display is taken for granted.
    """

    sign: int
    source: str


def handedness(axes: np.ndarray | None) -> Handedness:
    """Tell whether an image shows the heart as seen from the apex or mirrored.

    The order of the slices does not matter: the directions of rows and columns alone say from where the plane is seen.
    The header is believed where its plane is oblique and its normal lies near the usual long axis (left, anterior,
    inferior). Else (ACDC and EMIDEC lost their directions, as have many tools' files) the image is taken as radiology
    displays it: seen from the apex, never mirrored.

    Args:
        axes: Directions of column, row and slice as columns in ITK's patient coordinates, shape (3, 3), or None.
    """
    if axes is None:
        return Handedness(1, "display")
    into_screen = np.cross(axes[:, 0], axes[:, 1])
    cosine = float(into_screen @ LONG_AXIS)
    if np.abs(into_screen).max() > LARGEST_COMPONENT or abs(cosine) < LEAST_COSINE:
        return Handedness(1, "display")
    # Seen from the apex, the view goes towards the base.
    return Handedness(1 if cosine < 0 else -1, "header")


def direction(angles: np.ndarray) -> np.ndarray:
    """Return unit vectors (row, column) of angles in the image in radians, shape (..., 2)."""
    return np.stack([-np.sin(angles), -np.cos(angles)], axis=-1)


def angle_of(vector: np.ndarray) -> float:
    """Return the angle in the image in radians of a vector (row, column) in mm."""
    return float(np.arctan2(-vector[0], -vector[1]))


def mean_angle(angles: np.ndarray) -> float:
    """Return the direction of the sum of unit vectors at the angles, radians; NaN for none."""
    return float(np.angle(np.exp(1j * angles).sum())) if len(angles) else float("nan")


def heart_angles(angles: np.ndarray, septum: float, sign: int) -> np.ndarray:
    """Turn angles in the image into angles of the heart, both in radians; the result lies in [0, 2 pi).

    Args:
        angles: Angles in the image, any shape.
        septum: Angle of the middle of the septum in the image.
        sign: `Handedness.sign`.
    """
    return np.mod(sign * (angles - septum), 2 * np.pi)
