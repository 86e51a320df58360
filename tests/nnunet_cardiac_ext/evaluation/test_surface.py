import numpy as np
import pytest
from scipy import ndimage

from nnunet_cardiac_ext.evaluation.surface import surface_distances


def brute_force_edge(mask):
    """Voxels with a face neighbour outside; beyond the array is outside."""
    padded = np.pad(mask, 1)
    inside = np.ones_like(mask)
    for axis in range(3):
        for step in (-1, 1):
            inside &= np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1]
    return mask & ~inside


def brute_force(reference, prediction, spacing):
    a, b = (np.argwhere(brute_force_edge(mask)) * np.array(spacing) for mask in (reference, prediction))
    table = np.sqrt(((a[:, None] - b[None]) ** 2).sum(axis=-1))
    return table.min(axis=1), table.min(axis=0)


def random_pair(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 9, size=3))
    noise = ndimage.gaussian_filter(rng.normal(size=(2, *shape)), (0, 1, 1, 1))
    reference, prediction = noise > rng.normal(scale=0.1)
    reference[0, 0, 0] = prediction[-1, -1, -1] = True
    return reference, prediction, tuple(rng.uniform(0.5, 10, size=3))


@pytest.mark.parametrize("seed", range(60))
def test_equals_brute_force_on_random_masks(seed):
    reference, prediction, spacing = random_pair(seed)
    found = surface_distances(reference, prediction, spacing)
    from_reference, from_prediction = brute_force(reference, prediction, spacing)
    np.testing.assert_allclose(found.from_reference, from_reference, rtol=1e-12)
    np.testing.assert_allclose(found.from_prediction, from_prediction, rtol=1e-12)


@pytest.mark.parametrize("seed", range(60, 80))
def test_equals_monai_to_its_float32(seed):
    import torch
    from monai.metrics import compute_hausdorff_distance

    reference, prediction, spacing = random_pair(seed)
    found = surface_distances(reference, prediction, spacing)
    masks = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (prediction, reference)]
    for percentile in (None, 95):
        expected = compute_hausdorff_distance(*masks, include_background=True, percentile=percentile, spacing=spacing)
        assert found.percentile(percentile or 100) == pytest.approx(float(expected), rel=1e-6)


def test_mask_at_the_image_border_has_a_surface_there():
    full = np.ones((3, 3, 3), dtype=bool)
    assert len(surface_distances(full, full, (1, 1, 1)).from_reference) == 26  # all but the centre


def test_percentile_is_the_larger_direction():
    reference, prediction = np.zeros((1, 1, 12), dtype=bool), np.zeros((1, 1, 12), dtype=bool)
    reference[0, 0, 0] = True
    prediction[0, 0, [0, 11]] = True
    found = surface_distances(reference, prediction, (1, 1, 2))
    assert found.percentile(95) == pytest.approx(0.95 * 22)  # from the reference all distances are 0
    assert found.maximum() == 22


def test_empty_mask_gives_no_distances_and_nan():
    empty, full = np.zeros((2, 3, 3), dtype=bool), np.ones((2, 3, 3), dtype=bool)
    for pair in ((empty, full), (full, empty), (empty, empty)):
        found = surface_distances(*pair, (1, 1, 1))
        assert found.from_reference.size == found.from_prediction.size == 0
        assert np.isnan([found.maximum(), found.percentile(95), found.mean_of_means()]).all()
