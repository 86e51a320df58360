import re

from nnunet_cardiac_ext.evaluation.reporting.training import MOST_POINTS, training_figures
from nnunet_cardiac_ext.evaluation.reporting.training_log import Training


def training(fold="0", epochs=3):
    values = {k: 1 / (k + 1) for k in range(epochs)}
    return Training(fold, values, dict(values), dict(values), dict(values), dict(values))


def test_three_figures_say_how_each_fold_ended():
    figures = training_figures([training(), training("1", 4)])
    assert [item["title"] for item in figures] == ["Loss", "Pseudo Dice", "Learning rate"]
    losses = "fold 0 ends at 0.333 training, 0.333 validation after 3 epochs; fold 1 ends at 0.250"
    assert losses in figures[0]["figure"]
    assert "Pseudo Dice by epoch: fold 0 ends at 0.333; fold 1 ends at 0.250" in figures[1]["figure"]


def test_long_trainings_are_thinned_out_and_keep_their_ends():
    long = training(epochs=5000)
    figure = training_figures([long])[2]["figure"]
    assert max(len(re.findall("L", path)) for path in re.findall(r' d="([^"]*)"', figure)) < MOST_POINTS
    assert len(figure) < 30_000


def test_a_training_without_dice_or_validation_is_drawn():
    figures = training_figures([Training("0", {0: 1.0})])
    assert "ends at 1.00 training, – validation after 1 epoch" in figures[0]["figure"]
