"""The three kinds of files that mouse scans come in: public HDF5, Segment's MATLAB structs, NIfTI volumes per frame.

The same scan gives the same bytes: no file holds the time at which it was written.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.files import written_whole
from nnunet_cardiac_ext.phantoms.mouse_contours import CONTOUR_FIELDS, CONTOUR_POINTS, frame_contours
from nnunet_cardiac_ext.phantoms.mouse_scan import SPACING, Scan, label_scan, paint_scan
from nnunet_cardiac_ext.phantoms.writing import folder_written_whole, save_nifti

# mrphys/Open-Source_Pre-Clinical_Segmentation: 1 the myocardium, 2 the blood pool.
_HDF5_LABELS = {"MYO": 1, "LV": 2}
# A mouse's heart beats every 0.12 s.
_CYCLE_SECONDS = 0.12
_AFFINE = np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1.0])
_HEADER_BYTES = 116
_V5_HEADER = "MATLAB 5.0 MAT-file, nnunet-cardiac phantom"
_V73_HEADER = "MATLAB 7.3 MAT-file, nnunet-cardiac phantom"
_USERBLOCK = 512


def write_hdf5(path: Path, scan: Scan, annotated: Sequence[int]) -> None:
    """Write a scan as the public data set is laid out.

    Args:
        path: The file.
        scan: The scan.
        annotated: Frames (from 0) whose masks are filled.
    """
    image = paint_scan(scan, range(scan.frames)).transpose(2, 3, 1, 0)
    masks = np.zeros(image.shape, dtype=np.uint8)
    for frame in annotated:
        masks[..., frame] = _hdf5_labels(scan, frame).transpose(1, 2, 0)
    with written_whole(path) as partial, h5py.File(partial, "w") as file:
        file.attrs["spacing_mm"] = SPACING
        _compressed(file, "Images", image)
        _compressed(file, "Masks", masks)
        file.create_dataset("Frames_with_ROI", data=np.array(annotated, dtype=np.int64))


def write_matlab(path: Path, scan: Scan, annotated: Sequence[int], *, animal: str, version: str) -> None:
    """Write a scan as Segment exports it: one struct `setstruct` with images and contours.

    Args:
        path: The file.
        scan: The scan.
        annotated: Frames (from 0) that have contours.
        animal: Name of the mouse.
        version: "5" (scipy reads it) or "7.3" (HDF5).
    """
    fields = _segment_fields(scan, annotated, animal)
    if version == "5":
        stream = io.BytesIO()
        scipy.io.savemat(stream, {"setstruct": fields}, do_compression=True)
        content = _V5_HEADER.ljust(_HEADER_BYTES).encode() + stream.getvalue()[_HEADER_BYTES:]
        with written_whole(path) as partial:
            partial.write_bytes(content)
    else:
        with written_whole(path) as partial:
            _write_v73(partial, fields)


def write_nifti(folder: Path, scan: Scan, annotated: Sequence[int]) -> None:
    """Write the annotated frames as `frameNN.nii.gz` and `frameNN_mask.nii.gz`, myocardium 1, numbered from 0."""
    image = paint_scan(scan, annotated)
    with folder_written_whole(folder) as partial:
        for volume, frame in zip(image, annotated, strict=True):
            mask = (label_scan(scan, frame) == CINE.values["MYO"]).astype(np.uint8)
            for name, data in ((f"frame{frame:02d}", volume), (f"frame{frame:02d}_mask", mask)):
                save_nifti(partial / f"{name}.nii.gz", data, spacing=SPACING, affine=_AFFINE, qform=True)


def _hdf5_labels(scan: Scan, frame: int) -> np.ndarray:
    labels = label_scan(scan, frame)
    table = np.zeros(len(CINE.values), dtype=np.uint8)
    for structure, value in _HDF5_LABELS.items():
        table[CINE.values[structure]] = value
    return table[labels]


def _compressed(parent: h5py.Group, name: str, data: np.ndarray) -> h5py.Dataset:
    return parent.create_dataset(name, data=data, compression="gzip", compression_opts=1, shuffle=True)


def _segment_fields(scan: Scan, annotated: Sequence[int], animal: str) -> dict[str, Any]:
    """Return the fields of `setstruct`: those that a reader of images and contours needs."""
    image = paint_scan(scan, range(scan.frames)).transpose(2, 3, 0, 1).astype(np.float32)
    rows, columns, frames, slices = image.shape
    low, high = float(image.min()), float(image.max())
    contours = {name: np.full((CONTOUR_POINTS, frames, slices), np.nan) for name in CONTOUR_FIELDS}
    for frame in annotated:
        for name, values in frame_contours(scan, frame).items():
            contours[name][:, frame] = values
    # Segment counts from 1, keeps grey values between 0 and 1, and its X runs along the rows.
    return {
        "FileName": f"{animal}_{scan.time_point}.mat", "IM": (image - low) / (high - low),
        "IntensityScaling": high - low, "IntensityOffset": low,
        "XSize": rows, "YSize": columns, "TSize": frames, "ZSize": slices,
        "ResolutionX": SPACING[1], "ResolutionY": SPACING[2], "SliceThickness": SPACING[0], "SliceGap": 0.0,
        "TIncr": _CYCLE_SECONDS / frames, "TimeVector": np.arange(frames) * _CYCLE_SECONDS / frames,
        "EDT": 1, "EST": scan.systole + 1, "CurrentTimeFrame": 1, "ImageType": "General", "Modality": "MR",
        "PatientInfo": {"Name": animal, "ID": animal}, **contours,
    }  # fmt: skip


def _write_v73(path: Path, fields: Mapping[str, Any]) -> None:
    """Write a struct as MATLAB's v7.3 does: HDF5 behind a header of 512 bytes, axes in reverse, a class per field."""
    with h5py.File(path, "w", userblock_size=_USERBLOCK) as file:
        _write_struct(file.create_group("setstruct"), fields)
    with path.open("r+b") as stream:
        stream.write(_V73_HEADER.ljust(_HEADER_BYTES).encode() + bytes(8) + b"\x00\x02IM")


def _write_struct(group: h5py.Group, fields: Mapping[str, Any]) -> None:
    group.attrs["MATLAB_class"] = np.bytes_("struct")
    for name, value in fields.items():
        if isinstance(value, Mapping):
            _write_struct(group.create_group(name), value)
        elif isinstance(value, str):
            dataset = group.create_dataset(name, data=np.array([[ord(letter)] for letter in value], dtype=np.uint16))
            dataset.attrs["MATLAB_class"] = np.bytes_("char")
            dataset.attrs["MATLAB_int_decode"] = np.int32(2)
        else:
            array = np.atleast_2d(np.asarray(value, dtype=None if np.ndim(value) else float))
            dataset = _compressed(group, name, array.T) if array.size > 1 else group.create_dataset(name, data=array.T)
            dataset.attrs["MATLAB_class"] = np.bytes_("single" if array.dtype == np.float32 else "double")
