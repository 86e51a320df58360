import pytest
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from torch import nn

from nnunet_cardiac_ext.reproduce.parameters import count_parameters


def test_shared_parameters_count_once_and_batch_statistics_not_at_all(tmp_path):
    # nnU-Net's decoder holds the encoder once more, and each block its layers twice.
    network = PlainConvUNet(
        1, 3, [2, 4, 8], nn.Conv2d, 3, [1, 2, 2], 1, 2, 1, norm_op=nn.BatchNorm2d, nonlin=nn.ReLU,
    )  # fmt: skip
    torch.save({"network_weights": network.state_dict(), "current_epoch": 3}, tmp_path / "checkpoint_final.pth")
    expected = sum(parameter.numel() for parameter in network.parameters())
    assert count_parameters(tmp_path / "checkpoint_final.pth") == expected
    assert sum(tensor.numel() for tensor in network.state_dict().values()) > 2 * expected


def test_a_missing_checkpoint_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        count_parameters(tmp_path / "checkpoint_final.pth")
