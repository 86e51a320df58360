"""The slow way of the region cascade: label images of four models, merged slice by slice by a region table."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference_pipelines.label_file import LabelFile
from inference_pipelines.region_modes import COLUMNS
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.evaluation.inputs import image_files
from nnunet_cardiac_ext.files import written_whole
from nnunet_cardiac_ext.progress import progress
from nnunet_cardiac_ext.region_table import RegionRow, read_region_table, stacks_of
from nnunet_cardiac_ext.regions import Region

# What nnU-Net leaves beside predictions and later commands read.
RECORDS = ("dataset.json", "plans.json")


@dataclass(frozen=True)
class MergeResult:
    """What became of the cases of the table.

    Attributes:
        written: The label files written now.
        failures: One line per case that could not be merged.
        remarks: What else the user should know, one line each.
    """

    written: tuple[Path, ...]
    failures: tuple[str, ...]
    remarks: tuple[str, ...]


def merge_regions(
    folders: Mapping[Region, Path],
    table: Path,
    output: Path,
    *,
    column: str = "predicted",
    overwrite: bool = False,
    quiet: bool = False,
) -> MergeResult:
    """Take each slice from the folder of its region; cases that are already there are left alone.

    Args:
        folders: Label images of each region's model, with the same names; those of non-cardiac slices are the
            baseline's, whose geometry the result has.
        table: A `regions.csv`; its cases are merged.
        output: Gets one label image per case, and the baseline's `dataset.json` and `plans.json`.
        column: The column of the table that says the region, one of `COLUMNS`.
        overwrite: Merge also what is there.
        quiet: Draw no progress bar.

    Raises:
        UsageError: A folder or the table is missing or cannot be read.
    """
    if column not in COLUMNS:
        raise UsageError(f"--column: expected one of {', '.join(COLUMNS)}, got {column!r}")
    merging = _Merging(
        files={region: image_files(folder) for region, folder in folders.items()},
        folders=folders, table=table, cases=_cases(table), column=column, output=output,
    )  # fmt: skip
    todo = [case for case in merging.cases if overwrite or not merging.target(case).is_file()]
    problems = {case: merging.problem_of(case) for case in progress(todo, label="merging", quiet=quiet)}
    _copy_records(folders[Region.NON_CARDIAC], output)
    unlisted = sorted(merging.files[Region.NON_CARDIAC].keys() - merging.cases.keys())
    return MergeResult(
        written=tuple(merging.target(case) for case, problem in problems.items() if not problem),
        failures=tuple(f"{case}: {problem}" for case, problem in problems.items() if problem),
        remarks=(f"{table}: holds no slices of {', '.join(unlisted)}, not merged",) if unlisted else (),
    )


def _cases(table: Path) -> dict[str, dict[int | None, list[RegionRow]]]:
    """Return the rows of each case and frame by rising slice."""
    cases: dict[str, dict[int | None, list[RegionRow]]] = {}
    for (case, frame), rows in stacks_of(read_region_table(table)).items():
        cases.setdefault(case, {})[frame] = rows
    return cases


@dataclass(frozen=True)
class _Merging:
    """What is merged: the folders with their files by case, the table with its rows, the output."""

    files: Mapping[Region, Mapping[str, Path]]
    folders: Mapping[Region, Path]
    table: Path
    cases: Mapping[str, Mapping[int | None, Sequence[RegionRow]]]
    column: str
    output: Path

    def target(self, case: str) -> Path:
        source = self.files[Region.NON_CARDIAC].get(case)
        return self.output / (source.name if source else case)

    def problem_of(self, case: str) -> str:
        """Merge a case; return why it cannot be, or an empty text."""
        try:
            missing = [folder for region, folder in self.folders.items() if case not in self.files[region]]
            if missing:
                raise WorkError(f"{missing[0]}: expected a label image of this case, found none")
            parts = {region: LabelFile.read(files[case]) for region, files in self.files.items()}
            merged = _merged(parts, self._regions(case))
            with written_whole(self.target(case)) as partial:
                parts[Region.NON_CARDIAC].write_as(partial, merged)
        except WorkError as error:
            return str(error)
        return ""

    def _regions(self, case: str) -> np.ndarray:
        """Return the region of each slice, shape (frame, slice); one frame for a 3-D file."""
        of_frames = []
        for number, (frame, rows) in enumerate(sorted(self.cases[case].items(), key=lambda item: item[0] or 0)):
            where = "" if frame is None else f" of frame {frame}"
            if frame is not None and frame != number:
                raise WorkError(f"{self.table}: expected frame {number}, found frame {frame}")
            absent = sorted(set(range(rows[-1].slice)) - {row.slice for row in rows})
            if absent:
                raise WorkError(f"{self.table}: expected every slice{where}, found none with number {absent[0]}")
            regions = [getattr(row, self.column) for row in rows]
            if None in regions:
                empty = f"slice {regions.index(None)}{where}"
                raise WorkError(f"{self.table}: expected a region in column {self.column}, got none for {empty}")
            of_frames.append(regions)
        if len({len(regions) for regions in of_frames}) > 1:
            raise WorkError(f"{self.table}: expected as many slices in each frame, got {[*map(len, of_frames)]}")
        return np.array(of_frames)


def _merged(parts: Mapping[Region, LabelFile], regions: np.ndarray) -> np.ndarray:
    """Return the labels (frame, slice, row, column) of which each slice is that of its region's file."""
    base = parts[Region.NON_CARDIAC]
    for part in parts.values():
        part.require_geometry_of(base)
    axis = 1 + _slice_axis(base, regions)
    # Slices on the axis behind the frames, wherever the file has them.
    stacks = {region: np.moveaxis(part.frames, axis, 1) for region, part in parts.items()}
    kind = np.result_type(*(stack.dtype for stack in stacks.values()))
    merged = np.zeros(stacks[Region.NON_CARDIAC].shape, dtype=kind)
    for region, stack in stacks.items():
        merged[regions == region] = stack[regions == region]
    return np.moveaxis(merged, 1, axis)


def _slice_axis(labels: LabelFile, regions: np.ndarray) -> int:
    """Find the axis of a stack that has as many slices as the table; the first where several have."""
    frames, slices = regions.shape
    if len(labels.frames) != frames:
        raise WorkError(f"{labels.path}: expected {frames} frames as in the table, got {len(labels.frames)}")
    shape = labels.frames.shape[1:]
    if slices not in shape:
        raise WorkError(f"{labels.path}: expected {slices} slices as in the table, got {shape[0]}")
    return shape.index(slices)


def _copy_records(source: Path, output: Path) -> None:
    for name in RECORDS:
        if (source / name).is_file():
            with written_whole(output / name) as partial:
                shutil.copyfile(source / name, partial)
