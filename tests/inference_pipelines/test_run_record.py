import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from inference_pipelines.folder_options import FolderOptions
from inference_pipelines.run_record import FILE_NAME, check_same_run, write_record
from nnunet_cardiac_ext.errors import UsageError

MODEL = SimpleNamespace(dataset_json={"labels": {"background": 0}}, plans=SimpleNamespace(plans={"plans_name": "p"}))
CASCADE = {"pipeline": "region-cascade", "regions": "ordered"}


def test_plans_data_set_and_how_it_was_done_are_kept(tmp_path):
    write_record(tmp_path, MODEL, Path("images"), FolderOptions(num_parts=2, part_id=1), CASCADE)
    read = {name: json.loads((tmp_path / name).read_text()) for name in ("dataset.json", "plans.json", FILE_NAME)}
    assert read["dataset.json"] == MODEL.dataset_json
    assert read["plans.json"] == MODEL.plans.plans
    assert read[FILE_NAME]["list_of_lists_or_source_folder"] == "images"
    assert (read[FILE_NAME]["num_parts"], read[FILE_NAME]["part_id"]) == (2, 1)
    assert read[FILE_NAME]["regions"] == "ordered"


@pytest.mark.parametrize(
    ("record", "facts", "fits"),
    [
        (CASCADE, CASCADE, True),
        (CASCADE, CASCADE | {"regions": "predicted"}, False),
        (CASCADE, {"pipeline": "slices"}, False),
        ({"pipeline": "slices"}, {"pipeline": "slices"}, True),
        ({"num_parts": 1}, {"pipeline": "slices"}, True),  # nnUNetv2_predict gives the same labels
        ({"num_parts": 1}, CASCADE, False),
        (["no record"], CASCADE, True),
    ],
)
def test_only_predictions_of_one_kind_go_into_a_folder(tmp_path, record, facts, fits):
    check_same_run(tmp_path, facts)
    (tmp_path / FILE_NAME).write_text(json.dumps(record))
    if fits:
        check_same_run(tmp_path, facts)
    else:
        with pytest.raises(UsageError, match=rf"{FILE_NAME}: the folder's predictions have .*, wanted is"):
            check_same_run(tmp_path, facts)
