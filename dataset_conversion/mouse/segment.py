"""Scans exported from the MATLAB program Segment (Medviso), the one that the paper's contours were drawn with.

`setstruct` is an array of image stacks. Of each stack this reads `IM` (row, column, time, slice), the contours
`EndoX`, `EndoY`, `EpiX`, `EpiY` (point, time, slice), `ResolutionX`, `ResolutionY`, `SliceThickness`, `SliceGap` (mm)
and `EDT`, `EST` (ED and ES, counted from 1). In Segment X runs along the rows and Y along the columns, 1 is the centre
of the first voxel, and a contour with a NaN (or of a single point) is none. Its volumes count a slice as thick as
thickness plus gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dataset_conversion.cases import VolumeFile
from dataset_conversion.geometry import Geometry
from dataset_conversion.images import SourceError, Stack
from dataset_conversion.mouse.contours import area, coverage
from dataset_conversion.mouse.matlab import Element, read_elements
from dataset_conversion.mouse.scans import UPRIGHT, Frame

_CONTOURS = ("EndoX", "EndoY", "EpiX", "EpiY")
_RESOLUTION = ("ResolutionX", "ResolutionY", "SliceThickness", "SliceGap")
_TIMES = ("EDT", "EST")
_CONTENT = re.compile(r"(image|labels) of setstruct\((\d+)\)")
# Corners of the smallest polygon.
_FEWEST_POINTS = 3


def survey(path: Path) -> list[Frame]:
    """Return the frames that hold an epicardial contour, of every stack of the file.

    Raises:
        SourceError: The file is damaged, or no stack holds such a contour.
    """
    elements = read_elements(path, (*_CONTOURS, *_TIMES))
    contoured = [number for number, element in enumerate(elements, start=1) if _has(element, "EpiX")]
    frames = [
        frame
        for number in contoured
        for frame in _frames(path, number, elements[number - 1], several=len(contoured) > 1)
    ]
    if not frames:
        raise SourceError(f"{path.name}: expected epicardial contours (EpiX), found none in {len(elements)} stacks")
    return frames


def read(path: Path, content: str) -> Stack:
    """Read the image or the labels of a stack, all frames: what the contents of `survey` name.

    A voxel is myocardium (1) where more than half of it lies between the contours. Without an endocardial contour, as
    at the apex, that is all inside the epicardial one. Papillary muscles lie inside the endocardium, so they are none.

    Raises:
        SourceError: A field is missing or has the wrong size, or contours make no sense.
    """
    match = _CONTENT.fullmatch(content)
    if match is None:
        raise ValueError(f"expected a content of Segment's files, got {content!r}")
    number = int(match[2])
    elements = read_elements(path, ("IM", *_CONTOURS, *_RESOLUTION))
    place = f"{path.name}: setstruct({number})"
    if number > len(elements):
        raise SourceError(f"{place}: expected this stack, got {len(elements)} stacks")
    element = elements[number - 1]
    if not _has(element, "IM"):
        raise SourceError(f"{place}: expected the field IM, got {', '.join(element) or 'none'}")
    image = _padded(element["IM"], 4).transpose(2, 3, 0, 1)
    array = image.astype(np.float32) if match[1] == "image" else _masks(place, element, image.shape)
    return Stack(path, array, _geometry(place, element))


def _frames(path: Path, number: int, element: Element, *, several: bool) -> Iterator[Frame]:
    contoured = np.flatnonzero(_present(element["EpiX"]).any(axis=1))
    phase_of = {int(element[field].flat[0]): field[:2] for field in _TIMES[::-1] if _has(element, field)}
    for index in contoured.tolist():
        image, labels = (VolumeFile(path, index, f"{what} of setstruct({number})") for what in ("image", "labels"))
        yield Frame(index + 1, phase_of.get(index + 1, ""), image, labels, f"stack{number}" if several else "")


def _has(element: Element, field: str) -> bool:
    values = element.get(field)
    return values is not None and values.size > 0 and not (values.dtype.kind == "f" and np.isnan(values).all())


def _padded(array: np.ndarray, axes: int) -> np.ndarray:
    """Add the axes of size 1 that MATLAB drops at the end."""
    return array.reshape(array.shape + (1,) * (axes - array.ndim))


def _present(contours: np.ndarray) -> np.ndarray:
    """Return where there is a contour, (time, slice): neither NaN nor, as other programs write it, all zeros."""
    return np.ptp(_padded(contours, 3), axis=0) > 0


def _masks(place: str, element: Element, shape: tuple[int, ...]) -> np.ndarray:
    times, slices = shape[:2]
    contours = {field: _contour_field(place, element, field, (times, slices)) for field in _CONTOURS}
    masks = np.zeros(shape, dtype=np.uint8)
    outer, inner = (_present(contours[field]) for field in ("EpiX", "EndoX"))
    for time in np.flatnonzero(outer.any(axis=1)):
        for k in np.flatnonzero(outer[time] | inner[time]):
            points = {field: values[:, time, k] for field, values in contours.items()}
            try:
                masks[time, k] = _myocardium(points, shape[2:])
            except ValueError as error:
                raise SourceError(f"{place}, frame {time + 1}, slice {k + 1}: {error}") from error
    return masks


def _contour_field(place: str, element: Element, field: str, expected: tuple[int, int]) -> np.ndarray:
    if not _has(element, field):
        if field.startswith("Epi"):
            raise SourceError(f"{place}: expected the field {field}, got {', '.join(element)}")
        return np.full((1, *expected), np.nan)
    contours = _padded(element[field].astype(np.float64), 3)
    if contours.shape[1:] != expected:
        raise SourceError(
            f"{place}: expected {field} for {expected[0]} frames and {expected[1]} slices as in IM, "
            f"got {contours.shape[1]} and {contours.shape[2]}"
        )
    return contours


def _myocardium(points: dict[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    rows, columns = shape
    outer = _outline(points, "Epi")
    inner = _outline(points, "Endo")
    if outer is None:
        raise ValueError("expected an epicardial contour beside the endocardial one, found none")
    covered = coverage(*outer, (rows, columns))
    if inner is not None:
        cavity = coverage(*inner, (rows, columns))
        # At the outflow tract both outlines may run along each other; a swap of the two is another thing.
        outside = float((cavity - covered).clip(min=0).sum())
        if area(*inner) >= area(*outer) or outside > area(*inner) / 2:
            raise ValueError("expected the endocardial contour inside the epicardial one, found it outside")
        covered = covered - cavity
    return covered > 0.5


def _outline(points: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Return rows and columns from 0 of a contour, or None where there is none."""
    rows, columns = points[f"{name}X"] - 1, points[f"{name}Y"] - 1
    if not _present(rows[:, None, None]).any():
        return None
    if np.isnan(columns).any() or len(rows) != len(columns) or len(rows) < _FEWEST_POINTS:
        raise ValueError(f"expected as many numbers in {name}X and {name}Y, at least {_FEWEST_POINTS}")
    return rows, columns


def _geometry(place: str, element: Element) -> Geometry:
    values = {}
    for field in _RESOLUTION:
        values[field] = float(element[field].flat[0]) if _has(element, field) else np.nan
        least = 0 if field == "SliceGap" else np.finfo(float).tiny
        if not least <= values[field] < np.inf:
            raise SourceError(f"{place}: expected a positive {field} in mm, got {values[field]:g}")
    spacing = (values["SliceThickness"] + values["SliceGap"], values["ResolutionX"], values["ResolutionY"])
    return Geometry(spacing, UPRIGHT, np.zeros(3))
