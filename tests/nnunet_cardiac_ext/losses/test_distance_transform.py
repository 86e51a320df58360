import os

import numpy as np
import pytest
import torch
from scipy import ndimage

from nnunet_cardiac_ext.losses import distance_transform
from nnunet_cardiac_ext.losses.distance_transform import euclidean_distance_transform

METHODS = ("numpy", "scipy", "torch")


def by_brute_force(mask, spacing):
    """Least distance over all true voxels, for each voxel."""
    found = np.argwhere(mask) * spacing
    if not len(found):
        return np.full(mask.shape, np.inf)
    places = np.indices(mask.shape).reshape(mask.ndim, -1).T * spacing
    return np.linalg.norm(places[:, None] - found[None], axis=2).min(axis=1).reshape(mask.shape)


@pytest.mark.parametrize("method", METHODS)
def test_distances_of_a_single_voxel_by_hand(method):
    mask = torch.zeros(1, 1, 3, 4)
    mask[0, 0, 0, 1] = 1
    expected = [
        [1, 0, 1, 2],
        [2**0.5, 1, 2**0.5, 5**0.5],
        [5**0.5, 2, 5**0.5, 8**0.5],
    ]
    found = euclidean_distance_transform(mask, method=method)
    assert found.dtype == torch.float32
    assert torch.allclose(found[0, 0], torch.tensor(expected))


@pytest.mark.parametrize(
    ("method", "spacing"),
    [(method, None) for method in METHODS]
    + [(method, steps) for method in ("scipy", "torch") for steps in ((0.7, 1.3), (9.0, 0.13))],
)
@pytest.mark.parametrize("dims", [2, 3])
def test_equals_brute_force(method, dims, spacing):
    rng = np.random.default_rng(1)
    steps = None if spacing is None else (5.0,) * (dims - 2) + spacing
    for density in (0.003, 0.05, 0.5, 1.0):
        mask = rng.random((2, 2, 5, 9, 8)) < density
        found = euclidean_distance_transform(torch.from_numpy(mask), spacing=steps, dims=dims, method=method).numpy()
        images, distances = (array.reshape(-1, *array.shape[5 - dims :]) for array in (mask, found))
        for image, distance in zip(images, distances, strict=True):
            expected = by_brute_force(image, np.array(steps or (1.0,) * dims))
            assert np.allclose(distance, expected, atol=1e-5)


def test_the_search_equals_scipy_on_thousands_of_masks():
    rng = np.random.default_rng(2)
    for spacing in ((1.0, 1.0), (0.13, 0.8)):
        mask = rng.random((2000, 1, 17, 23)) < rng.random((2000, 1, 1, 1)) ** 4
        mask[:3] = np.array([0, 1, 0])[:, None, None, None]
        mask[2, 0, 16, 22] = True
        found = euclidean_distance_transform(torch.from_numpy(mask), spacing=spacing, method="torch").numpy()
        for image, distance in zip(mask[:, 0], found[:, 0], strict=True):
            expected = ndimage.distance_transform_edt(~image, sampling=spacing) if image.any() else np.inf
            assert np.allclose(distance, expected, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_without_a_true_voxel_all_is_infinitely_far(method):
    mask = torch.zeros(1, 2, 3, 4, 5)
    mask[0, 1, 1, 2, 2] = 1
    within = euclidean_distance_transform(mask, dims=2, method=method)
    assert torch.isinf(within[0, 0]).all()
    assert torch.isinf(within[0, 1, 0]).all()
    assert torch.isfinite(within[0, 1, 1]).all()
    through = euclidean_distance_transform(mask, dims=3, method=method)
    assert torch.isfinite(through[0, 1]).all()
    assert through[0, 1, 0, 2, 2] == 1


@pytest.mark.parametrize("method", METHODS)
def test_a_full_mask_is_nowhere_far(method):
    assert not euclidean_distance_transform(torch.ones(1, 1, 4, 4), method=method).any()


def test_memory_stays_bounded_by_working_in_parts(monkeypatch):
    mask = torch.rand(2, 1, 6, 11, 7) < 0.1
    whole = euclidean_distance_transform(mask, dims=3, method="torch")
    for name in ("_LARGEST_STEP", "_LARGEST_STEP_ON_CPU"):
        monkeypatch.setattr(distance_transform, name, 1)
    assert torch.equal(euclidean_distance_transform(mask, dims=3, method="torch"), whole)


@pytest.mark.parametrize("method", ["numpy", "scipy"])
@pytest.mark.parametrize("threads", [1, 3])
def test_threads_and_parts_change_nothing(monkeypatch, method, threads):
    mask = torch.rand(7, 2, 3, 9, 8) < 0.05
    whole = euclidean_distance_transform(mask, method="torch")
    monkeypatch.setattr(distance_transform, "_LARGEST_PART", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    assert torch.allclose(euclidean_distance_transform(mask, method=method), whole)


def test_no_mask_at_all_is_no_trouble():
    assert euclidean_distance_transform(torch.zeros(0, 1, 4, 4)).shape == (0, 1, 4, 4)
    assert torch.isinf(euclidean_distance_transform(torch.zeros(2, 1, 4, 4))).all()


def test_large_images_go_another_way_to_the_same_distances():
    mask = torch.zeros(1, 1, 150, 130)
    mask[0, 0, 149, 0] = 1
    assert euclidean_distance_transform(mask)[0, 0, 0, 129] == pytest.approx((149**2 + 129**2) ** 0.5)


def test_no_gradient_flows_through():
    logits = torch.randn(1, 1, 4, 4, requires_grad=True)
    assert not euclidean_distance_transform(logits > 0).requires_grad


@pytest.mark.slow
def test_the_search_can_be_compiled():
    mask = torch.rand(2, 1, 9, 10) < 0.1
    compiled = torch.compile(lambda m: euclidean_distance_transform(m, method="torch"), backend="eager", fullgraph=True)
    assert torch.allclose(compiled(mask), euclidean_distance_transform(mask))


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((4, 4), {}),
        ((1, 1, 4, 4), {"dims": 3}),
        ((1, 1, 4, 4), {"dims": 1}),
        ((1, 1, 4, 4), {"spacing": (1.0,)}),
        ((1, 1, 4, 4), {"spacing": (1.0, 0.0)}),
        ((1, 1, 4, 4), {"method": "cupy"}),
        ((1, 1, 4, 4), {"method": "numpy", "spacing": (1.0, 2.0)}),
        ((1, 1, 200, 200), {"method": "numpy"}),
    ],
)
def test_what_makes_no_sense_is_refused(shape, options):
    with pytest.raises(ValueError, match="expected"):
        euclidean_distance_transform(torch.zeros(shape), **options)
