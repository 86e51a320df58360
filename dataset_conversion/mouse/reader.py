"""Find mouse scans, whatever their files: public HDF5 files, exports of Segment, or NIfTI files listed in a csv.

Which of them it is tells what lies in the folder; two kinds in one folder are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from dataset_conversion.cases import SourceSubject
from dataset_conversion.images import SourceError, Stack
from dataset_conversion.layout import files_in, searching
from dataset_conversion.mouse import hdf5, listing, segment
from dataset_conversion.mouse.scans import Frame, Scan, Visit, plain, subjects_of, visit_of
from dataset_conversion.tables import columns_of, read_table
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.processes import run_jobs
from nnunet_cardiac_ext.progress import progress

# A csv in the folder with these columns says whose scan a file is, and in which group its animal is.
SCAN_TABLE_COLUMNS = ("file", "animal")
KINDS: Mapping[str, str] = MappingProxyType(
    {"hdf5": "HDF5 files", "segment": "MATLAB files", "listing": "a csv with the columns animal, image, mask"}
)


@dataclass(frozen=True)
class Source:
    """What was found in a folder.

    Attributes:
        kind: A key of `KINDS`.
        folder: The folder that file names are relative to.
        files: The scans' files; of a listing the csv alone.
    """

    kind: str
    folder: Path
    files: tuple[Path, ...]


def find_source(source: Path) -> Source:
    """Tell what kind of files lie in a folder (or its subfolder `Data`), or that a csv is a listing.

    Raises:
        UsageError: There is no such folder, nothing in it is known, or it holds two kinds of files.
    """
    if source.suffix.lower() == ".csv" and source.is_file():
        return Source("listing", source.parent, (source,))
    with searching(source):
        found = _files_by_kind(source)
    kinds = [kind for kind, files in found.items() if files]
    expected = f"{', '.join(list(KINDS.values())[:2])} or {KINDS['listing']}"
    if len(kinds) != 1:
        got = " and ".join(KINDS[kind] for kind in kinds) or "none"
        raise UsageError(f"{source}: expected one of {expected}; found {got}")
    if kinds[0] == "listing" and len(found["listing"]) > 1:
        names = ", ".join(path.name for path in found["listing"])
        raise UsageError(f"{source}: expected one csv, found {names}; name it")
    return Source(kinds[0], source, tuple(found[kinds[0]]))


def find_subjects(source: Source, *, spacing: hdf5.Spacing | None, workers: int, quiet: bool) -> list[SourceSubject]:
    """Find all scans; HDF5 and MATLAB files are looked into for their annotated frames, in parallel.

    Args:
        source: From `find_source`.
        spacing: Spacing in mm as (slice, row, column) of HDF5 files, see `hdf5.survey`.
        workers: Worker processes.
        quiet: Show no progress.

    Returns:
        The scans, Mouse2 before Mouse10. One that cannot be read carries the problem and has no cases.

    Raises:
        UsageError: A csv makes no sense.
    """
    if source.kind == "listing":
        return subjects_of(listing.find_scans(source.files[0]), source.folder)
    visits, absent = _visits(source)
    jobs = [(path, spacing) for path in source.files]
    running = run_jobs(_survey, jobs, workers=workers)
    found = dict(progress(running, label="looking for annotated frames", total=len(jobs), quiet=quiet))
    scans = [_scan(path, visits[path], found[path]) for path in source.files]
    return subjects_of(scans + absent, source.folder)


def read(path: Path, content: str) -> Stack:
    """Read what a `VolumeFile` of any of the sources names; raises `SourceError` for a damaged file."""
    if path.suffix.lower() in hdf5.SUFFIXES:
        return hdf5.read(path, content)
    if path.suffix.lower() == ".mat":
        return segment.read(path, content)
    return listing.read(path, content)


def _files_by_kind(source: Path) -> dict[str, list[Path]]:
    visible = [path for path in sorted(source.rglob("*")) if path.is_file() and not _is_hidden(path, source)]
    flat = [path for path in visible if path.parent in (source, source / "Data")]
    return {
        "hdf5": [path for path in flat if path.suffix.lower() in hdf5.SUFFIXES],
        "segment": [path for path in visible if path.suffix.lower() == ".mat"],
        "listing": [path for path in flat if path.suffix.lower() == ".csv" and listing.is_listing(path)],
    }


def _is_hidden(path: Path, source: Path) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(source).parts)


def _survey(path: Path, spacing: hdf5.Spacing | None) -> tuple[Path, list[Frame] | str]:
    """Return a file and its annotated frames, or why it cannot be read."""
    try:
        return path, hdf5.survey(path, spacing) if path.suffix.lower() in hdf5.SUFFIXES else segment.survey(path)
    except SourceError as error:
        return path, str(error)


def _scan(path: Path, visit: Visit, found: Sequence[Frame] | str) -> Scan:
    if isinstance(found, str):
        return Scan(visit, (path,), problem=found)
    return Scan(visit, (path,), tuple(found))


def _visits(source: Source) -> tuple[dict[Path, Visit], list[Scan]]:
    """Return whose scan each file is, by its place and by a table where there is one, and scans without their file."""
    visits = {path: _visit_by_place(source, path) for path in source.files}
    absent = []
    for table in _scan_tables(source):
        for number, row in enumerate(read_table(table), start=2):
            if not plain(row["animal"]):
                raise UsageError(f"{table}, row {number}: expected an animal, got {row['animal']!r}")
            visit = Visit(row["animal"], row.get("time_point", ""), row.get("group", ""))
            path = table.parent / row["file"]
            if path in visits:
                visits[path] = visit
            else:
                problem = f"{table.name}: expected the file {row['file']}, found none"
                absent.append(Scan(visit, (path,), problem=problem))
    return visits, absent


def _scan_tables(source: Source) -> list[Path]:
    folders = {source.folder, *(path.parent for path in source.files)}
    paths = [path for folder in sorted(folders) for path in files_in(folder) if path.suffix.casefold() == ".csv"]
    return [path for path in paths if path.name[0] != "." and set(SCAN_TABLE_COLUMNS) <= set(columns_of(path))]


def _visit_by_place(source: Source, path: Path) -> Visit:
    return visit_of(path, path.parent if source.kind == "hdf5" else source.folder)
