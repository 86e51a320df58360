import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.integrals import lv_volumes
from nnunet_cardiac_ext.phantoms.mouse_animals import STAGES, chosen_stages, draw_animal, shape_at


def course(group, seed):
    animal = draw_animal(group, np.random.default_rng(seed))
    hearts = {name: shape_at(animal, name, np.random.default_rng([seed, 1])) for name in STAGES}
    volumes = {name: [lv_volumes(Heart(shape, phase))[0] for phase in (0, 1)] for name, shape in hearts.items()}
    return animal, hearts, volumes


@pytest.mark.parametrize("seed", range(3))
def test_a_healthy_mouse_has_the_volumes_of_a_mouse(seed):
    animal, hearts, volumes = course("control", seed)
    for name, (diastole, systole) in volumes.items():
        assert 30 <= diastole <= 75
        assert 50 <= (1 - systole / diastole) * 100 <= 75
        assert 65 <= lv_volumes(Heart(hearts[name], 0))[1] * 1.05 <= 112
        assert hearts[name].scar is None
    assert animal.scar is None


@pytest.mark.parametrize("seed", range(3))
def test_an_infarct_dilates_the_ventricle_and_weakens_it_from_visit_to_visit(seed):
    _, hearts, volumes = course("MI", seed)
    diastole = [volumes[name][0] for name in STAGES]
    ejected = [1 - volumes[name][1] / volumes[name][0] for name in STAGES]
    assert diastole == sorted(diastole)
    assert ejected == sorted(ejected, reverse=True)
    assert hearts["pre"].scar is None
    thinning = [hearts[name].scar.thinning for name in list(STAGES)[1:]]
    assert thinning == sorted(thinning)
    assert hearts["day56"].scar.thinning > 0.4


def test_an_animal_stays_itself():
    _, hearts, _ = course("MI", 1)
    assert len({(shape.waves, shape.ripple, shape.equator, shape.outflow) for shape in hearts.values()}) == 1
    assert len({(shape.scar.angle, shape.scar.extent) for shape in hearts.values() if shape.scar}) == 1


def test_few_visits_show_the_infarct_first_and_stay_in_the_order_of_time():
    assert chosen_stages(1) == ["day7"]
    assert chosen_stages(3) == ["pre", "day7", "day56"]
    assert chosen_stages(4) == ["pre", "day1", "day7", "day56"]
    assert chosen_stages(5) == list(STAGES)
