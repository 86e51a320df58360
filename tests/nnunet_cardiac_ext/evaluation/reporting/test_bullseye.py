import re

import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.reporting.bullseye import Scale, bullseye

MM = Scale(5, 15, "mm")


def centre_of(figure, text):
    found = re.search(rf'<text x="([-.\d]+)" y="([-.\d]+)"[^>]*>{text}</text>', figure)
    return float(found[1]), float(found[2])


def test_segments_lie_where_the_heart_association_draws_them():
    figure = bullseye({number: 5 + number / 10 for number in range(1, 17)}, MM, "x")
    anterior, inferior = centre_of(figure, "5.1"), centre_of(figure, "5.4")
    assert anterior == pytest.approx((0, -85), abs=0.1)
    assert inferior == pytest.approx((0, 85), abs=0.1)
    anteroseptal, inferolateral = centre_of(figure, "5.2"), centre_of(figure, "5.5")
    assert anteroseptal[0] < 0 > anteroseptal[1]  # up on the left
    assert inferolateral[0] > 0 < inferolateral[1]
    apical_septal, apical_lateral = centre_of(figure, "6.4"), centre_of(figure, "6.6")
    assert apical_septal == pytest.approx((-26, 0), abs=0.1)
    assert apical_lateral == pytest.approx((26, 0), abs=0.1)


def test_every_segment_is_named_and_one_without_a_value_is_empty():
    figure = bullseye({1: 9.0}, MM, "Thickness")
    assert 'aria-label="Thickness"' in figure
    assert figure.count("<path") == 16
    assert figure.count('class="empty"') == 15
    assert "<title>1, basal anterior: 9.0 mm</title>" in figure
    assert "<title>16, apical lateral: undefined</title>" in figure


def test_sectors_of_the_image_bear_no_names_of_walls():
    figure = bullseye({1: 30.0}, Scale(0, 100, "%"), "x", of_image=True)
    assert "septal" not in figure
    assert ">left</text>" in figure
    assert "basal, image 60 to 120 degrees: 30 %" in figure


def test_text_stands_out_from_its_colour():
    def luminance(colour):
        parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    for scale in (MM, Scale(-1, 1, "mm", diverging=True)):
        for value in np.linspace(scale.low, scale.high, 21):
            colour, bright = scale.colour(value)
            text = luminance("#111111") if bright else 1.0
            light, dark = max(text, luminance(colour)), min(text, luminance(colour))
            assert (light + 0.05) / (dark + 0.05) > 3.9  # WCAG asks 3 of large text, 4.5 of small


def test_a_constant_has_the_middle_colour():
    assert Scale(7, 7, "mm").colour(7) == Scale(0, 2, "mm").colour(1)
