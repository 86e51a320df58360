"""Outputs and labels that the tests of the losses share."""

import torch

# A 3x3 mask of its middle row, predicted with 0.8 in it and 0.1 elsewhere: worked out by hand in each loss's docstring.
ROW = torch.tensor([[0, 0, 0], [1, 1, 1], [0, 0, 0]])[None, None]
ROW_OUTPUT = torch.logit(torch.where(ROW == 1, 0.8, 0.1))


def two_channels(output):
    """The softmax output of the probabilities that one sigmoid channel stands for."""
    return torch.cat([torch.zeros_like(output), output], dim=1)


def random_case(*, classes, regions, size=(3, 6, 5), batch=2, seed=0):
    """Logits in float64 and labels, in which every class occurs."""
    generator = torch.Generator().manual_seed(seed)
    output = torch.randn(batch, classes, *size, generator=generator, dtype=torch.float64)
    if regions:
        return output, torch.randint(0, 2, output.shape, generator=generator)
    return output, torch.randint(0, classes, (batch, 1, *size), generator=generator)


def with_ignored(target, ignored, *, regions, ignore_label=9):
    """Labels that say where to ignore, in the form that nnU-Net has for either kind."""
    if regions:
        return torch.cat([target, ignored.to(target.dtype)], dim=1)
    return torch.where(ignored, ignore_label, target)


def mean_over_problems(value, output, target, *, regions):
    """Mean of value(p, g) over all images and, with regions, over all regions; p and g are arrays (class, voxel)."""
    probability, reference = problems_of(output, target, regions=regions)
    values = [
        value(p, g)
        for image in zip(probability, reference, strict=True)
        for p, g in zip(*image, strict=True)
    ]  # fmt: skip
    return sum(values) / len(values)


def problems_of(output, target, *, regions):
    """Probabilities and 0/1 references as arrays (image, problem, class, voxel), by plain formulas."""
    if regions:
        inside = 1 / (1 + torch.exp(-output))
        probability = torch.stack([1 - inside, inside], dim=2)
        reference = torch.stack([1 - target, target], dim=2)
    else:
        powers = torch.exp(output)
        probability = (powers / powers.sum(dim=1, keepdim=True))[:, None]
        reference = torch.stack([(target[:, 0] == label).long() for label in range(output.shape[1])], dim=1)[:, None]
    return probability.flatten(3).numpy(), reference.flatten(3).numpy()


def soft_case(*, classes, size=(4, 5), batch=2, seed=0):
    """Logits and shares of the classes in float64; some voxels are of one class, the others of several."""
    generator = torch.Generator().manual_seed(seed)
    output = torch.randn(batch, classes, *size, generator=generator, dtype=torch.float64)
    shares = torch.softmax(4 * torch.randn(output.shape, generator=generator, dtype=torch.float64), dim=1)
    shares[..., 0] = 0
    shares[:, 0, ..., 0] = 1
    return output, shares
