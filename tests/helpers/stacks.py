"""Stacks of random slices and small networks of paper 004 for the tests that share them."""

import torch

SMALL = {"strides": [[1, 1], [2, 2], [2, 2]], "features_per_stage": [4, 8, 16], "heads": 4, "depth": 1}


def random_stack(slices, *, size=(19, 22), channels=1, seed=0):
    """A batch of one stack (1, channel, slice, row, column) in float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, channels, slices, *size, generator=generator, dtype=torch.float64)


def padded(stack, before, after):
    """The stack with empty slices on both sides."""
    return torch.nn.functional.pad(stack, (0, 0, 0, 0, before, after))


def of_one_kind(module_class, *arguments, seed=0, **options):
    """A module in float64 with normalisation statistics and scales that are not those of the start."""
    torch.manual_seed(seed)
    module = module_class(*arguments, **options).double()
    for name, values in [*module.named_parameters(), *module.named_buffers()]:
        if "running_var" in name:
            values.data = 0.5 + torch.rand_like(values)
        elif values.ndim == 1:
            values.data += 0.1 * torch.randn_like(values)
    return module
