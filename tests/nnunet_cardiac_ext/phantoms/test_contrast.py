import numpy as np

from nnunet_cardiac_ext.phantoms.contrast import draw_bssfp


def test_tissues_keep_the_order_of_bssfp_in_every_subject():
    drawn = [draw_bssfp(np.random.default_rng(seed)) for seed in range(300)]
    for contrast in drawn:
        assert 0 < contrast.lung < contrast.muscle <= 1 / 1.7
        assert contrast.muscle < contrast.vessel
        assert contrast.rv_blood <= 1.15
    # Four in five fats are out of phase with water; 300 draws deviate from that by 0.02.
    assert 0.7 < np.mean([contrast.fat < 0 for contrast in drawn]) < 0.9


def test_the_same_seed_draws_the_same_contrast():
    first, again, other = (draw_bssfp(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
