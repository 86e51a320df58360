"""Mean weights and frequencies by epoch, and their csv."""

import pytest
import torch
from torch import distributed

from nnunet_cardiac_ext.files import read_csv
from nnunet_cardiac_ext.trainers.class_weight_log import FILE_NAME, ClassWeightLog


def test_means_over_all_images_of_the_epoch_by_hand(tmp_path):
    log = ClassWeightLog(tmp_path, ["background", "LV"])
    labels = torch.tensor([[0, 0, 0, 1], [0, 1, 1, 1]])[:, None, None]
    log.add(torch.tensor([[0.5, 1.5], [0.9, 1.1]]), labels)
    log.add(torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 0, 1, 0.5], [0, 1, 0, 0.5]])[None, :, None])
    (background, ventricle) = log.means(all_processes=False)
    assert background == ("background", pytest.approx(0.8), pytest.approx((0.75 + 0.25 + 0.625) / 3))
    assert ventricle == ("LV", pytest.approx(1.2), pytest.approx((0.25 + 0.75 + 0.375) / 3))
    assert log.means(all_processes=False) == []


def test_the_file_has_a_row_per_epoch_and_class_and_is_taken_up_where_a_training_resumes(tmp_path):
    log = ClassWeightLog(tmp_path, ["background", "LV"])
    for epoch in range(4):
        log.write(epoch, [("background", 0.5, 0.9), ("LV", 1.5, 0.1)])
    ClassWeightLog(tmp_path, ["background", "LV"]).write(2, [("background", 0.25, 0.9), ("LV", 1.75, 0.1)])
    rows = read_csv(tmp_path / FILE_NAME)
    assert [row["epoch"] for row in rows] == ["0", "0", "1", "1", "2", "2"]
    assert [row["weight"] for row in rows][-2:] == ["0.25", "1.75"]
    log.write(0, [("background", 1.0, 0.9)])
    assert read_csv(tmp_path / FILE_NAME) == [{"epoch": "0", "class": "background", "weight": "1", "frequency": "0.9"}]


def test_all_processes_are_pooled(tmp_path):
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        log = ClassWeightLog(tmp_path, ["background", "LV"])
        log.add(torch.tensor([[0.5, 1.5]]), torch.zeros(1, 1, 2, 2))
        assert log.means(all_processes=True) == [("background", 0.5, 1.0), ("LV", 1.5, 0.0)]
    finally:
        distributed.destroy_process_group()
