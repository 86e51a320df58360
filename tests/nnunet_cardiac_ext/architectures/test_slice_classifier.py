"""SliceClassifier: sizes, parameters, ImageNet weights; fitting whole slices and classifying them."""

import math
from collections import OrderedDict

import pytest
import torch
from torch import nn
from torchvision import models

from nnunet_cardiac_ext.architectures.slice_classifier import (
    BACKBONES,
    SliceClassifier,
    classify_slices,
    fit_slices,
    has_batch_norm,
    load_imagenet_weights,
    smallest_edge,
)
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.settings import CardiacSettings

CONSTRUCTORS = {
    "alexnet": models.alexnet,
    "densenet121": models.densenet121,
    "mobilenet_v2": models.mobilenet_v2,
    "resnet18": models.resnet18,
    "shufflenet_v2": models.shufflenet_v2_x1_0,
    "squeezenet": models.squeezenet1_0,
    "vgg11_bn": models.vgg11_bn,
}
SMALL = ("densenet121", "mobilenet_v2", "resnet18", "shufflenet_v2", "squeezenet")


# Millions of parameters of torchvision's network with four outputs and three channels, rounded to so many digits, and
# the number of outputs and the kernel's edge of its first convolution.
PARAMETERS = {
    "alexnet": (57.0, 1, 64, 11),
    "densenet121": (6.96, 2, 64, 7),
    "mobilenet_v2": (2.23, 2, 32, 3),
    "resnet18": (11.18, 2, 64, 7),
    "shufflenet_v2": (1.26, 2, 24, 3),
    "squeezenet": (0.737, 3, 96, 7),
    "vgg11_bn": (128.8, 1, 64, 3),
}


@pytest.fixture(scope="module", params=BACKBONES)
def network(request):
    """A classifier of each backbone; the largest takes seconds to make."""
    torch.manual_seed(0)
    return SliceClassifier(1, backbone=request.param)


def test_the_parameters_are_those_of_torchvision_without_two_channels(network):
    millions, digits, outputs, kernel = PARAMETERS[network.backbone]
    count = sum(parameter.numel() for parameter in network.parameters())
    assert round((count + 2 * outputs * kernel**2) / 1e6, digits) == millions


def test_every_parameter_has_a_gradient_and_odd_sizes_pass(network):
    logits = network.train()(torch.randn(2, 1, 65, 71))
    assert logits.shape == (2, 4)
    nn.functional.cross_entropy(logits, torch.tensor([1, 3])).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    network.zero_grad()


def test_the_smallest_edge_passes_and_a_smaller_one_does_not(network):
    edge = smallest_edge(network.backbone)
    with torch.no_grad():
        assert network.eval()(torch.zeros(1, 1, edge, edge)).shape == (1, 4)
        if edge > 1:
            with pytest.raises(RuntimeError, match="too small"):
                network(torch.zeros(1, 1, edge - 1, edge - 1))


def test_what_is_said_of_batch_normalisation_is_true(network):
    assert has_batch_norm(network.backbone) == any(isinstance(m, nn.BatchNorm2d) for m in network.modules())


def test_a_stack_without_slices_has_no_probabilities(network):
    assert classify_slices(network.eval(), torch.zeros(1, 0, 70, 64), (64, 64)).shape == (0, 4)


def test_the_backbones_are_the_choices_of_the_setting():
    assert CardiacSettings.__dataclass_fields__["backbone"].metadata["choices"] == BACKBONES == tuple(CONSTRUCTORS)


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_the_first_convolution_varies_as_much_as_that_of_torchvision(channels):
    # SqueezeNet draws uniformly with a standard deviation of sqrt(2 / inputs) (He et al.).
    convolution = SliceClassifier(channels, backbone="squeezenet").network.features[0]
    assert convolution.weight.shape == (96, channels, 7, 7)
    assert float(convolution.weight.detach().std()) == pytest.approx(math.sqrt(2 / (49 * channels)), rel=0.05)
    assert torch.equal(convolution.bias, torch.zeros(96))


def test_a_class_that_squeezenet_holds_impossible_can_still_be_learned():
    network = SliceClassifier(1, backbone="squeezenet")
    last = network.network.classifier[1]
    nn.init.constant_(last.bias, -5.0)
    logits = network(torch.randn(2, 1, 32, 32))
    assert float(logits.detach().max()) < 0
    logits[:, 3].sum().backward()
    assert last.bias.grad.tolist() == pytest.approx([0, 0, 0, 2])


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"expected a backbone of alexnet, densenet121, .*, got 'resnet50'"):
        SliceClassifier(1, backbone="resnet50")
    with pytest.raises(ValueError, match="one output"):
        SliceClassifier(1, backbone="squeezenet", deep_supervision=True)


# ImageNet weights


@pytest.fixture
def weights_file(tmp_path):
    """Write the state dict of a network of torchvision with ten classes; returns network and file."""

    def write(backbone, change=lambda state: state):
        torch.manual_seed(1)
        network = CONSTRUCTORS[backbone](num_classes=10).eval()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_var, 0.5, 1.5)
                nn.init.normal_(module.running_mean)
        torch.save(change(network.state_dict()), tmp_path / "weights.pth")
        return network, tmp_path / "weights.pth"

    return write


@pytest.mark.parametrize("backbone", SMALL)
def test_with_imagenet_weights_the_features_are_those_of_torchvision(backbone, weights_file):
    theirs, file = weights_file(backbone)
    ours = SliceClassifier(2, num_classes=10, backbone=backbone).eval()
    head = {key: weight.clone() for key, weight in ours.network.state_dict().items() if _of_the_head(key)}
    load_imagenet_weights(ours, file)
    state = ours.network.state_dict()
    assert all(torch.equal(state[key], weight) for key, weight in head.items())
    # The mean of a kernel over three channels applied to each of two channels is that kernel applied to a third of
    # their sum in all three channels. With the same last layer the networks then agree.
    ours.network.load_state_dict({key: w for key, w in theirs.state_dict().items() if _of_the_head(key)}, strict=False)
    images = torch.randn(2, 2, 64, 64)
    if backbone == "squeezenet":
        theirs.classifier[2] = nn.Identity()
    with torch.no_grad():
        expected = theirs((images.sum(dim=1, keepdim=True) / 3).expand(-1, 3, -1, -1))
        assert torch.allclose(ours(images), expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def _of_the_head(key):
    return key.startswith(("classifier", "fc."))


def test_names_and_counters_of_older_files_are_understood(weights_file):
    def older(state):
        # torchvision's published DenseNet: norm.1 for norm1, and no counters of batch normalisation.
        renamed = OrderedDict()
        for key, weight in state.items():
            for name in ("norm1", "norm2", "conv1", "conv2"):
                if "denselayer" in key:
                    key = key.replace(f".{name}.", f".{name[:-1]}.{name[-1]}.")
            if not key.endswith("num_batches_tracked"):
                renamed[key] = weight
        assert "features.denseblock1.denselayer1.norm.1.weight" in renamed
        return renamed

    theirs, file = weights_file("densenet121", older)
    ours = SliceClassifier(1, backbone="densenet121")
    load_imagenet_weights(ours, file)
    key = "features.denseblock4.denselayer16.conv2.weight"
    assert torch.equal(ours.network.state_dict()[key], theirs.state_dict()[key])


@pytest.mark.parametrize(
    ("backbone", "change", "message"),
    [
        ("squeezenet", dict, "expected torchvision's weights of shufflenet_v2, but it holds no conv1.0.weight"),
        (
            "shufflenet_v2",
            lambda state: {**state, "conv5.0.weight": torch.zeros(3)},
            r"conv5.0.weight has the shape \(3,\), expected \(1024, 464, 1, 1\)",
        ),
        ("shufflenet_v2", lambda state: {**state, "more": torch.zeros(3)}, "it holds more, which the network has not"),
        ("shufflenet_v2", lambda state: {"state_dict": dict(state)}, "it holds no conv1.0.weight"),
        ("shufflenet_v2", lambda state: list(state), "expected a state dict of torch, got list"),
    ],
)
def test_weights_of_another_network_are_refused_in_one_line(backbone, change, message, weights_file):
    _, file = weights_file(backbone, change)
    ours = SliceClassifier(1, backbone="shufflenet_v2")
    before = ours.network.state_dict()["conv5.0.weight"].clone()
    with pytest.raises(UsageError, match=message) as caught:
        load_imagenet_weights(ours, file)
    assert str(caught.value).startswith(f"{file}: expected")
    assert "\n" not in str(caught.value)
    assert torch.equal(ours.network.state_dict()["conv5.0.weight"], before)


@pytest.mark.parametrize(
    ("content", "message"), [(None, "cannot be read"), (b"", "cannot be loaded"), (b"<html>", "cannot be loaded")]
)
def test_a_file_that_holds_no_weights_is_refused_in_one_line(content, message, tmp_path):
    if content is not None:
        (tmp_path / "weights.pth").write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        load_imagenet_weights(SliceClassifier(1, backbone="squeezenet"), tmp_path / "weights.pth")
    assert "\n" not in str(caught.value)


# Whole slices


@pytest.mark.parametrize(
    ("shape", "top", "left"),
    [((12, 16), 0, 0), ((7, 16), 2, 0), ((12, 9), 0, 3), ((5, 11), 3, 2), ((1, 1), 5, 7)],
)
def test_a_slice_that_fits_keeps_its_scale_and_is_padded_with_0_around_the_centre(shape, top, left):
    stack = torch.arange(1.0, 1 + 2 * 3 * shape[0] * shape[1]).reshape(2, 3, *shape)
    fitted = fit_slices(stack, (12, 16))
    assert fitted.shape == (3, 2, 12, 16)
    inside = fitted[:, :, top : top + shape[0], left : left + shape[1]]
    assert torch.equal(inside, stack.transpose(0, 1))
    assert torch.count_nonzero(fitted) == stack.numel()


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [
        ((24, 32), (0, 12), (0, 16)),  # both axes twice too large
        ((24, 16), (0, 12), (4, 12)),  # rows twice too large, columns shrink with them
        ((12, 48), (4, 8), (0, 16)),  # columns three times too large
        ((25, 30), (0, 12), (1, 15)),  # by 12/25: 14.4 columns become 14
        ((100, 1), (0, 12), (7, 8)),  # one column stays one
    ],
)
def test_a_larger_slice_is_shrunk_by_one_factor_until_all_of_it_fits(shape, rows, columns):
    fitted = fit_slices(torch.ones(1, 1, *shape), (12, 16))[0, 0]
    expected = torch.zeros(12, 16)
    expected[slice(*rows), slice(*columns)] = 1
    assert torch.allclose(fitted, expected)


def test_shrinking_averages_and_moves_nothing():
    # A plane stays a plane. Halving takes (f(0) + f(1)) / 2 for the first pixel, and so on; at the border the kernel
    # has fewer pixels.
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    fitted = fit_slices((3 * rows - columns)[None, None], (24, 32))[0, 0]
    expected = 3 * (2 * rows[:24, :32] + 0.5) - (2 * columns[:24, :32] + 0.5)
    assert torch.allclose(fitted[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-4)
    checks = ((rows + columns) % 2)[None, None]
    assert fit_slices(checks, (12, 16)).std() < 0.05


class Corner(nn.Module):
    """Two classes, whose logits are the upper left pixel and its negative."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.batches = []

    def forward(self, images):
        self.batches.append(len(images))
        corner = images[:, 0, 0, 0] * self.scale
        return torch.stack((corner, -corner), dim=1)


def test_probabilities_are_means_over_all_mirrored_copies():
    stack = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])[None]

    def mean(*corners):
        return sum(1 / (1 + math.exp(-2 * corner)) for corner in corners) / len(corners)

    for axes, expected in (((), mean(1)), ((0,), mean(1, 3)), ((1,), mean(1, 2)), ((0, 1), mean(1, 2, 3, 4))):
        probabilities = classify_slices(Corner(), stack, (2, 2), mirror_axes=axes)
        assert probabilities.dtype == torch.float32
        assert probabilities[0].tolist() == pytest.approx([expected, 1 - expected])
        assert probabilities[1].tolist() == [0.5, 0.5]


def test_slices_stay_in_order_and_the_batch_size_changes_nothing():
    network = Corner()
    stack = torch.randn(1, 7, 2, 2)
    whole, parts = (classify_slices(network, stack, (2, 2), batch_size=size) for size in (32, 3))
    assert network.batches == [7, 3, 3, 1]
    assert torch.equal(whole, parts)
    assert torch.equal(whole.argmax(dim=1), (stack[0, :, 0, 0] < 0).long())
