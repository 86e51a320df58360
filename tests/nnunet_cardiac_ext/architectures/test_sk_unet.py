import pytest
import torch
from helpers.stacks import SMALL, of_one_kind, random_stack
from torch import nn

from nnunet_cardiac_ext.architectures.all_slice_fusion import AllSliceFusionUNet
from nnunet_cardiac_ext.architectures.classifier_guided import ClassifierGuidedNet
from nnunet_cardiac_ext.architectures.sk_unet import SKUNet

STRIDES = [[1, 1], [2, 2], [2, 1]]


def small(deep_supervision=False, **options):
    return of_one_kind(
        SKUNet, 2, 3, deep_supervision, **{"strides": STRIDES, "features_per_stage": [4, 6, 8]} | options
    )


@pytest.mark.parametrize("size", [(16, 16), (17, 13), (5, 4)])
def test_any_size_goes_through(size):
    assert small()(torch.randn(2, 2, *size, dtype=torch.float64)).shape == (2, 3, *size)


def test_deep_supervision_has_an_output_at_each_level_above_the_bottom():
    network, image = small(deep_supervision=True), torch.randn(1, 2, 16, 16, dtype=torch.float64)
    outputs = network(image)
    assert [tuple(output.shape[2:]) for output in outputs] == [(16, 16), (8, 8)]
    network.decoder.deep_supervision = False
    network.eval()
    torch.testing.assert_close(network(image), network.decoder.heads[0](_finest(network, image)))


def _finest(network, image):
    maps = []
    network.decoder.levels[0].register_forward_hook(lambda module, given, output: maps.append(output))
    network(image)
    return maps[0]


@pytest.mark.parametrize("deep_supervision", [False, True])
def test_every_parameter_that_asks_for_one_gets_a_gradient(deep_supervision):
    network = small(deep_supervision)
    outputs = network(torch.randn(2, 2, 16, 16, dtype=torch.float64))
    sum(output.sin().sum() for output in (outputs if deep_supervision else [outputs])).backward()
    missing = {name for name, p in network.named_parameters() if p.grad is None}
    assert missing == (set() if deep_supervision else {"decoder.heads.1.weight", "decoder.heads.1.bias"})
    assert all(not dict(network.named_parameters())[name].requires_grad for name in missing)


@pytest.mark.parametrize(
    ("kind", "options"),
    [(SKUNet, {"strides": STRIDES, "features_per_stage": [4, 6, 8]}), (AllSliceFusionUNet, SMALL),
     (ClassifierGuidedNet, SMALL | {"presence": False})],
)  # fmt: skip
def test_before_training_a_structure_is_rare_and_no_two_outputs_are_alike(kind, options):
    torch.manual_seed(0)
    network = of_one_kind(kind, 1, 4, **options)
    network.apply(network.initialize)
    stacks = torch.cat((random_stack(2), random_stack(2, seed=1)))
    image = stacks[:, :, 0] if kind is SKUNet else stacks
    logits = network(image).movedim(1, 0).flatten(1)
    assert (logits.softmax(0).mean(1)[1:] < 0.05).all()
    # By hand: 1 % against 99 % is ln 99 = 4.595 below the background, and the random part has mean 0 over networks.
    heads = [module for name, module in network.named_modules() if "heads" in name and isinstance(module, nn.Conv2d)]
    for head in heads:
        assert head.bias.tolist() == pytest.approx([0, *[-4.59512] * 3], abs=1e-5)
        assert torch.linalg.matrix_rank(head.weight.flatten(1)) == min(head.weight.shape[:2])
    assert heads


def test_training_tells_structures_apart_within_few_steps():
    """Two rare structures of different grey levels, which outputs that start at 0 keep alike for long."""
    torch.manual_seed(0)
    network = SKUNet(1, 3, strides=STRIDES, features_per_stage=[4, 6, 8]).apply(SKUNet.initialize)
    labels = torch.zeros(4, 32, 32, dtype=torch.long)
    labels[:, 8:14, 8:14], labels[:, 20:26, 20:26] = 1, 2
    image = labels.float()[:, None] + 0.1 * torch.randn(4, 1, 32, 32)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(image), labels).backward()
        optimizer.step()
    found = network(image).argmax(1)
    for structure in (1, 2):
        both = ((found == structure) & (labels == structure)).sum()
        assert 2 * both / ((found == structure).sum() + (labels == structure).sum()) > 0.8


def test_weights_load_with_and_without_deep_supervision():
    small(deep_supervision=False).load_state_dict(small(deep_supervision=True).state_dict())


def test_each_level_ends_in_a_selective_kernel_unit():
    network = small(n_conv_per_stage=[1, 2, 3])
    kinds = [[type(block).__name__ for block in level] for level in network.encoder.levels]
    plain, unit = "Sequential", "SelectiveKernel"
    assert kinds == [[unit], [plain, unit], [plain, plain, unit]]
    assert [len(level) for level in network.decoder.levels] == [1, 2]


def test_the_number_of_parameters_is_the_sum_by_hand():
    def block(channels, features):
        return 9 * channels * features + features + 2 * features

    def unit(features):
        return 2 * block(features, features) + 32 * features + 2 * 32 * features

    levels = [block(2, 4) + unit(4), block(4, 6) + unit(6), block(6, 8) + unit(8)]
    decoder = [block(12, 6) + unit(6), block(8, 4) + unit(4)]
    upsampling = 8 * 6 * 2 + 6 + 6 * 4 * 4 + 4
    heads = (4 + 1) * 3 + (6 + 1) * 3
    assert sum(p.numel() for p in small().parameters()) == sum(levels) + sum(decoder) + upsampling + heads


@pytest.mark.parametrize(
    ("options", "words"),
    [({"conv_op": nn.Conv3d}, "Conv2d"), ({"n_stages": 4}, "n_stages"), ({"features_per_stage": [4, 6]}, "3 levels"),
     ({"strides": [[2, 2], [2, 2], [1, 1]]}, "ones first"), ({"strides": [[1, 1]], "features_per_stage": [4]}, "two")],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        small(**options)
