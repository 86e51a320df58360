"""What the convolutions of a network put out, counted on the way."""

import torch
from torch import nn


def all_convolution_outputs(network, size):
    """Number of values that all convolutions put out for one image of one channel and that size."""
    counts = []
    for module in network.modules():
        if isinstance(module, nn.modules.conv._ConvNd):
            module.register_forward_hook(lambda _module, _inputs, output: counts.append(output.numel()))
    with torch.no_grad():
        network(torch.zeros(1, 1, *size))
    return sum(counts)
