from dataclasses import replace

import numpy as np
import pytest

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.heart import Heart, Scar
from nnunet_cardiac_ext.phantoms.mouse_scan import SPACING, draw_scan, label_scan
from nnunet_cardiac_ext.phantoms.mouse_truth import infarct_percent, true_values, true_volumes, wall_thickness


def counted(scan, frame):
    labels = label_scan(scan, frame)
    return [float((labels == CINE.values[name]).sum() * np.prod(SPACING)) for name in ("MYO", "LV")]


@pytest.mark.parametrize(("number", "stage"), [(1, "pre"), (2, "day7"), (4, "day56"), (6, "day56")])
def test_labels_have_the_true_volumes(number, stage):
    scan = draw_scan(3, number, stage, frames=5, matrix=112)
    for frame in (0, scan.systole, 4):
        true = true_volumes(scan, frame)
        assert counted(scan, frame) == pytest.approx([true.myocardium, true.lv], rel=0.02, abs=0.5)


def test_truth_names_the_same_volumes():
    scan = draw_scan(3, 2, "day7", frames=5, matrix=96)
    truth = true_values(scan, "mouse02")
    diastole, systole = true_volumes(scan, 0), true_volumes(scan, scan.systole)
    assert (truth.scan, truth.group, truth.frames) == ("mouse02_day7", "MI", 5)
    assert (truth.lv_ed_ul, truth.lv_es_ul) == (diastole.lv, systole.lv)
    assert truth.lv_ef == pytest.approx((1 - systole.lv / diastole.lv) * 100)
    assert truth.mass_mg == pytest.approx(diastole.myocardium * 1.05)


def cylinder(scar):
    """A heart whose wall has the same radius and thickness in every direction."""
    shape = draw_scan(3, 1, "pre", frames=5, matrix=96).shape
    return Heart(replace(shape, ripple=(), septal_bulge=0.0, outflow=0.0, waves=(), scar=scar), 0.0)


def test_an_even_wall_is_as_thick_as_its_profile():
    heart = cylinder(None)
    shape = heart.shape
    u = np.linspace(0.2, 0.9, 2001)

    def profile(end):
        return np.sqrt(1 - ((u - shape.equator) / (end - shape.equator)) ** 2)

    end = 1 + shape.apex_wall / shape.length
    thickness = (shape.radius + shape.wall * (1 - 0.2 * u)) * profile(end) - shape.radius * profile(1.0)
    least, index = wall_thickness(heart)
    assert least == pytest.approx(thickness.min() / 10, rel=1e-3)
    assert index == pytest.approx(thickness.min() / thickness.mean(), rel=0.01)


def test_a_thinned_wall_is_found_where_the_infarct_is():
    scar = Scar(angle=2.0, width=0.9, level=0.5, extent=0.4, thinning=0.6, akinesia=1.0)
    even, infarct = wall_thickness(cylinder(None))[0], wall_thickness(cylinder(scar))
    assert infarct[0] < 0.55 * even
    assert infarct[1] < 0.6


def test_infarct_is_measured_on_the_surface():
    # exp(-r^4) is one half at r = log(2) ** 0.25; as wide as that all around, the scar is a band along the axis.
    edge = np.log(2) ** 0.25
    scar = Scar(angle=0.0, width=1e6, level=0.5, extent=0.25 / edge, thinning=0.0, akinesia=1.0)
    heart = cylinder(scar)
    u = (np.arange(4000) + 0.5) / 4000
    radius = (heart.endocardium(np.zeros(1), u * heart.length) + heart.epicardium(np.zeros(1), u * heart.length)) / 2
    expected = radius[np.abs(u - 0.5) < 0.25].sum() / radius.sum() * 100
    assert infarct_percent(heart) == pytest.approx(expected, abs=1.0)
    assert infarct_percent(cylinder(None)) == 0.0
