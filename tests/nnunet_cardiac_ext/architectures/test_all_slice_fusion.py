"""Invariances of the all-slice network, in float64."""

import pytest
import torch
from helpers.stacks import SMALL, of_one_kind, padded, random_stack

from nnunet_cardiac_ext.architectures.all_slice_fusion import AllSliceFusionUNet, as_stacks, only_real, real_slices

EXACT = {"rtol": 0, "atol": 1e-12}
modes = pytest.mark.parametrize("training", [True, False])


def small(deep_supervision=False, **options):
    return of_one_kind(AllSliceFusionUNet, 1, 4, deep_supervision, **SMALL | options)


@modes
def test_permuting_the_slices_permutes_the_output(training):
    network, stack, order = small().train(training), random_stack(6), torch.tensor([4, 0, 5, 2, 1, 3])
    torch.testing.assert_close(network(stack[:, :, order]), network(stack)[:, :, order], **EXACT)


@modes
def test_padding_with_empty_slices_gives_the_unpadded_result(training):
    networks = [small().train(training) for _ in range(2)]
    stack = random_stack(5)
    bare, wide = networks[0](stack), networks[1](padded(stack, 2, 3))
    torch.testing.assert_close(wide[:, :, 2:-3], bare, **EXACT)
    assert not wide[:, :, :2].any()
    assert not wide[:, :, -3:].any()
    # In training the statistics of the batch normalisation have not seen the padding either.
    for first, second in zip(networks[0].buffers(), networks[1].buffers(), strict=True):
        torch.testing.assert_close(first, second, **EXACT)


def test_stacks_of_a_batch_do_not_know_of_each_other_in_prediction():
    network, stacks = small().eval(), [random_stack(3), random_stack(5, seed=1)]
    together = network(torch.cat([padded(stacks[0], 0, 2), stacks[1]]))
    torch.testing.assert_close(together[:1, :, :3], network(stacks[0]), **EXACT)
    torch.testing.assert_close(together[1:], network(stacks[1]), **EXACT)


@modes
def test_a_single_slice_works_and_differs_from_the_same_slice_among_others(training):
    network, stack = small().train(training), random_stack(4)
    alone = network(stack[:, :, 2:3])
    assert alone.shape == (1, 4, 1, 19, 22)
    assert torch.isfinite(alone).all()
    assert not torch.allclose(alone, small().train(training)(stack)[:, :, 2:3])


def test_without_fusion_every_slice_is_by_itself():
    network, stack = small(fusion=False).eval(), random_stack(4)
    one_by_one = [network(stack[:, :, k : k + 1]) for k in range(4)]
    torch.testing.assert_close(network(stack), torch.cat(one_by_one, dim=2), **EXACT)
    assert network.fusion is None


def test_gradients_of_padded_and_unpadded_stacks_agree():
    gradients = []
    for pads in ((0, 0), (1, 2)):
        network, stack = small(), random_stack(3)
        network(padded(stack, *pads)).sin().sum().backward()
        gradients.append([p.grad for p in network.parameters() if p.requires_grad])
    for first, second in zip(*gradients, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-10)


def test_deep_supervision_gives_stacks_at_each_level():
    network, stack = small(deep_supervision=True), padded(random_stack(3, size=(16, 16)), 0, 1)
    assert [tuple(output.shape) for output in network(stack)] == [(1, 4, 4, 16, 16), (1, 4, 4, 8, 8)]
    assert all(not output[:, :, 3].any() for output in network(stack))


def test_padding_is_zero_in_all_channels_and_never_a_whole_stack():
    image = torch.ones(3, 2, 4, 2, 2)
    image[0, :, 3] = 0
    image[1, 0] = 0
    image[2] = 0
    assert real_slices(image).tolist() == [[True, True, True, False], [True] * 4, [True] * 4]


def test_slices_come_back_to_their_places():
    stack = torch.cat([padded(random_stack(3), 1, 0), random_stack(4, seed=1)])
    real = real_slices(stack)
    assert only_real(stack, real).shape == (7, 1, 19, 22)
    torch.testing.assert_close(as_stacks(only_real(stack, real), real), stack, rtol=0, atol=0)


def test_the_mirrored_stack_gives_the_mirrored_output_only_where_it_should():
    # Turning the order of the slices over changes nothing but the order: base and apex need not be known.
    network, stack = small().eval(), random_stack(5)
    torch.testing.assert_close(network(stack.flip(2)), network(stack).flip(2), **EXACT)


@pytest.mark.parametrize("fusion", [False, True])
def test_what_is_kept_for_the_gradient_grows_linearly_with_the_slices(fusion):
    network, kept = small(fusion=fusion), {}
    for slices in (4, 8, 12):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, sizes=sizes: (sizes.append(t.numel()), t)[1], lambda t: t
        ):
            network(random_stack(slices))
        kept[slices] = sum(sizes)
    # Attention too: torch's does not keep the scores of pairs of slices.
    assert kept[12] - kept[8] == kept[8] - kept[4]
