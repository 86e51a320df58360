"""Contours to masks, exactly: which share of each voxel a polygon covers."""

from __future__ import annotations

import numpy as np


def coverage(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the share of each voxel that lies inside a closed polygon.

    The shares are exact, not sampled: each edge is cut at the borders of voxels, and every piece adds the area to its
    right (Green's theorem). A grid of test points, as `matplotlib.path` would need, is coarser and far slower.

    Args:
        rows: Coordinates of the corners along the rows, 0 at the centre of the first voxel, shape (point,). Whether
            the last point repeats the first makes no difference.
        columns: The same along the columns.
        shape: Number of rows and columns; the polygon lies inside, between -0.5 and size - 0.5.

    Returns:
        Shares from 0 to 1, shape (row, column). Where the polygon crosses itself, what it encircles.

    Raises:
        ValueError: A corner lies outside.
    """
    for name, values, size in (("row", rows, shape[0]), ("column", columns, shape[1])):
        if values.min() < -0.5 or values.max() > size - 0.5:
            raise ValueError(
                f"expected contours inside the image, {name} -0.5 to {size - 0.5:g}, "
                f"got {values.min():.1f} to {values.max():.1f}"
            )
    y, x = _cut_at_borders(np.asarray(rows, dtype=np.float64) + 0.5, np.asarray(columns, dtype=np.float64) + 0.5)
    height, middle_x, middle_y = np.diff(y), (x[1:] + x[:-1]) / 2, (y[1:] + y[:-1]) / 2
    row = np.floor(middle_y).astype(np.int64).clip(0, shape[0] - 1)
    column = np.floor(middle_x).astype(np.int64).clip(0, shape[1] - 1)
    change = np.zeros((shape[0], shape[1] + 1))
    np.add.at(change, (row, column), height * (column + 1 - middle_x))
    np.add.at(change, (row, column + 1), height * (middle_x - column))
    return np.abs(change.cumsum(axis=1)[:, :-1]).clip(0, 1)


def area(rows: np.ndarray, columns: np.ndarray) -> float:
    """Return the area of a closed polygon in voxels (shoelace formula)."""
    return float(abs(rows @ np.roll(columns, -1) - columns @ np.roll(rows, -1)) / 2)


def _cut_at_borders(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add a corner wherever the polygon crosses a border between voxels, so that each piece lies in one voxel."""
    y, x = np.append(y, y[0]), np.append(x, x[0])
    corners = np.arange(len(y))
    along = np.unique(np.concatenate([corners, _crossings(y), _crossings(x)]))
    return np.interp(along, corners, y), np.interp(along, corners, x)


def _crossings(values: np.ndarray) -> np.ndarray:
    """Where a polyline passes whole numbers, as index of the edge plus the part of it."""
    start, end = values[:-1], values[1:]
    first = np.floor(np.minimum(start, end)) + 1
    count = np.maximum(np.ceil(np.maximum(start, end)) - first, 0).astype(np.int64)
    edge = np.repeat(np.arange(len(start)), count)
    step = np.arange(count.sum()) - np.repeat(count.cumsum() - count, count)
    return edge + (first[edge] + step - start[edge]) / (end - start)[edge]
