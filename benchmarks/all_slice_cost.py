"""Cost of the networks over whole stacks: slices per second and peak memory against nnU-Net's 2D U-Net.

    OMP_NUM_THREADS=1 python benchmarks/all_slice_cost.py [--width 16] [--size 160] [--device cuda] [--turns 5]

nnU-Net's U-Net gets the widths at which it has about as many parameters, and the slices of the same stack as a batch.
Variants run in turn: a training step (forward, backward, without the optimiser) and a prediction of one stack.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from network_cost import in_turn, peak_memory, ratios
from spreads import spread
from torch import nn

from nnunet_cardiac_ext.architectures.classifier_guided import ClassifierGuidedNet
from nnunet_cardiac_ext.losses.classifier_guided import ClassifierGuidedLoss

LEVELS, CLASSES = 5, 4
STRIDES = [[1, 1]] + [[2, 2]] * (LEVELS - 1)
SLICES, LENGTHS = 12, (6, 12, 18)
# Parts of the classifier-guided network.
PARTS = {
    "one stage, single slices": {"fusion": False, "refinement": False, "presence": False},
    "one stage, all slices": {"fusion": True, "refinement": False, "presence": False},
    "two stages, all slices, classifier": {"fusion": True, "refinement": True, "presence": True},
}
UNET = "nnU-Net's 2D U-Net"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=16, help="of the first level; the paper's size is 32")
    parser.add_argument("--size", type=int, default=160, help="rows and columns")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    for name, parts in PARTS.items():
        compare(name, parts, arguments)
    print_memory(arguments)


def compare(name: str, parts: dict[str, bool], arguments: argparse.Namespace) -> None:
    """Print time per slice of one variant beside the U-Net with as many parameters."""
    wanted = count(build_network(parts, arguments.width))
    width = matching_width(wanted)
    print(f"\n{name}: {wanted:,} parameters; {UNET}, {width} channels at first: {count(build_unet(width)):,}")
    print("| | ours, ms per slice | U-Net, ms per slice | U-Net / ours |\n|---|---|---|---|")
    for kind in ("training", "prediction"):
        steps = {
            "ours": build_step(parts, arguments.width, SLICES, arguments.size, kind, arguments.device),
            UNET: build_unet_step(width, SLICES, arguments.size, kind, arguments.device),
        }
        times = {key: [value / SLICES for value in values] for key, values in run(steps, arguments).items()}
        factor = spread(ratios(times["ours"], times[UNET]), ".2f")
        print(f"| {kind} | {spread(times['ours'])} | {spread(times[UNET])} | {factor} |", flush=True)


def run(steps: dict[str, Callable[[], None]], arguments: argparse.Namespace) -> dict[str, list[float]]:
    return in_turn(steps, arguments.turns, arguments.device)


def print_memory(arguments: argparse.Namespace) -> None:
    print(f"\n| peak MiB of a training step | {' | '.join(f'{n} slices' for n in LENGTHS)} |")
    print("|---|" + "---|" * len(LENGTHS))
    for name, parts in PARTS.items():
        build = partial(build_step, parts, arguments.width)
        print(f"| {name} | {' | '.join(memory(build, length, arguments) for length in LENGTHS)} |", flush=True)
    width = matching_width(count(build_network(PARTS["two stages, all slices, classifier"], arguments.width)))
    build = partial(build_unet_step, width)
    cells = " | ".join(memory(build, length, arguments) for length in LENGTHS)
    print(f"| {UNET}, as many parameters as the last | {cells} |")


def memory(build: Callable[..., Callable[[], None]], slices: int, arguments: argparse.Namespace) -> str:
    peak = peak_memory(build, slices, arguments.size, "training", arguments.device, device=arguments.device)
    return f"{peak:.0f}"


def build_network(parts: dict[str, bool], width: int) -> ClassifierGuidedNet:
    widths = [width * 2**level for level in range(LEVELS)]
    return ClassifierGuidedNet(1, CLASSES, True, strides=STRIDES, features_per_stage=widths, **parts)


def build_unet(width: int) -> PlainConvUNet:
    widths = [width * 2**level for level in range(LEVELS)]
    return PlainConvUNet(
        1, LEVELS, widths, nn.Conv2d, 3, STRIDES, 2, CLASSES, 2, conv_bias=True, norm_op=nn.BatchNorm2d,
        nonlin=nn.LeakyReLU, nonlin_kwargs={"inplace": True},
    )  # fmt: skip


def build_step(
    parts: dict[str, bool], width: int, slices: int, size: int, kind: str, device: str
) -> Callable[[], None]:
    """Return a step of the network over one stack."""
    network = build_network(parts, width).to(device, memory_format=torch.channels_last)
    image, labels = torch.randn(1, 1, slices, size, size, device=device), random_labels(slices, size, device)
    if kind == "prediction":
        return prediction(network, image)

    def step() -> None:
        outputs = network(image)
        loss = sum(nn.functional.cross_entropy(stage, labels[:, 0]) for stage in outputs.stages)
        if outputs.presence is not None:
            loss = loss + ClassifierGuidedLoss()(outputs.stages[-1], outputs.presence, labels)
        loss.backward()

    return step


def build_unet_step(width: int, slices: int, size: int, kind: str, device: str) -> Callable[[], None]:
    """Return a step of nnU-Net's U-Net over the slices of one stack as a batch."""
    network = build_unet(width).to(device, memory_format=torch.channels_last)
    image, labels = torch.randn(slices, 1, size, size, device=device), random_labels(slices, size, device)
    if kind == "prediction":
        return prediction(network, image)
    return lambda: nn.functional.cross_entropy(network(image), labels[:, 0]).backward()


def prediction(network: nn.Module, image: torch.Tensor) -> Callable[[], None]:
    network.eval()

    def predict() -> None:
        with torch.inference_mode():
            network(image)

    return predict


def random_labels(slices: int, size: int, device: str) -> torch.Tensor:
    return torch.randint(CLASSES, (slices, 1, size, size), device=device)


def matching_width(parameters: int) -> int:
    """Return the width of the U-Net's first level at which its number of parameters is nearest."""
    return min(range(8, 128), key=lambda width: abs(count(build_unet_on_meta(width)) - parameters))


def build_unet_on_meta(width: int) -> nn.Module:
    with torch.device("meta"):
        return build_unet(width)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    main()
