"""The outlines of a mouse's left ventricle as Segment keeps them: closed curves in voxels, counted from 1."""

from __future__ import annotations

import numpy as np

from nnunet_cardiac_ext.phantoms.mouse_scan import Scan

# Segment's own number; the last point is the first one again.
CONTOUR_POINTS = 80
CONTOUR_FIELDS = ("EndoX", "EndoY", "EpiX", "EpiY")


def frame_contours(scan: Scan, frame: int) -> dict[str, np.ndarray]:
    """Return the outlines in a frame.

    Args:
        scan: The scan.
        frame: Index of the frame, from 0.

    Returns:
        EndoX, EndoY, EpiX and EpiY, each (point, slice) in the order of the files: X along the rows, Y along the
        columns, 1 at the centre of the first voxel; NaN in a slice that the ventricle does not reach.
    """
    heart, stack = scan.heart(frame), scan.stack
    angles = np.linspace(0, 2 * np.pi, CONTOUR_POINTS)
    contours = {name: np.full((CONTOUR_POINTS, len(stack.depths)), np.nan) for name in CONTOUR_FIELDS}
    for position, index in enumerate(scan.order):
        z, shift = stack.depths[index], stack.shifts[index]
        for name, outline in (("Endo", heart.endocardium), ("Epi", heart.epicardium)):
            radius = outline(angles, z)
            if radius.max() > 0:
                x, y = heart.pictured(radius * np.cos(angles), radius * np.sin(angles), z)
                contours[f"{name}X"][:, position] = (y + shift[1]) / stack.voxel + stack.origin[0] + 1
                contours[f"{name}Y"][:, position] = (x + shift[0]) / stack.voxel + stack.origin[1] + 1
    return contours
