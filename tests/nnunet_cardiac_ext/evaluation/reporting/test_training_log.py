import math

import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.reporting.training_log import Training, read_log, read_trainings

STAMP = "2026-01-02 03:04:05.678901: "


def epoch(number, train=0.5, val=0.4, dice="[np.float32(0.2), np.float32(0.6)]", rate=0.01):
    lines = [f"Epoch {number} ", f"Current learning rate: {rate} ", f"train_loss {train} ", f"val_loss {val} ",
             f"Pseudo dice {dice} ", "Epoch time: 1.5 s "]  # fmt: skip
    return "".join(f"{STAMP}{line}\n" for line in lines)


def write(model, fold, name, text):
    (model / f"fold_{fold}").mkdir(parents=True, exist_ok=True)
    (model / f"fold_{fold}" / f"training_log_{name}.txt").write_text(text)


def test_numbers_of_each_epoch_are_read(tmp_path):
    write(tmp_path, 0, "2026_01_01", "# a heading\n" + epoch(0) + epoch(1, train=-0.25, rate=1e-05))
    write(tmp_path, "all", "2026_01_01", epoch(0))
    first, last = read_trainings(tmp_path)
    assert (first.fold, last.fold) == ("0", "all")
    assert first.train_loss == {0: 0.5, 1: -0.25}
    assert first.val_loss == {0: 0.4, 1: 0.4}
    assert first.dice[0] == pytest.approx(0.4)
    assert first.learning_rate == {0: 0.01, 1: 1e-05}
    assert first.seconds == {0: 1.5, 1: 1.5}


def test_older_ways_of_writing_the_dice_are_read():
    training = Training("0")
    read_log(epoch(0, dice="[0.25, 0.75]").splitlines() + epoch(1, dice="[nan, 0.5]").splitlines(), training)
    assert training.dice == {0: 0.5, 1: 0.5}
    read_log(epoch(2, dice="[np.float32(nan)]", train="nan").splitlines(), training)
    assert math.isnan(training.dice[2])
    assert math.isnan(training.train_loss[2])


def test_a_resumed_training_goes_on_from_its_last_epochs(tmp_path):
    write(tmp_path, 0, "2026_01_01", epoch(0) + epoch(1, train=9))
    write(tmp_path, 0, "2026_01_02", epoch(1, train=0.3) + epoch(2, train=0.2))
    (training,) = read_trainings(tmp_path)
    assert training.train_loss == {0: 0.5, 1: 0.3, 2: 0.2}
    assert training.epochs == 3


def test_lines_before_the_first_epoch_and_of_others_are_passed_over():
    training = Training("0")
    read_log([f"{STAMP}train_loss 3 ", "train_loss 4", f"{STAMP}Epoch 0 ", f"{STAMP}train_loss broken "], training)
    assert training.train_loss == {}


def test_a_folder_without_logs_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"expected fold_X/training_log_\*\.txt of nnU-Net with an epoch"):
        read_trainings(tmp_path)
