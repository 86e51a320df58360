"""The one owner of geometry: spacing from pixdim, axes from the affine's directions, one consistent affine for writing.

Many cardiac files carry an affine that contradicts their pixdim (ACDC and EMIDEC: unit scales where pixdim is right),
or axes that are not at right angles (M&Ms). So the scale of an affine is never used, and its axes are repaired.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

# Axes stored as float32 are off right angles by up to about 1e-5 degrees; below this the shear is only rounding.
SHEAR_TOLERANCE_DEGREES = 0.01
# The relative difference of two spacings that are meant to be the same; headers round to about six digits.
SPACING_TOLERANCE = 1e-3
# Slices are at least this much farther apart than pixels; below that a volume is near isotropic and tells nothing.
SLICE_SPACING_RATIO = 1.5


@dataclass(frozen=True)
class Geometry:
    """Where the voxels of a volume (slice, row, column) lie.

    Attributes:
        spacing: Spacing in mm as (slice, row, column).
        axes: Unit vectors, at right angles, as columns in the order (column, row, slice): NIfTI's axes x, y, z in its
            patient coordinates, shape (3, 3).
        origin: Position of the first voxel in NIfTI's patient coordinates in mm, shape (3,).
        notes: What was wrong in the header and how it was repaired, one line each.
    """

    spacing: tuple[float, float, float]
    axes: np.ndarray
    origin: np.ndarray
    notes: tuple[str, ...] = ()

    @property
    def affine(self) -> np.ndarray:
        """The consistent affine from voxel (column, row, slice) to patient coordinates in mm, shape (4, 4)."""
        affine = np.eye(4)
        affine[:3, :3] = self.axes * self.spacing[::-1]
        affine[:3, 3] = self.origin
        return affine

    def with_slices_along(self, axis: int) -> Geometry:
        """Return the geometry of the same voxels with NIfTI's axis `axis` (0, 1 or 2) as its third, the slice axis.

        The other two keep their order. An axis that is already the third changes nothing; another one is noted.
        """
        if axis == 2:
            return self
        order = [*(other for other in range(3) if other != axis), axis]
        xyz = self.spacing[::-1]
        note = f"slices lie along axis {axis + 1} of 3, which is made the slice axis"
        spacing = (xyz[order[2]], xyz[order[1]], xyz[order[0]])
        return Geometry(spacing, self.axes[:, order], self.origin, (*self.notes, note))


def geometry_of(pixdim: np.ndarray, affine: np.ndarray) -> Geometry:
    """Combine the spacing of a header with the axes of its affine.

    Args:
        pixdim: The header's spacing in mm of its axes x, y, z, shape (3,).
        affine: The header's best affine, shape (4, 4); its scale is ignored.

    Raises:
        ValueError: A spacing is not a positive number, or the affine holds no three axes.
    """
    spacing = np.asarray(pixdim, dtype=np.float64)
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        raise ValueError(f"expected a positive spacing, got {format_spacing(spacing)} mm")
    scales = np.linalg.norm(affine[:3, :3], axis=0)
    if not (np.isfinite(affine).all() and (scales > 0).all()):
        raise ValueError("expected an affine with three axes, got one that holds NaN or an axis of length 0")
    axes, shear = nearest_orthonormal(affine[:3, :3] / scales)
    notes = []
    if shear > SHEAR_TOLERANCE_DEGREES:
        notes.append(f"axes {shear:.2f} degrees off right angles, repaired to the nearest orthonormal ones")
    if not same_spacing(scales, spacing):
        notes.append(f"affine says {format_spacing(scales)} mm, pixdim {format_spacing(spacing)} mm: pixdim is used")
    return Geometry(tuple(spacing[::-1].tolist()), axes, np.array(affine[:3, 3], dtype=np.float64), tuple(notes))


def slice_axis(shape: tuple[int, ...], spacing: tuple[float, ...]) -> int:
    """Tell which of NIfTI's axes x, y, z the slices lie along: by the geometry, not by the position.

    A single slice lies along its axis of one voxel. A stack's slices are farther apart than its pixels, so they lie
    along the axis of the largest spacing if it stands out (`SLICE_SPACING_RATIO`). Where neither tells, as in a near
    isotropic volume, it is the third axis, where almost all files have it.

    Args:
        shape: Number of voxels along x, y, z.
        spacing: Spacing along x, y, z in mm.

    Returns:
        0, 1 or 2.
    """
    single = [axis for axis in range(3) if shape[axis] == 1]
    if len(single) == 1:
        return single[0]
    by_spacing = sorted(range(3), key=lambda axis: spacing[axis])
    stands_out = spacing[by_spacing[2]] >= SLICE_SPACING_RATIO * spacing[by_spacing[1]]
    return by_spacing[2] if stands_out and not single else 2


def nearest_orthonormal(axes: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the orthonormal matrix nearest to `axes` in the Frobenius norm (the polar factor), and the shear.

    Args:
        axes: Unit vectors as columns, shape (3, 3). Left-handed axes stay left-handed.

    Returns:
        The orthonormal matrix and the largest deviation from a right angle between two of the axes, in degrees.

    Raises:
        ValueError: The axes lie in one plane.
    """
    left, stretches, right = np.linalg.svd(axes)
    if stretches[-1] < 1e-3:
        raise ValueError("expected an affine with three axes, got axes that lie in one plane")
    cosines = (axes.T @ axes)[np.triu_indices(3, k=1)]
    return left @ right, float(np.degrees(np.arcsin(np.abs(cosines).max().clip(max=1))))


def same_spacing(first: Any, second: Any) -> bool:
    """Tell whether two spacings agree to the rounding of headers."""
    return bool(np.allclose(first, second, rtol=SPACING_TOLERANCE, atol=0))


def format_spacing(spacing: Any) -> str:
    """Return a spacing as text, `1.5625x1.5625x10`, in the order given."""
    return "x".join(f"{value:.6g}" for value in spacing)
