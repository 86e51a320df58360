"""What a pipeline writes for one case: gathered in a hidden folder, then moved to its place, the labels last."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from inference_pipelines.cine_input import Stack, write_cine_labels
from inference_pipelines.nifti import read_file_order
from nnunet_cardiac_ext.errors import WorkError, last_line

Result = TypeVar("Result")


class CaseOutput:
    """The files of one case on their way into the output folder.

    A 3-D case has one stack; the frames of a 4-D case come one after the other and their labels become one 4-D file.

    Args:
        folder: The output folder.
        case: Name of the case.
        ending: Ending of label files.

    Attributes:
        case: Name of the case.

    Raises:
        WorkError: The folder cannot be made.
    """

    def __init__(self, folder: Path, case: str, ending: str) -> None:
        self._folder = folder
        self.case = case
        self._ending = ending
        self._frames: list[np.ndarray] = []
        self._partial = Path(self._attempt(self._make_partial))

    def add(self, stack: Stack, write: Callable[[Path], Result]) -> Result:
        """Write the files of one stack.

        Args:
            stack: A stack of this case; frames in their order.
            write: Called with a path without ending; writes `PATH.nii.gz` (the label file's ending) and may write
                more files whose names begin with PATH.

        Returns:
            What `write` returns.

        Raises:
            WorkError: The files cannot be written.
        """
        target = self._partial / stack.name
        result = self._attempt(lambda: write(target))
        if stack.frame is not None:
            self._attempt(lambda: self._take_frame(stack, target.with_name(target.name + self._ending)))
        return result

    def publish(self, write_beside: Callable[[Path], None] | None = None) -> None:
        """Move all files to their places.

        Args:
            write_beside: Called first, with the folder in which to put further files of the case.

        Raises:
            WorkError: A file cannot be written or moved.
        """
        if write_beside is not None:
            write = write_beside
            self._attempt(lambda: write(self._partial))
        self._attempt(self._move)

    def discard(self) -> None:
        """Remove what has not been moved to its place."""
        shutil.rmtree(self._partial, ignore_errors=True)

    def _make_partial(self) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        return tempfile.mkdtemp(dir=self._folder, prefix=f".{self.case}.")

    def _take_frame(self, stack: Stack, labels: Path) -> None:
        self._frames.append(read_file_order(labels))
        labels.unlink()
        if len(self._frames) == stack.frames:
            write_cine_labels(self._partial / f"{self.case}{self._ending}", self._frames, stack.case.files[0])

    def _move(self) -> None:
        labels = self._partial / f"{self.case}{self._ending}"
        others = sorted(path for path in self._partial.rglob("*") if path.is_file() and path != labels)
        # A case counts as done when its labels are there.
        for path in (*others, labels):
            target = self._folder / path.relative_to(self._partial)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)

    def _attempt(self, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except WorkError as error:
            raise WorkError(str(error).replace(str(self._partial), str(self._folder))) from error
        except (OSError, RuntimeError) as error:
            # RuntimeError is SimpleITK's.
            raise WorkError(f"{self._folder / self.case}: cannot be written ({last_line(error)})") from error
