"""Stage 2 of CroCNet against the authors' released network: forward, forward with backward, and peak memory.

    git clone https://github.com/kabbas570/CroCNet PEER
    OMP_NUM_THREADS=1 python benchmarks/crocnet_peer.py PEER [--base 32] [--size 128] [--batch 8] [--device cuda]

Both get the same random image and masks, and the same widths. The released network needs timm and einops. Variants run
in turn; the ratio is the released network's time over the variant's, turn by turn.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from network_cost import in_turn, peak_memory, ratios
from spreads import spread
from torch import Tensor, nn

from nnunet_cardiac_ext.architectures.specialists import SpecialistNetworks

PEER, LEVELS = "released network", 5
DESIGNS = {"ours, released blocks": "released", "ours, paper's blocks": "paper"}


class ReleasedNetwork(nn.Module):
    """The authors' network behind our interface."""

    def __init__(self, folder: Path, base: int) -> None:
        super().__init__()
        spec = importlib.util.spec_from_file_location("released_crocnet", folder / "Models" / "model.py")
        if spec is None or spec.loader is None or not (folder / "Models" / "model.py").is_file():
            raise SystemExit(f"{folder}: expected a clone of the authors' repository, with Models/model.py")
        module = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # timm has moved what it imports
            spec.loader.exec_module(module)
        module.Base = base
        self.network = module.My_Net1()

    def forward(self, image: Tensor, probabilities: Tensor) -> Tensor:
        """Return the logit of each anatomy's mask."""
        streams = [torch.cat([image, mask[:, None]], dim=1) for mask in probabilities.unbind(dim=1)]
        return torch.cat(self.network(*streams), dim=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", type=Path)
    parser.add_argument("--base", type=int, default=32, help="width of the first level; the paper says 16")
    parser.add_argument("--size", type=int, default=128, help="edge of the crop in pixels")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--amp", action="store_true", help="float16 on a GPU, bfloat16 on a CPU, by autocast")
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    options = (arguments.peer, arguments.base, arguments.size, arguments.batch, arguments.device, arguments.amp)
    print(f"base {arguments.base}, batch {arguments.batch} of {arguments.size}², {arguments.device}, "
          f"{torch.get_num_threads()} threads, torch {torch.__version__}, amp {arguments.amp}")  # fmt: skip
    print("| variant | parameters | pass | ms, median (range) | faster by | peak MiB |\n|---|---|---|---|---|---|")
    for training in (False, True):
        report(options, training, arguments.turns)


def report(options: tuple, training: bool, turns: int) -> None:
    names = [PEER, *DESIGNS]
    times = in_turn({name: build_step(name, training, *options) for name in names}, turns, options[4])
    for name in names:
        parameters = sum(weight.numel() for weight in build_network(name, *options[:2]).parameters())
        memory = peak_memory(build_step, name, training, *options, device=options[4])
        faster = spread(ratios(times[name], times[PEER]), ".2f")
        step = "forward and backward" if training else "forward"
        print(f"| {name} | {parameters:,} | {step} | {spread(times[name])} | {faster} | {memory:.0f} |", flush=True)


def build_network(name: str, peer: Path, base: int) -> nn.Module:
    if name == PEER:
        return ReleasedNetwork(peer, base)
    return SpecialistNetworks(1, 3, features=[base * 2**level for level in range(LEVELS)], design=DESIGNS[name])


def build_step(
    name: str, training: bool, peer: Path, base: int, size: int, batch: int, device: str, amp: bool
) -> Callable[[], None]:
    torch.manual_seed(0)
    network = build_network(name, peer, base).to(device).train(training)
    image = torch.randn(batch, 1, size, size, device=device)
    probabilities = torch.rand(batch, 3, size, size, device=device)

    def step() -> None:
        network.zero_grad(set_to_none=True)
        with contextlib.nullcontext() if training else torch.no_grad():
            with torch.autocast(device, torch.float16 if device == "cuda" else torch.bfloat16, enabled=amp):
                output = network(image, probabilities)
            if training:
                output.float().square().mean().backward()

    return step


if __name__ == "__main__":
    main()
