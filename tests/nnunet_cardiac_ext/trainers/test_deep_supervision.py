"""Weights of the outputs, by hand."""

import numpy as np
import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.trainers.deep_supervision import deep_supervision_weights


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((4,), [4 / 7, 2 / 7, 1 / 7, 0]),
        ((2,), [1, 0]),
        ((1,), [1]),
        ((4, [1, 0.5, 0.5, 0.5]), [1, 0.5, 0.5, 0.5]),
        ((2, (1, 0)), [1, 0]),
    ],
)
def test_weights_halve_without_the_coarsest_or_are_taken_as_given(arguments, expected):
    np.testing.assert_allclose(deep_supervision_weights(*arguments), expected)


def test_under_ddp_no_output_is_without_weight():
    np.testing.assert_allclose(deep_supervision_weights(3, every_output=True), np.array([1, 0.5, 1e-6]) / 1.500001)
    np.testing.assert_allclose(deep_supervision_weights(2, [1, 0], every_output=True), [1, 1e-6])


def test_a_wrong_number_of_weights_is_refused():
    with pytest.raises(UsageError, match="expected 3 numbers, one for each output of this network, got 2"):
        deep_supervision_weights(3, [1, 0.5])
