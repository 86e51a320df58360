"""The cases of an image folder: `CASE_0000.nii.gz`, `CASE_0001.nii.gz`, ... as nnU-Net names them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext.errors import UsageError


@dataclass(frozen=True)
class InputCase:
    """One case and the files of its channels.

    Attributes:
        name: Name of the case, which its output gets too.
        files: One file per channel, in their order.
        problem: Why it cannot be predicted, as one line; empty if it can.
    """

    name: str
    files: tuple[Path, ...]
    problem: str = ""


def find_cases(folder: Path, file_ending: str, channels: int) -> list[InputCase]:
    """List the cases of a folder by name.

    Args:
        folder: The images; hidden files are ignored.
        file_ending: Ending of the images, from `dataset.json`.
        channels: Number of channels that each case must have.

    Returns:
        All cases; one whose channels are not exactly 0 to `channels` - 1 comes with a `problem`.

    Raises:
        UsageError: The folder is absent or holds no image so named.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of images")
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    pattern = re.compile(rf"(.+)_(\d{{4}}){re.escape(file_ending)}")
    found: dict[str, dict[int, Path]] = {}
    for match in filter(None, map(pattern.fullmatch, names)):
        found.setdefault(match[1], {})[int(match[2])] = folder / match[0]
    if not found:
        got = f"{names[0]} and others" if len(names) > 1 else "".join(names) or "an empty folder"
        raise UsageError(f"{folder}: expected images named CASE_0000{file_ending}, found {got}")
    return [_case(folder, name, files, channels) for name, files in sorted(found.items())]


def part_of(cases: list[InputCase], parts: int, part: int) -> list[InputCase]:
    """Return every `parts`-th case from number `part` on, as nnU-Net's -num_parts and -part_id.

    Raises:
        UsageError: `part` is not between 0 and `parts` - 1.
    """
    if not 0 <= part < parts:
        raise UsageError(f"-part_id: expected a number from 0 to {parts - 1} (-num_parts {parts}), got {part}")
    return cases[part::parts]


def select_cases(cases: list[InputCase], names: Collection[str], folder: Path) -> list[InputCase]:
    """Return the cases of some names by name; one that is not there comes with a `problem` that names the folder."""
    known = {case.name: case for case in cases}
    absent = f"{folder}: expected an image of this case, found none"
    return [known.get(name) or InputCase(name, (), absent) for name in sorted(names)]


def _case(folder: Path, name: str, files: dict[int, Path], channels: int) -> InputCase:
    ordered = tuple(files[channel] for channel in sorted(files))
    if sorted(files) == list(range(channels)):
        return InputCase(name, ordered)
    wanted, got = (", ".join(f"{channel:04d}" for channel in numbers) for numbers in (range(channels), sorted(files)))
    return InputCase(name, ordered, f"{folder / name}: expected the channels {wanted}, found {got}")
