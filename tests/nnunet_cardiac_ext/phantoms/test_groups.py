import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.groups import GROUPS, draw_shape
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.integrals import solid_volumes


@pytest.fixture(scope="module")
def drawn():
    return {
        name: [
            (solid_volumes(Heart(s, 0), planes=24, rv_samples=24), solid_volumes(Heart(s, 1), planes=24, rv_samples=24))
            for s in (draw_shape(group, np.random.default_rng(seed)) for seed in range(4))
        ]
        for name, group in GROUPS.items()
    }


def ejected(pairs, structure):
    ed, es = (np.array([getattr(pair[i], structure) for pair in pairs]) for i in (0, 1))
    return (1 - es / ed) * 100


@pytest.mark.parametrize("name", GROUPS)
def test_groups_have_the_volumes_asked_for(drawn, name):
    group, pairs = GROUPS[name], drawn[name]
    lv = np.array([ed.lv for ed, _ in pairs])
    mean, deviation = group.lv
    assert ((lv > mean - 2.01 * deviation) & (lv < mean + 2.01 * deviation)).all()
    mean, deviation = group.lv_ef
    assert (np.abs(ejected(pairs, "lv") - mean) < 2.01 * deviation + 0.5).all()


def test_groups_differ_as_the_real_ones_do(drawn):
    def mean(name, structure):
        return np.mean([getattr(ed, structure) for ed, _ in drawn[name]])

    assert mean("DCM", "lv") > 1.7 * mean("NOR", "lv")
    assert mean("HCM", "myocardium") > 1.5 * mean("NOR", "myocardium")
    assert mean("RV", "rv") / mean("RV", "lv") > mean("NOR", "rv") / mean("NOR", "lv")
    assert np.mean(ejected(drawn["HCM"], "lv")) > np.mean(ejected(drawn["NOR"], "lv")) > 50
    assert np.mean(ejected(drawn["MINF"], "lv")) < 40


def test_only_infarcts_have_a_scar():
    scars = {name for name, group in GROUPS.items() if draw_shape(group, np.random.default_rng(0)).scar}
    assert scars == {"MINF"}
