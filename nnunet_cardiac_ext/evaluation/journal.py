"""Scores as they come, on disk: what lets an interrupted evaluation go on, and keeps thousands of cases out of memory.

One file, one line per scored case, written by the parent process alone. A line that was cut off is dropped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.evaluation.scoring import CaseScore, MetricRow
from nnunet_cardiac_ext.evaluation.slices import SliceRow
from nnunet_cardiac_ext.files import remove

FOLDER = ".evaluation"


class Journal:
    """The scores of an evaluation under way.

    Args:
        output: Output folder of the evaluation; the journal is `.evaluation/SETTINGS.jsonl` in it. Nothing is made
            before the first score.
        settings: Digest of what is scored and how; lines of other settings are in another file.
    """

    def __init__(self, output: Path, settings: str) -> None:
        self.path = output / FOLDER / f"{settings}.jsonl"
        self._places: dict[str, tuple[str, int]] = {}
        self._end = 0
        if self.path.is_file():
            self._load()

    def holds(self, case: str, files: tuple[Path, Path]) -> bool:
        """Tell whether a case was scored from these very files: same paths, sizes and times of change."""
        return self._places.get(case, ("", 0))[0] == file_digest(files)

    def add(self, score: CaseScore, files: tuple[Path, Path]) -> None:
        """Append a score.

        Raises:
            WorkError: The folder cannot be written.
        """
        digest = file_digest(files)
        line = json.dumps({"case": score.case, "files": digest, "score": _encoded(score)}).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("r+b" if self.path.is_file() else "wb") as stream:
                stream.truncate(self._end)
                stream.seek(self._end)
                stream.write(line)
        except OSError as error:
            raise WorkError(f"{self.path}: cannot be written ({error.strerror or error})") from error
        self._places[score.case] = digest, self._end
        self._end += len(line)

    def scores(self, cases: Iterable[str]) -> Iterator[CaseScore]:
        """Yield the scores of these cases, one at a time.

        Raises:
            WorkError: The file has gone or was changed meanwhile.
        """
        try:
            with self.path.open("rb") as stream:
                for case in cases:
                    stream.seek(self._places[case][1])
                    yield _decoded(json.loads(stream.readline())["score"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WorkError(f"{self.path}: changed while it was in use; is another evaluation at work here?") from error

    def remove(self) -> None:
        """Remove the file, those of interrupted evaluations with other settings, and the folder."""
        for path in self.path.parent.glob("*.jsonl"):
            remove(path)
        if self.path.parent.is_dir() and not any(self.path.parent.iterdir()):
            self.path.parent.rmdir()

    def _load(self) -> None:
        with self.path.open("rb") as stream:
            for line in stream:
                found = _case_and_files(line)
                if not found:
                    return
                self._places[found[0]] = found[1], self._end
                self._end += len(line)


def file_digest(files: tuple[Path, Path]) -> str:
    """Return a text that changes when one of the files is written again or another one takes its place."""
    return hashlib.sha256(json.dumps([_stamp(path) for path in files]).encode()).hexdigest()[:16]


def _stamp(path: Path) -> list[str | int]:
    try:
        facts = path.stat()
    except OSError:
        return [str(path)]
    return [str(path.resolve()), facts.st_size, facts.st_mtime_ns]


def _case_and_files(line: bytes) -> tuple[str, str] | None:
    """Case and digest of its files in a line; None if the line was cut off."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
        return entry["case"], entry["files"]
    except (ValueError, KeyError, TypeError):
        return None


def _encoded(score: CaseScore) -> dict[str, Any]:
    content = {known.name: getattr(score, known.name) for known in fields(score)}
    return content | {"profiles": {name: values.tolist() for name, values in score.profiles.items()}}


def _decoded(content: dict[str, Any]) -> CaseScore:
    return CaseScore(
        **content
        | {
            "rows": [MetricRow(*row) for row in content["rows"]],
            "volumes": [MetricRow(*row) for row in content["volumes"]],
            "slices": [SliceRow(*row) for row in content["slices"]],
            "profiles": {name: np.array(values, dtype=float) for name, values in content["profiles"].items()},
            "other_labels": tuple(content["other_labels"]),
        }
    )
