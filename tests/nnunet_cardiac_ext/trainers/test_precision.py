"""Which devices compute in bfloat16, and losses in float32 on its outputs."""

import pytest
import torch

from nnunet_cardiac_ext.trainers.precision import InFullPrecision, computes_bfloat16


def _sum_of_squares(outputs, targets):
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return sum(((output - targets) ** 2).sum() for output in outputs)


@pytest.mark.parametrize("several", [False, True])
def test_the_loss_is_that_of_the_outputs_as_float32(several):
    output = torch.linspace(0, 3, 1000).bfloat16()
    given, target = [output, output] if several else output, torch.zeros(1000)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = InFullPrecision(_sum_of_squares, "cpu")(given, target)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx((1 + several) * (output.double() ** 2).sum().item(), rel=1e-6)


def test_products_in_the_loss_are_not_cast_down():
    factors = torch.full((2, 2), 1.001)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        product = InFullPrecision(lambda outputs, targets: outputs @ targets, "cpu")(factors, factors)
    assert product.dtype == torch.float32


def test_what_the_loss_takes_besides_reaches_it():
    loss = InFullPrecision(lambda outputs, targets, weights: (outputs * weights - targets).sum(), "cpu")
    assert loss(torch.ones(2), torch.zeros(2), torch.tensor([2.0, 3.0])) == 5


@pytest.mark.parametrize(
    ("device", "capabilities", "able"),
    [
        ("cpu", {"architecture": "x86_64", "avx512_bf16": False, "amx_bf16": False}, False),
        ("cpu", {"architecture": "x86_64", "avx512_bf16": True, "amx_bf16": False}, True),
        ("cpu", {"architecture": "x86_64", "avx512_bf16": False, "amx_bf16": True}, True),
        ("cpu", {"architecture": "aarch64"}, True),
        ("cpu", {}, True),
        ("cuda", {"architecture": "x86_64", "avx512_bf16": False}, True),
    ],
)
def test_an_x86_processor_needs_instructions_for_bfloat16(monkeypatch, device, capabilities, able):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert computes_bfloat16(device) == able


def test_an_older_torch_does_not_say(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert computes_bfloat16("cpu")
