import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.groups import GROUPS, draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.subject import draw_stack
from nnunet_cardiac_ext.phantoms.vendors import VENDORS

HEART = Heart(draw_shape(GROUPS["NOR"], np.random.default_rng(0)), 0)


def mean(letter, draw, value):
    """Mean of a value over 60 draws of a vendor's protocol."""
    protocol = VENDORS[letter].protocol
    return float(np.mean([value(draw(protocol, np.random.default_rng(seed))) for seed in range(60)]))


def by_vendor(draw, value):
    return {letter: mean(letter, draw, value) for letter in VENDORS}


def stack(protocol, rng):
    return draw_stack(HEART, protocol, rng)


def test_vendors_differ_in_contrast_noise_grey_levels_and_field_of_view():
    contrast = by_vendor(lambda protocol, rng: protocol.contrast(rng), lambda drawn: 1 / drawn.muscle)
    assert contrast["A"] > contrast["B"] > contrast["C"] > contrast["D"]
    level = by_vendor(lambda protocol, rng: protocol.scanner(rng), lambda drawn: drawn.level)
    assert level["D"] > 2 * level["C"] > 4 * level["A"] > 6 * level["B"]
    noise = by_vendor(lambda protocol, rng: protocol.scanner(rng), lambda drawn: drawn.noise)
    assert min(noise["B"], noise["D"]) > 1.5 * max(noise["A"], noise["C"])
    field = by_vendor(stack, lambda drawn: drawn.shape[1] * drawn.voxel)
    assert field["A"] < 300 < min(field["B"], field["C"], field["D"])


@pytest.mark.parametrize("letter", VENDORS)
def test_stacks_reach_beyond_the_ventricle(letter):
    stacks = [stack(VENDORS[letter].protocol, np.random.default_rng(seed)) for seed in range(40)]
    assert min(drawn.depths[0] for drawn in stacks) < -10
    for drawn in stacks:
        assert len(drawn.depths) == len(drawn.shifts)
        assert np.diff(drawn.depths) == pytest.approx(drawn.spacing)


def test_philips_cuts_what_is_dark_and_ge_a_corner():
    image = np.full((2, 3, 64, 64), 100, dtype=np.int16)
    image[..., 0] = 3
    rng = np.random.default_rng(0)
    philips = VENDORS["B"].finish(image, 100, rng)
    assert (philips[..., 0] == 0).all()
    assert (philips[..., 1:] == 100).all()
    ge = VENDORS["C"].finish(image, 100, rng)
    assert ge.dtype == np.int16
    assert (ge[:, :, 0, -1] == 0).any()
    assert (np.diff((ge == 0).sum(-1), axis=-1) <= 0).all()
    assert (ge[:, :, 32:] == image[:, :, 32:]).all()
    assert (VENDORS["A"].finish(image, 100, rng) == image).all()
