"""The mixture against the plain mean of probabilities, in float64."""

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

from inference_pipelines.mixture import ProbabilityMixture


def mixed(parts, *, sigmoid, shape=(3, 4, 2, 2)):
    mixture = ProbabilityMixture(shape, sigmoid=sigmoid)
    for slices, logits, weights in parts:
        mixture.add(slices, torch.as_tensor(logits).half(), torch.as_tensor(weights))
    return mixture.logits


@pytest.mark.parametrize("sigmoid", [False, True])
def test_exported_probabilities_are_the_weighted_mean(sigmoid):
    random = np.random.default_rng(0)
    first, second = (random.normal(0, 4, (3, 4, 2, 2)).astype(np.float16) for _ in range(2))
    weights = np.array([1.0, 0.75, 0.5])
    parts = [([0, 1, 3], first[:, [0, 1, 3]], weights), ([1, 2, 3], second[:, 1:], np.array([0.25, 1.0, 0.5]))]
    logits = mixed(parts, sigmoid=sigmoid).double().numpy()
    nonlinearity = expit if sigmoid else lambda values: softmax(values, axis=0)
    one, two = (nonlinearity(part.astype(np.float64)) for part in (first, second))
    expected = np.stack([one[:, 0], 0.75 * one[:, 1] + 0.25 * two[:, 1], two[:, 2], 0.5 * (one + two)[:, 3]], axis=1)
    np.testing.assert_allclose(nonlinearity(logits), expected, atol=1e-6)


@pytest.mark.parametrize("sigmoid", [False, True])
def test_a_network_that_is_certain_leaves_finite_logits(sigmoid):
    certain = np.zeros((2, 1, 1, 1), dtype=np.float16)
    certain[0] = 60000
    logits = mixed([([0], certain, [0.5]), ([0], -certain, [0.5])], sigmoid=sigmoid, shape=(2, 1, 1, 1))
    assert torch.isfinite(logits).all()
    probabilities = torch.sigmoid(logits) if sigmoid else logits.softmax(dim=0)
    torch.testing.assert_close(probabilities.flatten(), torch.tensor([0.5, 0.5]))


def test_a_single_network_survives_interpolation_between_voxels():
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 2, 4, 4, generator=random).half()
    mixture = mixed([([0, 1], logits, [1.0, 1.0])], sigmoid=False, shape=(3, 2, 4, 4))
    own, ours = (torch.nn.functional.interpolate(x.float(), scale_factor=3, mode="bilinear") for x in (logits, mixture))
    torch.testing.assert_close(ours.softmax(dim=0), own.softmax(dim=0), atol=1e-6, rtol=0)
