import pytest
import torch
from helpers.stacks import SMALL, of_one_kind, padded, random_stack

from nnunet_cardiac_ext.architectures.classifier_guided import ClassifierGuidedNet, without_absent

ROWS = [
    {"fusion": fusion, "refinement": refinement, "presence": presence}
    for fusion in (False, True)
    for refinement in (False, True)
    for presence in (False, True)
]
rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(name for name, on in row.items() if on) or "seg")
EXACT = {"rtol": 0, "atol": 1e-12}


def small(**options):
    return of_one_kind(ClassifierGuidedNet, 1, 4, **SMALL | options)


@rows
def test_every_row_of_the_tables_has_its_parts_and_every_parameter_learns(row):
    network = small(deep_supervision=True, **row)
    outputs = network(torch.cat([padded(random_stack(3), 0, 1), random_stack(4, seed=1)]))
    assert outputs.final.shape == (2, 4, 4, 19, 22)
    assert [tuple(stage.shape) for stage in outputs.stages] == [(7, 4, 19, 22)] * (1 + row["refinement"])
    assert (outputs.presence is not None) == row["presence"]
    assert all((stage.fusion is not None) == row["fusion"] for stage in network.stages)
    terms = [*outputs.stages[-1:], *([outputs.presence] if row["presence"] else [])]
    sum(term.sin().sum() for term in terms).backward()
    assert all(p.grad is not None for p in network.parameters() if p.requires_grad)


@rows
def test_permuting_and_padding_change_nothing_but_places(row):
    network, stack, order = small(**row).eval(), random_stack(4), torch.tensor([2, 3, 0, 1])
    result = network(stack)
    torch.testing.assert_close(network(stack[:, :, order]), result[:, :, order], **EXACT)
    torch.testing.assert_close(network(padded(stack, 1, 2))[:, :, 1:-2], result, **EXACT)
    assert network(stack[:, :, :1]).shape == (1, 4, 1, 19, 22)


def test_the_refinement_sees_probabilities_only():
    network, seen = small().eval(), []
    network.stages[1].encoder.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    seg = network.examine(random_stack(3)).stages[0]
    torch.testing.assert_close(seen[0], seg.softmax(dim=1))


@pytest.mark.parametrize("refinement", [False, True])
def test_the_classifier_sees_the_encoders_bottom_of_the_last_stage(refinement):
    network, bottoms = small(refinement=refinement).eval(), []
    network.stages[-1].encoder.register_forward_hook(lambda module, given, output: bottoms.append(output[-1]))
    presence = network.examine(random_stack(3)).presence
    torch.testing.assert_close(presence, network.classifier.layers(bottoms[0].mean(dim=(2, 3))))


def test_a_structure_is_shown_where_its_probability_is_above_one_half():
    network, stack = small().eval(), random_stack(5)
    with torch.no_grad():
        network.classifier.layers[2].weight.zero_()
        for shift, shown in ((-1e-6, False), (0.0, False), (1e-6, True)):
            network.classifier.layers[2].bias.copy_(torch.tensor([5.0, shift, 5.0]))
            outputs = network.examine(stack)
            raw = outputs.stages[-1]
            final = outputs.final[0].transpose(0, 1)
            assert torch.equal(final[:, 2], raw[:, 2]) == shown
            torch.testing.assert_close(final[:, [0, 1, 3]], raw[:, [0, 1, 3]])
            assert (final.argmax(dim=1) == 2).any() == (shown and (raw.argmax(dim=1) == 2).any())


def test_what_is_absent_lies_below_all_others_and_stays_finite_in_half_precision():
    logits = torch.tensor([[-3.0, 9.0, 2.0, -5.0]])[:, :, None, None].half()
    found = without_absent(logits, torch.tensor([[False, True, False]]))[0, :, 0, 0]
    assert found.tolist() == [-3, -15, 2, -15]
    nothing = without_absent(logits, torch.zeros(1, 3, dtype=torch.bool))
    assert nothing.argmax(dim=1).item() == 0


def test_without_all_outputs_only_the_final_logits_come():
    network, stack = small(deep_supervision=True).eval(), random_stack(3)
    outputs = network(stack)
    network.all_outputs = False
    torch.testing.assert_close(network(stack), outputs.final)
