"""Tiny mouse hearts in the three layouts of the converter: HDF5, Segment's MATLAB files (v5 and v7.3), a csv of NIfTI.

A heart is a ring around a centre that is not the middle of the image, smaller towards the last slice and in systole.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import scipy.io

SHAPE = (4, 40, 32)  # slice, row, column
FRAMES = 6
ANNOTATED = (0, 3)
SPACING = (0.8, 0.13, 0.13)
CENTRE = (17.0, 14.0)  # row, column from 0
POINTS = 80
SLICE_GAP = 0.2

# (frame, slice, row, column) of the files of this module to the axes that a Python or a MATLAB program has written.
PYTHON_AXES = (2, 3, 1, 0)
MATLAB_AXES = (0, 1, 3, 2)


def radii(k, frame, size=1.0):
    """Radius of endocardium and epicardium in voxels."""
    systole = 1.0 if frame else 0.0
    return (5.0 - 0.8 * k - systole) * size, (9.0 - 0.9 * k) * size


def grey_values(seed, shape=(FRAMES, *SHAPE)):
    return np.random.default_rng(seed).integers(1, 4000, size=shape, dtype=np.uint16)


def masks(size=1.0, annotated=ANNOTATED, shape=(FRAMES, *SHAPE)):
    """Myocardium 1 and blood pool 2 (frame, slice, row, column), empty but for the annotated frames."""
    rows, columns = np.mgrid[: shape[2], : shape[3]]
    distance = np.hypot(rows - CENTRE[0], columns - CENTRE[1])
    labels = np.zeros(shape, dtype=np.uint8)
    for frame in annotated:
        for k in range(shape[1]):
            inner, outer = radii(k, frame, size)
            labels[frame, k][distance < outer] = 1
            labels[frame, k][distance < inner] = 2
    return labels


def write_mouse(path, *, images=None, labels=None, listed=ANNOTATED, axes=PYTHON_AXES, seed=0, size=1.0):
    """Write one HDF5 file as the public data set has it; a part that is False is left out."""
    images = grey_values(seed) if images is None else images
    labels = masks(size) if labels is None else labels
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, array in (("Images", images), ("Masks", labels)):
            if array is not False:
                file.create_dataset(name, data=array.transpose(axes) if array.ndim == 4 else array)
        if listed is not False:
            file.create_dataset("Frames_with_ROI", data=np.array(listed, dtype=np.int64))
    return path


def write_mice(root, *, animals=3, **options):
    """Write `root/Data/MouseN.h5` and return `root`; hearts grow with the number of the mouse."""
    root = Path(root)
    for number in range(1, animals + 1):
        write_mouse(root / "Data" / f"Mouse{number}.h5", seed=number, size=0.8 + 0.04 * number, **options)
    return root


def circle(radius, centre=CENTRE, points=POINTS):
    """Rows and columns from 0 of a closed polygon whose area is that of the circle."""
    angles = np.linspace(0, 2 * np.pi, points)
    # An inscribed polygon is smaller than its circle.
    radius = radius * np.sqrt(2 * np.pi / ((points - 1) * np.sin(2 * np.pi / (points - 1))))
    return centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)


def contours(annotated=ANNOTATED, times=FRAMES, slices=SHAPE[0]):
    """EndoX, EndoY, EpiX, EpiY (point, time, slice) as Segment has them: X along the rows, from 1, NaN for none."""
    fields = {name: np.full((POINTS, times, slices), np.nan) for name in ("EndoX", "EndoY", "EpiX", "EpiY")}
    for frame in annotated:
        for k in range(slices):
            for name, radius in zip(("Endo", "Epi"), radii(k, frame), strict=True):
                rows, columns = circle(radius)
                fields[f"{name}X"][:, frame, k], fields[f"{name}Y"][:, frame, k] = rows + 1, columns + 1
    return fields


def stack_fields(seed=0, **changes):
    """The fields of one element of setstruct in MATLAB's axes; `None` leaves one out."""
    image = grey_values(seed).astype(np.float64).transpose(2, 3, 0, 1) / 4000
    fields = {
        "IM": image,
        **contours(),
        "ResolutionX": SPACING[1],
        "ResolutionY": SPACING[2],
        "SliceThickness": SPACING[0] - SLICE_GAP,
        "SliceGap": SLICE_GAP,
        "EDT": 1.0,
        "EST": 4.0,
        "ImageType": "Cine",
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def long_axis_fields():
    """A stack without contours, as Segment's files hold beside the short axis."""
    empty = np.empty((0, 0))
    return stack_fields(IM=np.ones((10, 10)), EndoX=empty, EndoY=empty, EpiX=empty, EpiY=empty)


def write_v5(path, *elements):
    """Write elements of setstruct as a MATLAB file of version 5."""
    elements = elements or (stack_fields(),)
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for fields in elements for name in fields))
    struct = np.empty((1, len(elements)), dtype=[(name, object) for name in names])
    for index, fields in enumerate(elements):
        for name in names:
            struct[0, index][name] = fields.get(name, np.empty((0, 0)))
    scipy.io.savemat(path, {"info": "exported", "setstruct": struct}, do_compression=True)
    return path


def write_v73(path, *elements):
    """Write elements of setstruct as MATLAB's v7.3 does: HDF5, axes reversed, several elements as references."""
    elements = elements or (stack_fields(),)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        struct = file.create_group("setstruct")
        struct.attrs["MATLAB_class"] = np.bytes_("struct")
        if len(elements) == 1:
            for name, value in elements[0].items():
                _write_field(struct, name, value)
        else:
            _write_references(file, struct, elements)
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124, b" ") + b"\x00\x02IM" + content[128:])
    return path


def write_listing(root, *, animals=("m1", "m2", "m3"), time_points=("pre", "day7"), name="scans.csv", suffix=".nii.gz"):
    """Write NIfTI images and masks and the csv that lists them; return `root`."""
    root = Path(root)
    lines = ["animal,time_point,frame,image,mask,group"]
    for number, animal in enumerate(animals):
        for visit in time_points:
            for frame in ANNOTATED:
                stem = f"{animal}_{visit}_{frame}"
                image = grey_values(10 * number + frame)[frame]
                write_nifti(root / "nifti" / f"{stem}{suffix}", image)
                write_nifti(root / "nifti" / f"{stem}_mask{suffix}", masks(0.8 + 0.05 * number)[frame])
                files = f"nifti/{stem}{suffix},nifti/{stem}_mask{suffix}"
                lines.append(f"{animal},{visit},{frame},{files},{('WT', 'KO')[number % 2]}")
    (root / name).write_text("\n".join(lines) + "\n")
    return root


def write_nifti(path, array, spacing=SPACING):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(array.T, np.diag([*spacing[::-1], 1.0]))
    image.header.set_zooms((*spacing[::-1], *(1.0,) * (array.ndim - 3)))
    nib.save(image, path)


def _write_field(group, name, value):
    if isinstance(value, str):
        dataset = group.create_dataset(name, data=np.array([[ord(letter)] for letter in value], dtype=np.uint16))
        kind = "char"
    elif np.size(value) == 0:
        dataset = group.create_dataset(name, data=np.zeros(2, dtype=np.uint64))
        dataset.attrs["MATLAB_empty"] = np.uint8(1)
        kind = "double"
    else:
        dataset = group.create_dataset(name, data=np.atleast_2d(np.asarray(value)).T)
        kind = "double"
    dataset.attrs["MATLAB_class"] = np.bytes_(kind)
    return dataset


def _write_references(file, struct, elements):
    store = file.create_group("#refs#")
    names = list(dict.fromkeys(name for fields in elements for name in fields))
    for name in names:
        values = [
            _write_field(store, f"{name}{index}", fields.get(name, np.empty((0, 0)))).ref
            for index, fields in enumerate(elements)
        ]
        struct.create_dataset(name, data=np.array(values, dtype=h5py.ref_dtype).reshape(-1, 1))
