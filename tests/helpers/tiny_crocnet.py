"""Tiny CroCNet model folders, and the model folder of their first stage alone."""

import numpy as np
import torch
from helpers.tiny_model import write_tiny_model
from scipy.ndimage import gaussian_filter

from nnunet_cardiac_ext.architectures.crocnet import CroCNet
from nnunet_cardiac_ext.network_blocks.crocnet import crocnet_block
from nnunet_cardiac_ext.trainers.crocnet import CroCNetTrainer, E2AUNetTrainer

CONFIGURATION = "2d_crocnet"
# What the first stage takes for heart, in standard deviations of the grey levels.
BRIGHT = 1.0
# How much of an image that is.
HEART_SHARE = 0.2
ARGUMENTS = {"features_per_stage": [4, 6, 8], "specialist_features": [4, 6, 8], "crop_size": 24, "margin": 2}


def small(plans):
    """Give the plans' 2d configuration a CroCNet of few features and small crops."""
    stock = plans["configurations"]["2d"]
    stock["architecture"] = block = crocnet_block(stock["architecture"], stock["patch_size"])
    block["arch_kwargs"] |= ARGUMENTS


def write_tiny_crocnet(results, *, trainer=CroCNetTrainer, seed=1, **options):
    """Write a model folder of CroCNet below `results`; `options` are those of `write_tiny_model`."""
    folder = write_tiny_model(results, trainer=trainer, configuration=CONFIGURATION, edit=small, seed=seed, **options)
    for path in folder.glob("fold_*/checkpoint_final.pth"):
        checkpoint = torch.load(path, weights_only=False)
        network = CroCNet(options.get("channels", 1), 4, coupled=trainer.coupled, **ARGUMENTS)
        network.load_state_dict(checkpoint["network_weights"])
        _decide(network.eval())
        torch.save(checkpoint | {"network_weights": network.state_dict()}, path)
    return folder


@torch.no_grad()
def _decide(network):
    """Fit the random network's outputs, so that bright spots are hearts and all labels occur.

    Otherwise all logits are nearly the same, and the last digit decides where the heart is.
    """
    channels = network.stage1.encoder.stages[0][0][0].in_channels
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(8, channels, 32, 32)), (0, 0, 3, 3))
    image = torch.from_numpy(noise / noise.std()).float()
    (head,) = network.stage1.decoder.seg_layers
    seen = []
    hook = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.stage1(image)
    hook.remove()
    features = seen[0].movedim(1, -1).flatten(0, 2)
    features = torch.cat([features, torch.ones(len(features), 1)], dim=1)
    bright = torch.where(image[:, 0].flatten() > BRIGHT, 6.0, -6.0)
    fit = torch.linalg.lstsq(features, bright[:, None]).solution[:, 0]
    # So that heart and background differ by 3 standard deviations, and a share of the image is heart.
    scale = 3 / (features @ fit).std()
    head.weight[0], head.bias[0] = -scale * fit[:-1, None, None], 0
    head.weight[1:] *= 0.1 * scale * fit.abs().mean()
    logits = network.stage1(image)
    head.bias[0] -= (logits[:, 0] - logits[:, 1:].logsumexp(dim=1)).quantile(HEART_SHARE)
    masks = network.stage2(image, network.stage1(image).softmax(dim=1)[:, 1:])
    (head,) = network.stage2.decoder.seg_layers
    _stretch(head, 2 / masks.std())
    head.bias -= 2 * masks.mean() / masks.std()


def _stretch(layer, factor):
    for parameter in layer.parameters():
        parameter *= factor


def write_first_stage(results, model, **options):
    """Write the model folder of an E2AUNet with the weights of a CroCNet's first stage."""
    folder = write_tiny_model(results, trainer=E2AUNetTrainer, configuration=CONFIGURATION, edit=small, **options)
    for path in folder.glob("fold_*/checkpoint_final.pth"):
        checkpoint = torch.load(path, weights_only=False)
        both = torch.load(model / path.relative_to(folder), weights_only=False)["network_weights"]
        checkpoint["network_weights"] = {
            name.removeprefix("stage1."): weight for name, weight in both.items() if name.startswith("stage1.")
        }
        torch.save(checkpoint, path)
    return folder
