import pytest
import torch
from helpers.loss_cases import soft_case

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.losses.neighborhood_penalty import NeighborhoodPenalty, crack, nested_pairs

LABELS = {"background": 0, "LV": 1, "MYO": 2, "INFARCT": 3, "NOREFLOW": 4}
PAIRS = ["NOREFLOW:INFARCT+NOREFLOW", "INFARCT+NOREFLOW:MYO+INFARCT+NOREFLOW"]


def line(*rows):
    """A strip of voxels, one row of probabilities (background, inner, rest of outer) per voxel, as logits."""
    return torch.tensor(rows).double().clamp(min=1e-12).log().T[None, :, None]


def penalty(output, threshold=0.1):
    target = torch.zeros_like(output[:, :1])
    return NeighborhoodPenalty([([1], [2])], threshold=threshold)(output, target).item()


def strip(inner, outer):
    """Five voxels: region A, A, a crack, region B, B; the crack's probabilities of A and B are given."""
    sides = [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]
    return line(sides[0], sides[0], [1 - inner - outer, inner, outer], sides[1], sides[1])


def test_a_crack_of_one_voxel_costs_what_is_missing_in_it_and_less_as_it_closes():
    costs = [penalty(strip(*sides)) for sides in ((0.2, 0.2), (0.3, 0.2), (0.4, 0.3), (0.5, 0.4), (0.5, 0.5))]
    assert costs == pytest.approx([0.6 / 5, 0.5 / 5, 0.3 / 5, 0.1 / 5, 0.0])


@pytest.mark.parametrize("sides", [(1.0, 0.0), (0.5, 0.5), (0.3, 0.7)])
def test_regions_that_touch_cost_nothing(sides):
    assert penalty(strip(*sides)) == pytest.approx(0, abs=1e-10)


def test_the_gradient_closes_the_crack_from_both_sides():
    output = strip(0.3, 0.3).requires_grad_()
    NeighborhoodPenalty([([1], [2])], threshold=0.1)(output, torch.zeros(1, 1, 1, 5)).backward()
    background, inner, outer = output.grad[0, :, 0, 2].tolist()
    assert background > 0 > inner == pytest.approx(outer)
    assert not output.grad[..., [0, 1, 3, 4]].any()


def test_places_far_from_either_region_cost_nothing():
    assert penalty(line([0.9, 0.05, 0.05], [0.6, 0.05, 0.35])) == 0
    assert penalty(line([0.9, 0.05, 0.05]), threshold=0.0) == pytest.approx(0.9)


def by_loops(probability, counts, pairs, threshold, epsilon):
    """Equations 4 and 5 word by word, with the condition a b < 1 - epsilon."""
    total = 0.0
    for inner, outer in pairs:
        for image, known in zip(probability, counts, strict=True):
            for voxel in range(image.shape[1]):
                a, b = (sum(image[label, voxel].item() for label in region) for region in (inner, outer))
                if known[voxel] and a > threshold and b > threshold and a * b < 1 - epsilon:
                    total += max(0.0, 1 - a - b)
    return total / counts.sum().item()


@pytest.mark.parametrize("epsilon", [1e-3, 0.5])
def test_equals_plain_loops_over_the_papers_pairs_whatever_epsilon(epsilon):
    output, shares = soft_case(classes=5)
    shares[0, :, 1] = 0
    pairs = nested_pairs(PAIRS, LABELS)
    found = NeighborhoodPenalty(pairs, threshold=0.15)(output, shares).item()
    probability = torch.softmax(output, dim=1).flatten(2)
    expected = by_loops(probability, shares.sum(dim=1).flatten(1) > 0, pairs, 0.15, epsilon)
    assert found == pytest.approx(expected)
    assert found > 0


def test_gradients():
    output, shares = soft_case(classes=5, size=(3, 4))
    module = NeighborhoodPenalty(nested_pairs(PAIRS, LABELS), threshold=0.05)
    assert torch.autograd.gradcheck(lambda o: module(o, shares), (output.requires_grad_(),))


def test_without_a_voxel_that_counts_or_a_pair_it_is_zero():
    output, _ = soft_case(classes=5)
    nothing = torch.zeros_like(output)
    assert NeighborhoodPenalty(nested_pairs(PAIRS, LABELS), threshold=0.1)(output, nothing) == 0
    assert NeighborhoodPenalty([], threshold=0.1)(output, torch.ones_like(output) / 5) == 0


def test_cracks_are_found_voxel_by_voxel():
    inner, outer = torch.tensor([0.3, 0.05, 0.6]), torch.tensor([0.5, 0.5, 0.6])
    assert crack(inner, outer, threshold=0.1).tolist() == pytest.approx([0.2, 0, 0])


def test_pairs_are_read_by_name():
    assert nested_pairs(PAIRS, LABELS) == [([4], [3, 4]), ([3, 4], [2, 3, 4])]
    assert nested_pairs([" LV : LV + MYO "], LABELS) == [([1], [1, 2])]


@pytest.mark.parametrize(
    ("text", "message"),
    [("NOREFLOW", "expected INNER:OUTER, .* got 'NOREFLOW'"), ("A:A+MYO", "expected labels .* got 'A' in"),
     ("MYO:INFARCT", "that holds the inner one and more"), ("MYO:MYO", "and more, got 'MYO:MYO'"),
     ("LV:MYO:LV", "expected INNER:OUTER"), ("", "expected INNER:OUTER")],
)  # fmt: skip
def test_other_pairs_are_refused(text, message):
    with pytest.raises(UsageError, match=r"^cardiac.neighborhood_pairs: .*" + message):
        nested_pairs([text], LABELS)
