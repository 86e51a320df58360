"""Write a data set of phantoms: subjects in parallel, each whole or not at all, a run that goes on where it stopped."""

from __future__ import annotations

import gzip
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

import nibabel as nib
import numpy as np

from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.files import read_csv, read_json, write_csv, write_json, written_whole
from nnunet_cardiac_ext.processes import available_cores, run_jobs
from nnunet_cardiac_ext.progress import progress

TRUTH_FILE = "truth.csv"
_SETTINGS_FILE = "phantoms.json"
_CONVERTERS: Mapping[type, Callable[[str], Any]] = MappingProxyType({bool: "True".__eq__})
# Noise hardly compresses: a higher level costs time and saves little.
_COMPRESSION = 1

Truth = TypeVar("Truth")


def write_subjects(
    output: Path,
    function: Callable[..., Truth],
    jobs: Mapping[Path, tuple[Any, ...]],
    *,
    kind: type[Truth],
    settings: Mapping[str, Any],
    limits: Mapping[str, int],
    workers: int | None = None,
    quiet: bool = False,
) -> list[Truth]:
    """Draw subjects in worker processes and write `truth.csv`, one line per subject in the order of the jobs.

    Where an earlier run has finished and every subject is still there, nothing is computed: the truths are read back.

    Args:
        output: Folder of the data set.
        function: Writes one subject to a path and returns its truth; a function of a module. It leaves alone what an
            earlier run has written whole, and returns the truth nevertheless.
        jobs: The path of each subject, a file or a folder, and the arguments behind it.
        kind: The dataclass of a truth, with fields of str, int, float and bool.
        settings: What was asked for; a folder that holds phantoms of other settings is refused.
        limits: Least value by name of the settings that have one.
        workers: Processes; by default one per core.
        quiet: Draw no progress bar.

    Returns:
        The truths; those read back are rounded as in `truth.csv`.

    Raises:
        UsageError: A number is out of range, or the folder holds phantoms of other settings.
        WorkError: A file cannot be written, or a worker process died.
    """
    _check(settings, limits)
    workers = available_cores() if workers is None else workers
    _check({"workers": workers}, {"workers": 1})
    _claim(output, dict(settings))
    if all(path.exists() for path in jobs) and (known := _known_truths(output / TRUTH_FILE, kind, len(jobs))):
        return known
    # Spawned workers, because the caller may hold torch's threads, which a fork would copy half alive.
    numbered = [(function, index, path, *arguments) for index, (path, arguments) in enumerate(jobs.items())]
    running = run_jobs(_numbered, numbered, workers=min(len(jobs), workers))
    done = sorted(progress(running, label="drawing phantoms", total=len(jobs), quiet=quiet), key=lambda pair: pair[0])
    truths = [truth for _, truth in done]
    write_csv(output / TRUTH_FILE, [_cells(truth) for truth in truths])
    return truths


@contextmanager
def folder_written_whole(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder` to write to; on success it is renamed to `folder`, on failure removed.

    Raises:
        WorkError: It cannot be written.
    """
    partial = folder.with_name(f".{uuid.uuid4().hex[:8]}.{folder.name}")
    try:
        partial.mkdir(parents=True)
        yield partial
        partial.replace(folder)
    except OSError as error:
        raise WorkError(f"{folder}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def save_nifti(
    path: Path,
    data: np.ndarray,
    *,
    spacing: tuple[float, float, float],
    affine: np.ndarray,
    qform: bool = False,
    frame_seconds: float = 0.08,
    **fields: Any,
) -> None:
    """Write a volume or a series as a scanner's export may be: pixdim and affine need not agree.

    The same array gives the same bytes: neither name nor time is in the compressed file.

    Args:
        path: The file, `.nii.gz` or `.nii`.
        data: Values (slice, row, column) or (frame, slice, row, column).
        spacing: What pixdim says, mm, as (slice, row, column).
        affine: What the sform (code 2) says, whatever its scale.
        qform: Whether to write the affine as qform too (code 1); otherwise its code is 0.
        frame_seconds: pixdim of the time axis.
        fields: Raw header fields to overwrite last.
    """
    header = nib.Nifti1Header()
    header.set_data_dtype(data.dtype)
    header.set_data_shape(data.T.shape)
    header.set_zooms((*spacing[::-1], frame_seconds)[: data.ndim])
    header.set_sform(affine, code=2)
    if qform:
        header.set_qform(affine, code=1)
    header.set_xyzt_units("mm", "sec")
    for name, value in fields.items():
        header[name] = value
    image = nib.Nifti1Image(data.T, None, header)
    with written_whole(path) as partial, partial.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", _COMPRESSION, raw, mtime=0) as stream:
                image.to_file_map({"image": nib.FileHolder(fileobj=stream)})
        else:
            image.to_file_map({"image": nib.FileHolder(fileobj=raw)})


def _check(settings: Mapping[str, Any], limits: Mapping[str, int]) -> None:
    for name, least in limits.items():
        if settings[name] < least:
            raise UsageError(f"{name.replace('_', ' ')}: expected at least {least}, got {settings[name]}")


def _claim(output: Path, settings: dict[str, Any]) -> None:
    record = output / _SETTINGS_FILE
    if record.exists():
        present = read_json(record)
        if present != settings:
            raise UsageError(f"{output}: expected phantoms of {settings}, got {present}; choose another folder")
    else:
        write_json(record, settings)


def _numbered(function: Callable[..., Truth], index: int, *arguments: Any) -> tuple[int, Truth]:
    return index, function(*arguments)


def _known_truths(path: Path, kind: type[Truth], count: int) -> list[Truth]:
    """Return what a finished run wrote; nothing where that is not so many truths of this kind."""
    rows = read_csv(path) if path.exists() else []
    converters = {name: _CONVERTERS.get(hint, hint) for name, hint in get_type_hints(kind).items()}
    if len(rows) != count or any(row.keys() != converters.keys() for row in rows):
        return []
    try:
        return [kind(**{name: convert(row[name]) for name, convert in converters.items()}) for row in rows]
    except ValueError:
        return []


def _cells(truth: Any) -> dict[str, Any]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(truth).items()}
