import pytest
import torch
from helpers.loss_cases import ROW, ROW_OUTPUT, random_case

from nnunet_cardiac_ext.losses.balanced_cross_entropy import BalancedCrossEntropyLoss
from nnunet_cardiac_ext.losses.distance_derived import DistanceDerivedLoss
from nnunet_cardiac_ext.losses.generalized_dice import GeneralizedDiceLoss
from nnunet_cardiac_ext.losses.weighted_sum import WeightedSumLoss


def paper_losses(**options):
    return [kind(**options) for kind in (GeneralizedDiceLoss, BalancedCrossEntropyLoss, DistanceDerivedLoss)]


def test_the_value_worked_out_by_hand():
    expected = 1 / 6 + 0.0729979 + 3 * 0.3
    found = WeightedSumLoss(paper_losses(regions=True), (1, 1, 3))(ROW_OUTPUT, ROW)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_is_the_sum_of_what_the_losses_give_alone():
    output, target = random_case(classes=4, regions=False)
    losses = paper_losses(ignore_label=3)
    found = WeightedSumLoss(losses, (0.5, 2, 3))(output, target)
    alone = [float(loss(output, target)) for loss in losses]
    assert found.item() == pytest.approx(0.5 * alone[0] + 2 * alone[1] + 3 * alone[2])
    names = ["GeneralizedDiceLoss", "BalancedCrossEntropyLoss", "DistanceDerivedLoss"]
    assert WeightedSumLoss(losses, (0.5, 2, 3)).terms(output, target) == dict(zip(names, alone, strict=True))


def test_a_loss_of_weight_zero_is_not_computed(monkeypatch):
    monkeypatch.setattr(DistanceDerivedLoss, "of", None)
    output, target = random_case(classes=2, regions=False)
    losses = paper_losses()
    found = WeightedSumLoss(losses, (1, 1, 0))(output, target)
    assert torch.allclose(found, losses[0](output, target) + losses[1](output, target))


def test_the_gradient_is_that_of_finite_differences():
    output, target = random_case(classes=3, regions=False, size=(2, 3, 3))
    loss = WeightedSumLoss(paper_losses(), (1, 1, 3))
    assert torch.autograd.gradcheck(lambda x: loss(x, target), output.requires_grad_())


@pytest.mark.parametrize(
    ("losses", "weights"),
    [
        ([], []),
        ([GeneralizedDiceLoss()], [1, 2]),
        ([GeneralizedDiceLoss()], [0]),
        ([GeneralizedDiceLoss(), DistanceDerivedLoss(regions=True)], [1, 1]),
        ([GeneralizedDiceLoss(), DistanceDerivedLoss(ignore_label=2)], [1, 1]),
    ],
)
def test_losses_that_do_not_go_together_are_refused(losses, weights):
    with pytest.raises(ValueError, match="expected"):
        WeightedSumLoss(losses, weights)
