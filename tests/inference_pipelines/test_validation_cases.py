import json

import pytest

from inference_pipelines.validation_cases import validation_cases
from nnunet_cardiac_ext.errors import UsageError

NAME = "Dataset999_Tiny"


@pytest.fixture
def splits(nnunet_root):
    path = nnunet_root / "preprocessed" / NAME / "splits_final.json"
    path.parent.mkdir()
    path.write_text(json.dumps([{"train": ["a", "b"], "val": ["c"]}, {"train": ["c"], "val": ["b", "a"]}]))
    return path


def test_cases_of_a_fold_and_the_folders_of_their_files(nnunet_root, splits):
    found = validation_cases(NAME, "1")
    assert found.names == ("b", "a")
    assert found.images == nnunet_root / "raw" / NAME / "imagesTr"
    assert found.labels == nnunet_root / "raw" / NAME / "labelsTr"


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        ("2", "expected the validation cases of fold 2, found 2 folds"),
        ("all", "expected the number of a fold, got all"),
    ],
)
def test_a_fold_without_validation_cases_is_refused(splits, fold, message):
    with pytest.raises(UsageError, match=message):
        validation_cases(NAME, fold)


def test_another_file_is_refused(splits):
    splits.write_text('{"folds": 5}')
    with pytest.raises(UsageError, match=r"splits_final\.json: expected the validation cases of fold 0"):
        validation_cases(NAME, 0)
    splits.unlink()
    with pytest.raises(UsageError, match=r"splits_final\.json: cannot be read"):
        validation_cases(NAME, 0)
