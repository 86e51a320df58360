"""How a pipeline works through a folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FolderOptions:
    """How a folder is worked through.

    Attributes:
        save_probabilities: Also write `CASE.npz` and `CASE.pkl` (of a 4-D file `CASE_frame00.npz` and so on).
        overwrite: Predict also what is there.
        num_parts: Number of processes that share the cases.
        part_id: Which of them this is, from 0.
        quiet: Draw no progress bar.
    """

    save_probabilities: bool = False
    overwrite: bool = False
    num_parts: int = 1
    part_id: int = 0
    quiet: bool = False
