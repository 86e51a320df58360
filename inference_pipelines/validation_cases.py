"""The validation cases of a fold, as nnU-Net's splits file has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json


@dataclass(frozen=True)
class ValidationCases:
    """The cases that a fold's training does not see.

    Attributes:
        images: Folder of the training images.
        labels: Folder of their labels.
        names: Names of the validation cases.
    """

    images: Path
    labels: Path
    names: tuple[str, ...]


def validation_cases(dataset: str, fold: int | str) -> ValidationCases:
    """Return the validation cases of a fold.

    Args:
        dataset: Name of the data set's folders (`Dataset027_ACDC`).
        fold: Number of the fold.

    Raises:
        UsageError: An nnU-Net directory is not set, or `splits_final.json` is absent or has no such fold.
    """
    path = discovery.preprocessed_folder() / dataset / "splits_final.json"
    splits = read_json(path)
    number = int(fold) if str(fold).isdigit() else None
    if number is None:
        raise UsageError(f"--validation: expected the number of a fold, got {fold}, which has no validation cases")
    known = splits if isinstance(splits, list) else []
    if number >= len(known) or not isinstance(known[number], dict) or "val" not in known[number]:
        raise UsageError(f"{path}: expected the validation cases of fold {number}, found {len(known)} folds")
    raw = discovery.raw_folder() / dataset
    return ValidationCases(raw / "imagesTr", raw / "labelsTr", tuple(known[number]["val"]))
