import pytest
import torch
from helpers.studies import row_named, study_in, table_named, write_metrics
from torch import nn

from nnunet_cardiac_ext.reproduce.parameter_figure import size_and_score


@pytest.fixture
def study(tmp_path, nnunet_root):
    (nnunet_root / "raw/Dataset027_ACDC").mkdir()
    study = study_in(tmp_path, paper="003", models=("unet", "crocnet"))
    for name, width in (("unet", 3), ("crocnet", 5)):
        path = study.weights(row_named(study, name))
        path.parent.mkdir(parents=True)
        torch.save({"network_weights": nn.Linear(2, width).state_dict()}, path)
    return study


def test_a_point_is_the_parameters_and_the_mean_over_the_structures(study):
    values = {"unet": (0.8, 0.6), "crocnet": (0.9, 0.7)}
    for name, (first, second) in values.items():
        scores = {("LV", "all", "dice"): [first, first + 0.1, "nan"], ("RV", "all", "dice"): [second]}
        write_metrics(study, name, scores | {("LV", "all", "hd_2d"): [3.0]}, convention="crocnet")
    table = size_and_score(table_named(study, "figure5"), study, "MNMs2LA")
    assert [row["model"] for row in table.rows] == ["unet", "crocnet"]
    assert [row["parameters"] for row in table.rows] == [9, 15]
    assert [row["dice_mean"] for row in table.rows] == pytest.approx([72.5, 82.5])
    assert table.figure.read_bytes().startswith(b"\x89PNG")


def test_one_model_is_no_figure(study):
    alone = study_in(study.output, paper="003", models=("unet",))
    assert size_and_score(table_named(alone, "figure5"), alone, "") is None
