import numpy as np
import pytest
from matplotlib.path import Path

from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.phantoms.mouse_contours import CONTOUR_POINTS, frame_contours
from nnunet_cardiac_ext.phantoms.mouse_scan import draw_scan, label_scan


@pytest.fixture(scope="module", params=[1, 3])
def drawn(request):
    scan = draw_scan(0, request.param, "pre", frames=4, matrix=96)
    return scan, frame_contours(scan, 0), label_scan(scan, 0)


def test_contours_are_closed_and_absent_where_there_is_no_ventricle(drawn):
    scan, contours, labels = drawn
    for name, values in contours.items():
        assert values.shape == (CONTOUR_POINTS, len(scan.stack.depths))
        present = ~np.isnan(values).any(0)
        np.testing.assert_allclose(values[0, present], values[-1, present])
        cavity = (labels == CINE.values["LV"]).any((1, 2))
        assert (present >= (cavity if name.startswith("Endo") else labels.any((1, 2)))).all()
        assert np.isnan(values[:, ~present]).all()


def test_what_contours_enclose_is_what_is_labelled(drawn):
    _, contours, labels = drawn
    rows, columns = np.indices(labels.shape[1:])
    # X runs along the rows, Y along the columns; 1 is the centre of the first voxel.
    centres = np.stack([rows.ravel() + 1, columns.ravel() + 1], axis=1)
    for name, structures in (("Endo", ("LV",)), ("Epi", ("LV", "MYO"))):
        wrong = total = 0
        for index in range(len(labels)):
            x, y = contours[f"{name}X"][:, index], contours[f"{name}Y"][:, index]
            expected = np.isin(labels[index], [CINE.values[s] for s in structures]).ravel()
            drawn_here = not np.isnan(x).any()
            inside = Path(np.stack([x, y], 1)).contains_points(centres) if drawn_here else np.zeros_like(expected)
            wrong, total = wrong + int((inside != expected).sum()), total + int(expected.sum())
        # 80 points cut the arcs of a circle by 0.1 %.
        assert wrong < 0.02 * total
