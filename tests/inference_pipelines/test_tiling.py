"""The sliding window on networks whose answer is known."""

import pytest
import torch
from torch import nn

from inference_pipelines.tiling import INPUTS_ON_CPU, Window, default_batch_size, inputs_at_once, predict_slices
from nnunet_cardiac_ext.errors import WorkError

# In the corners of a tile the Gaussian is so small that half precision, nnU-Net's too, holds it to some per cent only.
CORNERS = {"rtol": 0.02, "atol": 0.03}


class _Affine(nn.Module):
    """Two classes: the image itself, and its rows from the first to the last of the tile."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images):
        rows = torch.arange(images.shape[2], dtype=images.dtype)[:, None].expand_as(images[:, 0])
        return torch.stack([images[:, 0] * self.scale, rows], dim=1)


def window(**changes):
    return Window(**({"patch_size": (8, 8), "step_size": 0.5, "mirror_axes": (), "batch_size": 3} | changes))


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 5, 3), (3, 21, 17)])
@pytest.mark.parametrize("axes", [(), (1,), (0, 1)])
def test_a_network_that_repeats_its_input_gives_it_back(shape, axes):
    image = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
    (logits,) = predict_slices(_Affine(), [image], window(mirror_axes=axes), classes=2)
    assert logits.shape == (2, *shape)
    assert logits.dtype == torch.half
    torch.testing.assert_close(logits[0].float(), image[0], **CORNERS)


def test_images_of_several_sizes_share_passes_and_each_gets_its_own_answer():
    random = torch.Generator().manual_seed(0)
    images = [torch.rand(1, *shape, generator=random) for shape in [(1, 8, 8), (1, 5, 3), (0, 9, 9), (3, 21, 17)]]
    network, passes = _Affine(), []
    network.register_forward_pre_hook(lambda _, inputs: passes.append(len(inputs[0])))
    answers = predict_slices(network, images, window(batch_size=4), classes=2)
    assert passes == [4] * (sum(passes) // 4) + [sum(passes) % 4] * bool(sum(passes) % 4)
    for image, logits in zip(images, answers, strict=True):
        (alone,) = predict_slices(_Affine(), [image], window(batch_size=4), classes=2)
        torch.testing.assert_close(logits, alone, rtol=0, atol=0)
    assert answers[2].shape == (2, 0, 9, 9)
    assert predict_slices(network, [], window(), classes=2) == []


def test_mirrored_copies_are_turned_back_before_they_are_averaged():
    one_tile = torch.zeros(1, 1, 8, 8)
    plain = predict_slices(_Affine(), [one_tile], window(), classes=2)[0][1, 0]
    mirrored = predict_slices(_Affine(), [one_tile], window(mirror_axes=(0,)), classes=2)[0][1, 0]
    torch.testing.assert_close(plain[:, 0].float(), torch.arange(8.0), **CORNERS)
    torch.testing.assert_close(mirrored.float(), torch.full((8, 8), 3.5), **CORNERS)


def test_flips_are_every_combination_of_the_axes():
    assert window(mirror_axes=(0, 1)).flips == [(), (2,), (3,), (2, 3)]
    assert window().flips == [()]


def test_a_tile_that_does_not_fit_at_all_is_a_failure_of_its_case():
    class TooLarge(_Affine):
        def forward(self, images):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(WorkError, match="one tile does not fit into the device's memory"):
        predict_slices(TooLarge(), [torch.zeros(1, 2, 8, 8)], window(), classes=2)


def test_logits_beyond_half_precision_are_refused():
    with pytest.raises(WorkError, match="range of half precision"):
        predict_slices(_Affine(), [torch.full((1, 1, 8, 8), 1e5)], window(), classes=2)


def test_a_device_is_full_with_a_pass_and_a_cpu_with_one_per_core():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert inputs_at_once(window(batch_size=8), torch.device("cpu")) == 24
        assert inputs_at_once(window(batch_size=8, mirror_axes=(0, 1)), torch.device("cpu")) == 6
        assert inputs_at_once(window(batch_size=2, mirror_axes=(0, 1)), torch.device("cpu")) == 3
    finally:
        torch.set_num_threads(before)
    assert inputs_at_once(window(batch_size=64), torch.device("cuda")) == 64


def test_batches_keep_the_memory_of_a_gpu_bounded():
    gpu = torch.device("cuda")
    assert default_batch_size((256, 256), gpu) == 64
    assert default_batch_size((512, 512), gpu) == 16
    assert default_batch_size((4096, 4096), gpu) == 1
    assert default_batch_size((256, 256), torch.device("cpu")) == INPUTS_ON_CPU
