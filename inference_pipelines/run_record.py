"""What nnU-Net leaves beside predictions, and what its ensembling and postprocessing commands read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from inference_pipelines.folder_options import FolderOptions
from inference_pipelines.model_folder import Model
from nnunet_cardiac_ext.architectures.classifier_guided import PRESENT
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json, write_json

FILE_NAME = "predict_from_raw_data_args.json"
# Facts that must not change between runs into one folder, and what they are where none are recorded, as by nnU-Net.
IDENTITY: Mapping[str, Any] = MappingProxyType(
    {"pipeline": "slices", "regions": None, "stages": None, "presence_threshold": PRESENT}
)


def write_record(output: Path, model: Model, source: Path, options: FolderOptions, facts: Mapping[str, Any]) -> None:
    """Write `dataset.json`, `plans.json` and `predict_from_raw_data_args.json`.

    Args:
        output: The output folder.
        model: The model whose plans and data set description are written.
        source: The images.
        options: How the folder is worked through.
        facts: What else is worth keeping of how the predictions came about.
    """
    write_json(output / "dataset.json", model.dataset_json)
    write_json(output / "plans.json", model.plans.plans)
    write_json(
        output / FILE_NAME,
        {
            "list_of_lists_or_source_folder": str(source),
            "output_folder_or_list_of_truncated_output_files": str(output),
            "save_probabilities": options.save_probabilities,
            "overwrite": options.overwrite,
            "num_processes_preprocessing": 0,
            "num_processes_segmentation_export": 0,
            "folder_with_segs_from_prev_stage": None,
            "num_parts": options.num_parts,
            "part_id": options.part_id,
            **facts,
        },
    )


def check_same_run(output: Path, facts: Mapping[str, Any]) -> None:
    """Check that predictions in a folder, if there are any, came about in the way that is wanted now.

    Raises:
        UsageError: They did not: going on would mix them.
    """
    path = output / FILE_NAME
    record = read_json(path) if path.is_file() else None
    if not isinstance(record, dict):
        return
    for key, of_nnunet in IDENTITY.items():
        got, wanted = record.get(key, of_nnunet), facts.get(key, of_nnunet)
        if got != wanted:
            raise UsageError(
                f"{path}: the folder's predictions have {key} {got}, wanted is {wanted}; choose another folder, or "
                "--overwrite"
            )
