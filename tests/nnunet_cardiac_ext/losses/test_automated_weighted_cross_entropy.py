import math

import pytest
import torch
from helpers.loss_cases import random_case, soft_case
from torch import nn
from torch.nn import functional

from nnunet_cardiac_ext.losses.automated_weighted_cross_entropy import (
    AutomatedWeightedCrossEntropyLoss,
    collapse_barrier,
)

LOSS = AutomatedWeightedCrossEntropyLoss()


def test_the_value_worked_out_by_hand():
    probability = torch.tensor([[[0.7, 0.1], [0.2, 0.3], [0.1, 0.6]]])[:, :, None]
    labels = torch.tensor([[0, 2]])[:, None, None]
    weights = torch.tensor([[0.5, 1.0, 1.5]])
    found = LOSS(probability.log(), labels, weights).item()
    assert found == pytest.approx(-(0.5 * math.log(0.7) + 1.5 * math.log(0.6)) / 2)


@pytest.mark.parametrize("per_image", [False, True])
def test_equals_plain_loops_over_soft_labels(per_image):
    output, shares = soft_case(classes=3)
    weights = torch.rand(2, 3, dtype=torch.float64) if per_image else torch.rand(3, dtype=torch.float64)
    probability, expected, voxels = torch.softmax(output, dim=1), 0.0, 0
    for image in range(len(output)):
        for place in range(output[0, 0].numel()):
            voxels += 1
            for label in range(3):
                p, y = (array[image, label].flatten()[place].item() for array in (probability, shares))
                w = (weights[image] if per_image else weights)[label].item()
                expected -= w * y * math.log(p)
    assert LOSS(output, shares, weights).item() == pytest.approx(expected / voxels)


def test_soft_labels_that_are_hard_give_the_loss_of_the_labels():
    output, labels = random_case(classes=4, regions=False)
    onehot = functional.one_hot(labels[:, 0], 4).movedim(-1, 1).double()
    weights = torch.rand(2, 4, dtype=torch.float64)
    # The two lie differently in memory, so that the sums run in another order.
    assert LOSS(output, onehot, weights).item() == pytest.approx(LOSS(output, labels, weights).item(), rel=1e-12)


def test_without_weights_it_is_torchs_cross_entropy():
    output, shares = soft_case(classes=4)
    assert LOSS(output, shares).item() == pytest.approx(functional.cross_entropy(output, shares).item())
    ones = torch.ones(2, 4, dtype=torch.float64)
    assert LOSS(output, shares, ones).item() == pytest.approx(LOSS(output, shares).item())


def test_voxels_that_are_no_class_do_not_count():
    output, labels = random_case(classes=3, regions=False)
    ignored = torch.rand(labels.shape, generator=torch.Generator().manual_seed(1)) < 0.3
    labels = torch.where(ignored, 3, labels)
    expected = functional.cross_entropy(output, labels[:, 0], ignore_index=3)
    assert LOSS(output, labels).item() == pytest.approx(expected.item())
    assert LOSS(output, torch.full_like(labels, 3)) == 0


def test_gradients_of_logits_weights_and_barrier():
    output, shares = soft_case(classes=3, size=(2, 3))
    weights = torch.rand(2, 3, dtype=torch.float64) + 0.1
    inputs = (output.requires_grad_(), weights.requires_grad_())
    assert torch.autograd.gradcheck(lambda o, w: LOSS(o, shares, w) + collapse_barrier(w), inputs)


def test_the_barrier_is_zero_for_ones_and_finite_for_nothing():
    assert collapse_barrier(torch.ones(2, 5)) == 0
    assert collapse_barrier(torch.tensor([[0.5, 1.5]])).item() == pytest.approx(-math.log(0.75) / 2)
    assert collapse_barrier(torch.zeros(1, 5)).isfinite()


COSTS = torch.tensor([0.04, 0.02, 0.02, 0.01, 0.0])


def settled(barrier, *, costs=COSTS, mean_one=True, steps=1000):
    """Weights of five classes of given costs, minimised directly; the barrier counts in units of all costs."""
    scores = nn.Parameter(torch.zeros(5))
    optimizer = torch.optim.Adam([scores], 0.05)
    for _ in range(steps):
        weights = 5 * torch.softmax(scores, dim=0) if mean_one else functional.softplus(scores) / math.log(2)
        loss = (weights * costs).sum() + barrier * costs.sum() * collapse_barrier(weights[None])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weights.detach()


def test_weights_of_mean_one_go_to_the_class_that_costs_nothing_unless_the_barrier_holds_them():
    assert settled(0.0)[4] > 4.9
    held = settled(1.0)
    # At the minimum w_i = barrier * sum of costs / (5 (cost_i - m)) with one m for all: cheap, rare classes weigh more.
    common = COSTS - COSTS.sum() / (5 * held)
    assert torch.allclose(common, common.mean().expand(5), atol=5e-4)
    assert held.argsort().tolist()[0] == 0


@pytest.mark.parametrize("costs", [[1, 0, 0, 0, 0], [1, 1, 1, 1, 0], [1e-4, 0, 0, 0, 0]])
def test_with_the_barrier_no_weight_leaves_its_bounds_whatever_the_costs(costs):
    held = settled(1.0, costs=torch.tensor(costs))
    assert held.min() > 0.16
    assert held.max() < 2.7


def test_free_weights_vanish_without_the_barrier():
    assert settled(0.0, mean_one=False)[:4].max() < 0.2
