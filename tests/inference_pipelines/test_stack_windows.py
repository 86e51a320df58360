"""How tiles, mirrored copies and empty slices come together, with networks whose answer is known."""

import torch
from torch import nn

from inference_pipelines.stack_windows import examine_stacks
from inference_pipelines.tiling import Window
from nnunet_cardiac_ext.architectures.all_slice_fusion import only_real, real_slices
from nnunet_cardiac_ext.architectures.classifier_guided import StageOutputs


class Known(nn.Module):
    """Logits are the image and its column number; presence is the brightest pixel of the first column."""

    def __init__(self):
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.batches = []

    def examine(self, image):
        self.batches.append(len(image))
        real = real_slices(image)
        slices = only_real(image, real)
        columns = torch.arange(float(slices.shape[3])).expand(slices.shape)
        presence = slices[:, 0, :, 0].amax(dim=1, keepdim=True)
        return StageOutputs(image, (torch.cat([slices, columns], dim=1),), presence, real)


def window(**options):
    return Window(**{"patch_size": (4, 4), "step_size": 1.0, "mirror_axes": (), "batch_size": 8} | options)


def test_one_tile_is_the_networks_answer():
    images = torch.rand(2, 1, 3, 4, 4) + 0.1
    logits, presence = examine_stacks(Known(), images, window())
    torch.testing.assert_close(logits[:, :1], images)
    torch.testing.assert_close(presence[..., 0], images[:, 0, :, :, 0].amax(dim=2).sigmoid())


def test_presence_is_the_largest_among_tiles_and_the_mean_over_copies():
    image = torch.full((1, 1, 1, 4, 8), 0.5)
    image[..., 0, 4] = 3.0  # first column of the second tile
    image[..., 0, 7] = 2.0  # its last, which is the first of the mirrored one
    _, plain = examine_stacks(Known(), image, window())
    torch.testing.assert_close(plain[0, 0, 0], torch.tensor(3.0).sigmoid())
    _, mirrored = examine_stacks(Known(), image, window(mirror_axes=(1,)))
    torch.testing.assert_close(mirrored[0, 0, 0], (torch.tensor(3.0).sigmoid() + torch.tensor(2.0).sigmoid()) / 2)


def test_mirrored_copies_are_turned_back():
    image = torch.rand(1, 1, 2, 4, 4) + 0.1
    network = Known()
    logits, _ = examine_stacks(network, image, window(mirror_axes=(0, 1), batch_size=3))
    torch.testing.assert_close(logits[:, :1], image)
    # The column number and its mirror image have the same mean everywhere.
    torch.testing.assert_close(logits[:, 1], torch.full((1, 2, 4, 4), 1.5))
    assert network.batches == [3, 1]


def test_small_images_are_padded_and_empty_slices_hold_nothing():
    images = torch.ones(1, 1, 3, 3, 2)
    images[:, :, 1] = 0
    logits, presence = examine_stacks(Known(), images, window())
    assert logits.shape == (1, 2, 3, 3, 2)
    assert presence[0, 1, 0] == 0
    assert not logits[0, :, 1].any()
    assert (presence[0, [0, 2], 0] >= 0.5).all()
