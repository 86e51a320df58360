"""Hearts whose cross-sections are rings of known radii, in cine labels, for tests of what measures the wall."""

import numpy as np

LABELS = {"RV": 1, "MYO": 2, "LV": 3}
LGE_LABELS = {"LV": 1, "MYO": 2, "INFARCT": 3, "NOREFLOW": 4}


def polar(shape, spacing, centre=(0.0, 0.0)):
    """Radius in mm and angle in degrees (0 left of the image, 90 its top) about the middle plus `centre` voxels."""
    rows, columns = np.indices(shape)
    y = (rows - shape[0] // 2 - centre[0]) * spacing[-2]
    x = (columns - shape[1] // 2 - centre[1]) * spacing[-1]
    return np.hypot(x, y), np.rad2deg(np.arctan2(-y, -x)) % 360


def ring(inner, outer, *, shape=(96, 96), spacing=(1.0, 1.0), centre=(0.0, 0.0)):
    """One slice: cavity 3 inside `inner`, wall 2 up to `outer`; radii in mm, or functions of the angle in degrees."""
    radius, angle = polar(shape, spacing, centre)
    inner, outer = (limit(angle) if callable(limit) else limit for limit in (inner, outer))
    return np.where(radius < inner, 3, np.where(radius < outer, 2, 0)).astype(np.uint8)


def ring_heart(wall=8.0, *, septum=0.0, slices=9, inner=20.0, spacing=(8.0, 1.0, 1.0), bump=None, rv=True, rv_gap=0.0):
    """A stack from base to apex whose cavity shrinks; the wall is `wall` mm thick.

    `bump` = (angle, extra mm): the wall is thicker within 30 degrees of an angle of the heart, counted from the septum
    over the anterior wall as a usual display has it. `septum` is where the RV lies in the image, degrees.
    """
    stack = []
    for k in range(slices):
        cavity = inner * (1 - 0.5 * k / slices)

        def outer(angle, cavity=cavity):
            if bump is None:
                return np.full_like(angle, cavity + wall)
            off = (angle - septum - bump[0] + 180) % 360 - 180
            return cavity + wall + np.where(np.abs(off) < 30, bump[1], 0)

        plane = ring(cavity, outer, shape=(120, 120), spacing=spacing)
        if rv:
            away = cavity + wall + rv_gap + 6
            aim = np.deg2rad(septum)
            centre = (-np.sin(aim) * away / spacing[1], -np.cos(aim) * away / spacing[2])
            near, _ = polar(plane.shape, spacing, centre)
            whole, _ = polar(plane.shape, spacing)
            clear = whole > cavity + wall + rv_gap
            plane[(near < 0.8 * (cavity + wall)) & (plane == 0) & clear] = 1
        stack.append(plane)
    return np.stack(stack)


def oblique_axes(mirrored=False):
    """Directions of column, row and slice of a short-axis stack in ITK's patient coordinates, seen from the apex."""
    into_screen = -np.array([1.0, -1.0, -1.0]) / np.sqrt(3)
    column = np.cross([0.0, 0.0, 1.0], into_screen)
    column /= np.linalg.norm(column)
    row = np.cross(into_screen, column)
    return np.column_stack([-column if mirrored else column, row, into_screen])
