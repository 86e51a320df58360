"""A model folder of paper 004 with random weights and a classifier whose answers a test decides."""

import torch
from helpers.tiny_model import write_tiny_model

from nnunet_cardiac_ext.network_blocks import with_network
from nnunet_cardiac_ext.network_plan import with_features
from nnunet_cardiac_ext.trainers.classifier_guided import ClassifierGuidedTrainer

# The presence of each structure in logits: always shown, never shown, by the image.
SHOWN, HIDDEN = 6.0, -6.0


def as_stacks(slices=8, **parts):
    """An edit of the tiny plans: the 2D configuration becomes one of stacks."""

    def edit(plans):
        stock = plans["configurations"]["2d"]
        block = with_features(with_network(stock["architecture"], "classifier-guided", (32, 32)), [4, 8, 8], (32, 32))
        block["arch_kwargs"] |= parts
        plans["configurations"]["stack"] = {
            "inherits_from": "2d", "patch_size": [slices, 32, 32], "architecture": block
        }  # fmt: skip

    return edit


def write_stack_model(results, *, trainer=ClassifierGuidedTrainer, presence=(SHOWN, HIDDEN, SHOWN), **options):
    """A model folder with random weights whose classifier gives the same answer for every slice."""
    given = {"trainer": trainer, "configuration": "stack", "mirror_axes": (1, 2), "edit": as_stacks()} | options
    folder = write_tiny_model(results, **given)
    for path in folder.glob("fold_*/checkpoint_final.pth"):
        checkpoint = torch.load(path, weights_only=False)
        weights = checkpoint["network_weights"]
        if "classifier.layers.2.bias" in weights:
            weights["classifier.layers.2.weight"] *= 0
            weights["classifier.layers.2.bias"] = torch.tensor(presence)
        # Random heads with spread make labels vary, of sum 0 so that none wins everywhere; in half precision nnU-Net
        # loses small logits.
        for name in [name for name in weights if "1.decoder.heads.0.weight" in name]:
            spread = torch.randn(weights[name].shape, generator=torch.Generator().manual_seed(5))
            weights[name] = 1000 * (spread - spread.mean(dim=1, keepdim=True))
        torch.save(checkpoint, path)
    return folder
