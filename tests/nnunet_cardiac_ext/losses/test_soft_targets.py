import pytest
import torch

from nnunet_cardiac_ext.losses.soft_targets import class_shares, log_probabilities


def test_labels_become_shares_and_what_is_no_class_does_not_count():
    shares = class_shares(torch.tensor([[0, 2, 3, -1]])[:, None], 3)
    assert shares.tolist() == [[[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]]
    assert shares.dtype == torch.float32


def test_shares_stay_as_they_are():
    shares = torch.rand(2, 3, 4, 4)
    assert class_shares(shares, 3) is shares
    assert class_shares(shares.double(), 3).dtype == torch.float64


@pytest.mark.parametrize(("channels", "classes"), [(2, 3), (4, 3), (1, 1)])
def test_another_number_of_channels_is_refused(channels, classes):
    with pytest.raises(ValueError, match=f"^expected a target of 1 or {classes} channels"):
        class_shares(torch.zeros(1, channels, 2, 2), classes)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_probabilities_are_computed_in_float32_at_least(dtype):
    logits = torch.tensor([[30.0, 0.0]], dtype=dtype)[..., None]
    found = log_probabilities(logits)
    assert found.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert found[0, 1].item() == pytest.approx(-30, rel=1e-6)
