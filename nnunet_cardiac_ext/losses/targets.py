"""What a segmentation loss starts from: the network's output and the labels in one form, and sums over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

Gather = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Prepared:
    """Output and labels as K problems, each of which assigns every voxel to one of L classes.

    With softmax K is 1 and L the number of classes. With sigmoid K is the number of regions and L is 2: outside the
    region, and in it.

    Attributes:
        log_probability: Shape (B, K, L, [D,] H, W), float32 (float64 if the output was).
        reference: Boolean, the same shape: the class that the labels say. All false where nothing is to be learnt.
        valid: Boolean, shape (B, 1, 1, [D,] H, W): false where the ignore label is; None where there is none.
    """

    log_probability: Tensor
    reference: Tensor
    valid: Tensor | None

    def probability(self) -> Tensor:
        """Return the probability of each class, 0 where nothing is to be learnt."""
        probability = self.log_probability.exp()
        return probability if self.valid is None else torch.where(self.valid, probability, 0.0)

    def foreground(self) -> tuple[Tensor, Tensor]:
        """Return probability and reference of all classes but the first of each problem, (B, class, [D,] H, W)."""
        return self.probability()[:, :, 1:].flatten(1, 2), self.reference[:, :, 1:].flatten(1, 2)


class SegmentationLoss(nn.Module):
    """A loss of an output (B, C, [D,] H, W) of logits against labels of the same size.

    The arithmetic is in float32 at least, also under mixed precision.

    Args:
        regions: False: softmax over the channels, and labels (B, 1, [D,] H, W) hold the number of a channel. True: a
            sigmoid per channel, and labels (B, C, [D,] H, W) hold 0 or 1; as in nnU-Net one more channel says where
            to ignore, if there is an ignore label.
        ignore_label: Label of voxels that do not count. With regions any number says that the channel is there.
        batch: Take the whole batch as one image instead of the mean over its images.
        gather: With `batch`, makes one batch of those on all processes of a distributed training: takes a tensor and
            returns those of all processes, stacked along a new first axis, and lets the gradient back
            (`AllGatherGrad.apply` of nnU-Net does). None leaves each process its own batch.
    """

    def __init__(
        self,
        *,
        regions: bool = False,
        ignore_label: int | None = None,
        batch: bool = False,
        gather: Gather | None = None,
    ) -> None:
        super().__init__()
        self.regions = regions
        self.ignore_label = ignore_label
        self.batch = batch
        self.gather = gather

    def forward(self, net_output: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a single number.

        Raises:
            ValueError: The labels' shape does not belong to the output's.
        """
        return self.of(self.prepare(net_output, target))

    def prepare(self, net_output: Tensor, target: Tensor) -> Prepared:
        """Return output and labels in the form that `of` takes; losses of equal settings can share it.

        Raises:
            ValueError: The labels' shape does not belong to the output's.
        """
        _check_shapes(net_output, target, self.regions, self.ignore_label)
        logits = at_least_float32(net_output)
        if self.regions:
            valid = None if self.ignore_label is None else ~target[:, None, -1:].bool()
            inside = target[:, : logits.shape[1]].bool()
            reference = torch.stack([~inside, inside], dim=2)
            log_probability = torch.stack([functional.logsigmoid(-logits), functional.logsigmoid(logits)], dim=2)
        else:
            valid = None if self.ignore_label is None else (target != self.ignore_label)[:, None]
            classes = torch.arange(logits.shape[1], device=target.device).reshape(-1, *[1] * (logits.ndim - 2))
            reference = (target == classes)[:, None]
            log_probability = functional.log_softmax(logits, dim=1)[:, None]
        return Prepared(log_probability, reference if valid is None else reference & valid, valid)

    def of(self, prepared: Prepared) -> Tensor:
        """Return the loss of what `prepare` returned."""
        raise NotImplementedError

    def pooled(self, *sums: Tensor) -> tuple[Tensor, ...]:
        """Return the sums over each image as they are, or with `batch` those over all images.

        Args:
            sums: Sums over the voxels of each image, all of one shape (B, ...).

        Returns:
            One tensor for each; with `batch` its first axis has length 1.
        """
        stacked = torch.stack(sums)
        if not self.batch:
            return tuple(stacked)
        stacked = stacked.sum(dim=1, keepdim=True)
        return tuple(stacked if self.gather is None else self.gather(stacked).sum(dim=0))


def at_least_float32(values: Tensor) -> Tensor:
    """Return float64 as it is and everything else as float32: losses are not summed up in half precision."""
    return values if values.dtype == torch.float64 else values.float()


def over_voxels(values: Tensor, axes: int) -> Tensor:
    """Return the sum over all axes but the first `axes`."""
    return values.flatten(axes).sum(dim=-1)


def mean_where(values: Tensor, defined: Tensor) -> Tensor:
    """Return the mean of the values that are defined, 0 where none is; undefined values have to be finite."""
    return (values * defined).sum() / defined.sum().clamp(min=1)


def _check_shapes(net_output: Tensor, target: Tensor, regions: bool, ignore_label: int | None) -> None:
    batch, channels, *size = net_output.shape
    wanted = (batch, channels + (ignore_label is not None) if regions else 1, *size)
    if tuple(target.shape) != wanted:
        raise ValueError(f"expected labels of shape {wanted}, got {tuple(target.shape)}")
    if channels < 2 and not regions:
        raise ValueError("expected at least two channels for softmax, got one; a single one takes regions=True")
