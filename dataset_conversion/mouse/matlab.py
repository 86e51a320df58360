"""Read Segment's `setstruct` from MATLAB files of both kinds: v5 to v7 (scipy) and v7.3, which is HDF5 (h5py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np
import scipy.io

from dataset_conversion.images import SourceError
from nnunet_cardiac_ext.errors import first_line

STRUCT = "setstruct"
Element = Mapping[str, np.ndarray]


def read_elements(path: Path, fields: Sequence[str]) -> list[Element]:
    """Read some numeric fields of every element of `setstruct`.

    Args:
        path: The file.
        fields: Their names; one that the file lacks is left out.

    Returns:
        Per element its fields, axes in MATLAB's order, with at least two axes. An empty array has size 0.

    Raises:
        SourceError: The file is absent, damaged, or holds no `setstruct`.
    """
    if not path.is_file():
        raise SourceError(f"{path.name}: expected a file, found none")
    if not path.stat().st_size:
        raise SourceError(f"{path.name}: expected a MATLAB file, got 0 bytes")
    try:
        return _from_hdf5(path, fields) if h5py.is_hdf5(path) else _from_v5(path, fields)
    except SourceError:
        raise
    except Exception as error:  # scipy, zlib and h5py raise a dozen types for damaged files
        reason = first_line(error)
        raise SourceError(f"{path.name}: expected a complete MATLAB file, got a damaged one ({reason})") from error


def _from_v5(path: Path, fields: Sequence[str]) -> list[Element]:
    # The directory first: loading a file without a setstruct would give no reason.
    present = [name for name, *_ in scipy.io.whosmat(path)]
    if STRUCT not in present:
        raise SourceError(f"{path.name}: expected the variable {STRUCT}, got {', '.join(present) or 'none'}")
    struct = scipy.io.loadmat(path, variable_names=[STRUCT])[STRUCT]
    if struct.dtype.names is None:
        raise SourceError(f"{path.name}: expected {STRUCT} to be a struct, got numbers")
    known = [field for field in fields if field in struct.dtype.names]
    return [{field: np.atleast_2d(element[field]) for field in known} for element in struct.ravel(order="F")]


def _from_hdf5(path: Path, fields: Sequence[str]) -> list[Element]:
    with h5py.File(path, "r") as file:
        struct = file.get(STRUCT)
        if not isinstance(struct, h5py.Group):
            present = ", ".join(name for name in file if name != "#refs#")
            raise SourceError(f"{path.name}: expected the struct {STRUCT}, got {present or 'nothing'}")
        known = [field for field in fields if isinstance(struct.get(field), h5py.Dataset)]
        return [
            {field: _matlab_array(_element(file, struct[field], index)) for field in known}
            for index in range(_count(struct))
        ]


def _count(struct: h5py.Group) -> int:
    """Return the number of elements: fields of one element lie there themselves, of several as references."""
    sizes = [field.size for field in struct.values() if isinstance(field, h5py.Dataset) and _is_references(field)]
    return max(sizes, default=1)


def _is_references(field: h5py.Dataset) -> bool:
    # A cell array in a single element is stored as references, too, and says that it is one.
    return field.dtype == h5py.ref_dtype and field.attrs.get("MATLAB_class", b"") != b"cell"


def _element(file: h5py.File, field: h5py.Dataset, index: int) -> h5py.Dataset:
    return file[field[()].ravel()[index]] if _is_references(field) else field


def _matlab_array(dataset: h5py.Dataset) -> np.ndarray:
    if dataset.attrs.get("MATLAB_empty"):  # what is stored are its dimensions
        return np.empty((0, 0))
    return np.atleast_2d(dataset[()].T)  # MATLAB stores the first axis fastest
