"""How much of nnU-Net's augmentation is used."""

from __future__ import annotations

from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.random import RandomTransform

COSTLY = (GaussianBlurTransform, SimulateLowResolutionTransform)


def reduce_augmentation(transforms: ComposeTransforms, amount: str) -> ComposeTransforms:
    """Return nnU-Net's training transforms without those that an amount of augmentation leaves out.

    Mirroring and whatever is no augmentation (masking, label conversion, deep supervision targets) always stay.

    Args:
        transforms: nnU-Net's training transforms.
        amount: "nnunet" keeps all; "light" leaves out blur and simulated low resolution; "none" leaves out all random
            intensity transforms and the spatial one, so that patches must come in their final size.
    """
    return ComposeTransforms([transform for transform in transforms.transforms if _is_kept(transform, amount)])


def make_repeatable(transforms: ComposeTransforms) -> None:
    """Stop the blur from choosing its algorithm by timing, which makes results differ in the last digits."""
    for transform in transforms.transforms:
        if isinstance(transform, RandomTransform) and isinstance(transform.transform, GaussianBlurTransform):
            transform.transform.benchmark = False


def _is_kept(transform: BasicTransform, amount: str) -> bool:
    if amount == "none":
        return not isinstance(transform, RandomTransform | SpatialTransform)
    if amount == "light":
        return not (isinstance(transform, RandomTransform) and isinstance(transform.transform, COSTLY))
    return True
