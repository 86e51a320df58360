import argparse

import pytest

from inference_pipelines.folder_options import FolderOptions
from nnunet_cardiac_ext.cli.predict_options import add_images, add_prediction, folder_options, model_options
from nnunet_cardiac_ext.errors import UsageError


def parsed(*texts):
    parser = argparse.ArgumentParser()
    add_images(parser)
    add_prediction(parser)
    return parser.parse_args(["-i", "in", "-o", "out", *texts])


def test_without_options_nothing_differs_from_the_functions_defaults():
    assert FolderOptions(**folder_options(parsed())) == FolderOptions()
    assert model_options(parsed("-device", "cpu")) == {
        "folds": None, "checkpoint": "checkpoint_final.pth", "device": "cpu", "mirroring": True,
        "tile_step_size": 0.5, "batch_size": None,
    }  # fmt: skip


def test_options_reach_the_functions():
    arguments = parsed("-f", "0", "all", "--disable_tta", "--overwrite", "-num_parts", "3", "-part_id", "2")
    assert model_options(arguments)["folds"] == [0, "all"]
    assert model_options(arguments)["mirroring"] is False
    assert FolderOptions(**folder_options(arguments)) == FolderOptions(overwrite=True, num_parts=3, part_id=2)


@pytest.mark.parametrize("texts", [("-f", "-1"), ("-f", "one"), ("-num_parts", "0"), ("-part_id", "1")])
def test_numbers_out_of_range_are_refused(texts):
    with pytest.raises((UsageError, SystemExit)):
        model_options(parsed(*texts))
