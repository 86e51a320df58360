import matplotlib.image
import numpy as np
from matplotlib.figure import Figure

from nnunet_cardiac_ext.reproduce.curves import draw_curves


def test_each_curve_leaves_ink_and_a_missing_one_does_no_harm(tmp_path):
    flat = {"LV": np.full(101, 60.0)}
    draw_curves(tmp_path / "one.png", {"a": flat}, labels=("LV", "RV"))
    draw_curves(tmp_path / "two.png", {"a": flat, "b": {"LV": np.full(101, 80.0)}}, labels=("LV", "RV"))
    one, two = (matplotlib.image.imread(tmp_path / name) for name in ("one.png", "two.png"))
    assert one.shape == two.shape
    assert (one != two).any()


def test_the_axis_begins_below_the_lowest_curve(tmp_path, monkeypatch):
    limits = []
    save = Figure.savefig

    def look(figure, *arguments, **options):
        limits.extend(panel.get_ylim() for panel in figure.axes)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", look)
    curve = np.full(101, 60.0)
    curve[3], curve[4] = 47, np.nan
    draw_curves(tmp_path / "a.png", {"a": {"LV": curve}, "b": {"LV": np.full(101, np.nan)}}, labels=("LV", "RV"))
    draw_curves(tmp_path / "b.png", {"a": {}}, labels=("LV",))
    assert limits == [(40, 100), (40, 100), (0, 100)]
