import matplotlib.image
import numpy as np

from nnunet_cardiac_ext.reproduce.curves import draw_curves


def test_each_curve_leaves_ink_and_a_missing_one_does_no_harm(tmp_path):
    flat = {"LV": np.full(101, 60.0)}
    draw_curves(tmp_path / "one.png", {"a": flat}, labels=("LV", "RV"))
    draw_curves(tmp_path / "two.png", {"a": flat, "b": {"LV": np.full(101, 80.0)}}, labels=("LV", "RV"))
    one, two = (matplotlib.image.imread(tmp_path / name) for name in ("one.png", "two.png"))
    assert one.shape == two.shape
    assert (one != two).any()
