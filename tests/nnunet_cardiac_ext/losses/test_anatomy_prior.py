import pytest
import torch
from helpers.loss_cases import soft_case

from nnunet_cardiac_ext.losses.anatomy_prior import AnatomyPriorLoss
from nnunet_cardiac_ext.losses.automated_weighted_cross_entropy import AutomatedWeightedCrossEntropyLoss
from nnunet_cardiac_ext.losses.neighborhood_penalty import NeighborhoodPenalty


def test_it_is_the_sum_with_the_coefficient():
    output, shares = soft_case(classes=3)
    weights = torch.rand(2, 3, dtype=torch.float64)
    penalty = NeighborhoodPenalty([([1], [1, 2])], threshold=0.1)
    entropy = AutomatedWeightedCrossEntropyLoss()(output, shares, weights).item()
    gap = penalty(output, shares).item()
    assert gap > 0
    for coefficient in (0.01, 2.0):
        found = AnatomyPriorLoss(penalty, coefficient=coefficient)(output, shares, weights).item()
        assert found == pytest.approx(entropy + coefficient * gap)
    assert AnatomyPriorLoss()(output, shares, weights).item() == pytest.approx(entropy)
