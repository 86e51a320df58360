"""Room for turned patches, and what lies outside them."""

import math

import pytest
import torch

from nnunet_cardiac_ext.data.plane_motion import SpatialOfLabels, room_to_turn


def test_room_is_the_bounding_box_in_odd_numbers():
    assert room_to_turn((40, 32), 0) == [41, 33]
    assert room_to_turn((40, 32), math.pi / 2) == [33, 41]
    # 100 (cos 45 + sin 45) = 141.4, and 1.5 times as much 212.1
    assert room_to_turn((100, 100), math.pi / 4) == [143, 143]
    assert room_to_turn((100, 100), math.pi / 4, 1.5) == [213, 213]


@pytest.mark.parametrize("options", [{}, {"p_rotation": 1, "rotation": (0.4, 0.4)}])
def test_outside_is_image_0_and_label_minus_1(options):
    change = SpatialOfLabels([20, 20], 0, random_crop=False, **options)
    result = change(image=torch.ones(1, 10, 10), segmentation=torch.ones(1, 10, 10, dtype=torch.int16))
    assert set(result["segmentation"].unique().tolist()) == {-1, 1}
    assert (result["image"][:, 0] == 0).all()
    assert (result["segmentation"][:, 0] == -1).all()
