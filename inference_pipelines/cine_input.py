"""4-D NIfTI files frame by frame: nnU-Net's readers take stacks, so each frame becomes a 3-D file for a moment.

Header and numbers are the source's, so that nnU-Net reads a frame as if a converter had written it as a file of its
own, whichever of its readers the plans name.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from inference_pipelines.input_cases import InputCase
from inference_pipelines.nifti import frame_count, header_shape, save_like
from nnunet_cardiac_ext.errors import WorkError, last_line
from nnunet_cardiac_ext.files import written_whole


@dataclass(frozen=True)
class Stack:
    """What a pipeline predicts at once: a case, or one frame of it.

    Attributes:
        case: The case.
        frame: Number of the frame in 4-D files, from 0; None for 3-D files.
        frames: Number of frames of the case; 1 for 3-D files.
        slices: Number of slices by the header, taken along the shortest side; None where it does not tell.
    """

    case: InputCase
    frame: int | None = None
    frames: int = 1
    slices: int | None = None

    @property
    def name(self) -> str:
        """Name of the case, with the frame where there are several."""
        return self.case.name if self.frame is None else f"{self.case.name}_frame{self.frame:02d}"


def stacks_of(case: InputCase) -> list[Stack]:
    """List the stacks of a case by the header of its first file: one, or one per frame of a 4-D NIfTI file."""
    shape = () if case.problem else header_shape(case.files[0])
    slices = (min(shape[:3]) or None) if len(shape) > 2 else None
    if len(shape) == 4 and shape[3]:
        return [Stack(case, frame, shape[3], slices) for frame in range(shape[3])]
    return [Stack(case, slices=slices)]


class CineReader:
    """The 4-D files of a case, open to be read one frame after the other; one frame is in memory at a time.

    Args:
        files: One file per channel.

    Attributes:
        frames: Number of frames.

    Raises:
        WorkError: A file is not 4-D, or the channels have different numbers of frames.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = tuple(files)
        counts = [frame_count(path) for path in files]
        for path, count in zip(files, counts, strict=True):
            if count is None:
                raise WorkError(f"{path}: expected a 4-D file, got one that is not")
            if count != counts[0]:
                raise WorkError(f"{path}: expected {counts[0]} frames as in {files[0].name}, got {count}")
        self.frames = int(counts[0] or 0)
        # Kept open: a compressed file is then decompressed once, and not from its beginning for each frame.
        self._images = [nib.load(path, keep_file_open=True) for path in files]

    @contextmanager
    def frame(self, index: int) -> Iterator[list[Path]]:
        """Yield one 3-D file per channel that holds a frame, in a folder of their own that is removed afterwards.

        Args:
            index: Number of the frame, from 0.

        Raises:
            WorkError: The frame cannot be read, or what happens inside raises one; the line names file and frame.
        """
        with tempfile.TemporaryDirectory(prefix="nnunet-cardiac-") as scratch:
            try:
                yield [_extracted(image, index, Path(scratch), channel) for channel, image in enumerate(self._images)]
            except WorkError as error:
                reason = str(error).replace(f"{scratch}/", "")
                raise WorkError(f"{self._files[0]}, frame {index}: {reason}") from error


def write_cine_labels(path: Path, frames: Sequence[np.ndarray], source: Path) -> None:
    """Write the labels of all frames as one 4-D NIfTI file with the header of the images, whole or not at all.

    Args:
        path: The file.
        frames: Labels of each frame in file order (column, row, slice).
        source: The 4-D file that was labelled; voxel size, axes and time step come from it.

    Raises:
        WorkError: The file cannot be written.
    """
    labels = np.stack(frames, axis=-1)
    with written_whole(path) as partial:
        save_like(partial, labels, nib.load(source))


def _extracted(image: nib.Nifti1Image, index: int, folder: Path, channel: int) -> Path:
    path = folder / f"channel_{channel:04d}.nii"
    try:
        save_like(path, np.asanyarray(image.dataobj[..., index]), image)
    except Exception as error:  # nibabel, gzip and zlib raise a dozen types for damaged files
        raise WorkError(f"cannot be read ({last_line(error)})") from error
    return path
