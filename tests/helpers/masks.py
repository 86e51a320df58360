"""Random masks, and their surface distances by brute force and by MONAI, for tests and benchmarks of the metrics."""

import numpy as np
from scipy import ndimage


def random_pair(seed, largest=9):
    """Two ragged masks of a random shape that hold at least one voxel each, and a spacing."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, largest, size=3))
    noise = ndimage.gaussian_filter(rng.normal(size=(2, *shape)), (0, 1, 1, 1))
    reference, prediction = noise > rng.normal(scale=0.1)
    reference[0, 0, 0] = prediction[-1, -1, -1] = True
    return reference, prediction, tuple(rng.uniform(0.5, 10, size=3))


def brute_force_edge(mask):
    """Voxels with a face neighbour outside; beyond the array is outside."""
    padded = np.pad(mask, 1)
    inner = (slice(1, -1),) * mask.ndim
    inside = np.ones_like(mask)
    for axis in range(mask.ndim):
        for step in (-1, 1):
            inside &= np.roll(padded, step, axis)[inner]
    return mask & ~inside


def brute_force_distances(reference, prediction, spacing):
    """Distances to the nearest surface voxel of the other mask from a table of all pairs, both ways."""
    a, b = (np.argwhere(brute_force_edge(mask)) * np.array(spacing) for mask in (reference, prediction))
    table = np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=-1))
    return table.min(axis=1), table.min(axis=0)


def monai_numbers(reference, prediction, spacing, tolerance):
    """HD, HD95, pooled mean surface distance and surface Dice as MONAI computes them, in its float32."""
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice

    masks = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (prediction, reference)]
    options = {"include_background": True, "spacing": spacing}
    return {
        "hd": float(compute_hausdorff_distance(*masks, **options)),
        "hd95": float(compute_hausdorff_distance(*masks, percentile=95, **options)),
        "assd": float(compute_average_surface_distance(*masks, symmetric=True, **options)),
        "nsd": float(compute_surface_dice(*masks, class_thresholds=[tolerance], **options)),
    }


def our_numbers(found, tolerance):
    """The same numbers, by MONAI's definitions, from our distances."""
    pooled = np.concatenate([found.from_reference, found.from_prediction])
    return {
        "hd": found.maximum(),
        "hd95": found.percentile(95),
        "assd": float(pooled.mean()),
        "nsd": found.share_within(tolerance),
    }
