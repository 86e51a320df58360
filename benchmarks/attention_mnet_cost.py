"""Cost of the attention M-net: parameters by module, time and memory of a step against nnU-Net's 3D U-Net, its losses.

    OMP_NUM_THREADS=1 python benchmarks/attention_mnet_cost.py [--batch 1] [--width 32] [--device cuda --batch 8 --amp]

Both networks have the paper's number of parameters at --width 32, the same random volumes and their own losses at all
their outputs. Variants run in turn. What autograd keeps for the backward pass is counted, not measured, in float32.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet
from network_cost import in_turn, peak_memory
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from spreads import spread
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.attention_mnet import AttentionMNet
from nnunet_cardiac_ext.losses.balanced_cross_entropy import BalancedCrossEntropyLoss
from nnunet_cardiac_ext.losses.distance_derived import DistanceDerivedLoss
from nnunet_cardiac_ext.losses.generalized_dice import GeneralizedDiceLoss
from nnunet_cardiac_ext.losses.weighted_sum import WeightedSumLoss

STRIDES = [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]]
CLASSES, GIB = 2, 2**30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=3, default=[36, 96, 96])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--width", type=int, default=32, help="of the first level; the paper's 32 takes a CPU long")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--amp", action="store_true", help="float16 on a GPU, bfloat16 on a CPU, by autocast")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--count-only", action="store_true", help="parameters and kept values, no step")
    arguments = parser.parse_args()
    print_parameters(arguments.width)
    print_kept(arguments.width, arguments.size)
    if not arguments.count_only:
        print_steps(arguments)


def print_parameters(width: int) -> None:
    network = build_network("attention M-net", width)
    print("\n| module | parameters |\n|---|---|")
    for part in (network.encoder, network.decoder):
        for name, module in part.named_children():
            if size := count(module):
                print(f"| {type(part).__name__.lower()}.{name} | {size:,} |")
    print(f"| sum | {count(network):,} |\n| 3D U-Net | {count(build_network('3D U-Net', width)):,} |")


def print_kept(width: int, size: Sequence[int]) -> None:
    print("\n| kept for the backward pass, batch of 8, float32 | GiB |\n|---|---|")
    for name in ("attention M-net", "3D U-Net"):
        print(f"| {name} | {8 * kept_for_gradient(build_network(name, width), size) / GIB:.1f} |", flush=True)


def print_steps(arguments: argparse.Namespace) -> None:
    options = (arguments.width, arguments.size, arguments.batch, arguments.device, arguments.amp)
    names = ("attention M-net", "3D U-Net")
    steps = {name: build_step(name, *options) for name in names}
    steps |= {
        "the three losses alone": build_loss_step((1, 1, 3), *options[1:4]),
        "the distance-derived loss alone": build_loss_step((0, 0, 1), *options[1:4]),
    }
    times = in_turn(steps, arguments.turns, arguments.device)
    print(
          f"\nbatch {arguments.batch} of {arguments.size}, {arguments.device}, amp {arguments.amp}, torch "
          f"{torch.__version__}, {torch.get_num_threads()} threads, median (range) of {arguments.turns} turns"
    )  # fmt: skip
    print("| step | ms | peak MiB |\n|---|---|---|")
    for name, values in times.items():
        peak = f"{peak_memory(build_step, name, *options, device=arguments.device):.0f}" if name in names else ""
        print(f"| {name} | {spread(values)} | {peak} |", flush=True)


def build_network(name: str, width: int) -> nn.Module:
    if name == "attention M-net":
        features = [width * 2**level for level in range(4)]
        return AttentionMNet(1, CLASSES, True, strides=STRIDES[:4], features_per_stage=features)
    features = [width, 2 * width, 4 * width, 8 * width, 18 * width]
    return PlainConvUNet(
        1, 5, features, nn.Conv3d, [[3, 3, 3]] * 5, STRIDES, 2, CLASSES, 2, conv_bias=True,
        norm_op=nn.InstanceNorm3d, norm_op_kwargs={"affine": True}, nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True}, deep_supervision=True,
    )  # fmt: skip


def build_step(name: str, width: int, size: Sequence[int], batch: int, device: str, amp: bool) -> Callable[[], None]:
    torch.manual_seed(0)
    network = build_network(name, width).to(device)
    optimizer = torch.optim.Adam(network.parameters(), 1e-4)
    image, labels = torch.randn(batch, 1, *size, device=device), rings(size, batch, device)
    loss: nn.Module = losses((1, 1, 3))
    if name != "attention M-net":
        loss = DC_and_CE_loss({"smooth": 1e-5, "do_bg": False}, {}, dice_class=MemoryEfficientSoftDiceLoss)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.float16 if device == "cuda" else torch.bfloat16, enabled=amp):
            outputs = network(image)
            total = sum(loss(output.float(), reduced(labels, output)) for output in outputs)
        total.backward()
        optimizer.step()

    return step


def build_loss_step(weights: Sequence[float], size: Sequence[int], batch: int, device: str) -> Callable[[], None]:
    labels, sizes = rings(size, batch, device), [list(size)]
    for stride in STRIDES[1:4]:
        sizes.append([edge // step for edge, step in zip(sizes[-1], stride, strict=True)])
    outputs = [torch.randn(batch, CLASSES, *shape, device=device, requires_grad=True) for shape in sizes]
    targets, loss = [reduced(labels, output) for output in outputs], losses(weights)

    def step() -> None:
        sum(loss(*pair) for pair in zip(outputs, targets, strict=True)).backward()

    return step


def losses(weights: Sequence[float]) -> WeightedSumLoss:
    return WeightedSumLoss([GeneralizedDiceLoss(), BalancedCrossEntropyLoss(), DistanceDerivedLoss()], weights)


def rings(size: Sequence[int], batch: int, device: str) -> Tensor:
    """Labels of a hollow heart in the inner half of the slices."""
    slices, rows, columns = (torch.arange(edge, device=device) - (edge - 1) / 2 for edge in size)
    radius = torch.hypot(rows[:, None], columns[None]) / min(size[1:])
    ring = ((radius < 0.25) & (radius > 0.17)) & (slices.abs() < size[0] / 3)[:, None, None]
    return ring.to(torch.int16).expand(batch, 1, *size).contiguous()


def reduced(labels: Tensor, output: Tensor) -> Tensor:
    steps = [edge // small for edge, small in zip(labels.shape[2:], output.shape[2:], strict=True)]
    return labels[:, :, :: steps[0], :: steps[1], :: steps[2]].contiguous()


def kept_for_gradient(network: nn.Module, size: Sequence[int]) -> int:
    """Return the bytes of all values that autograd keeps for one volume, weights left out."""
    network, kept = network.to("meta"), {}
    weights = {parameter.untyped_storage()._cdata for parameter in network.parameters()}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = (storage.nbytes(), storage)  # held, so that no other gets its place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        network(torch.empty(1, 1, *size, device="meta"))
    return sum(size for size, _ in kept.values())


def count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


if __name__ == "__main__":
    main()
