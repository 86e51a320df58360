import re

import numpy as np

from nnunet_cardiac_ext.evaluation.reporting.svg import INK, as_svg, drawn, escape, span, structure_colour


def test_known_structures_have_colours_of_their_own():
    colours = [structure_colour(name, i) for i, name in enumerate(("LV", "MYO", "RV", "INFARCT", "NOREFLOW"))]
    assert len(set(colours)) == 5


def test_figures_take_the_colours_of_the_page_fill_their_place_and_say_what_they_show():
    with drawn(3, 2) as (figure, axes):
        axes.plot([0, 1], color=INK)
        axes.set(xlabel="time, s")
        text = as_svg(figure, 'a "b" & c')
    assert text.startswith('<svg role="img" aria-label="a &quot;b&quot; &amp; c"')
    assert "var(--ink)" in text
    assert INK not in text
    assert ">time, s</text>" in text
    assert not re.search(r"<svg\b[^>]* (width|height)=", text)


def test_two_figures_share_no_id():
    figures = []
    for values in ([0, 1], [1, 0]):
        with drawn(3, 2) as (figure, axes):
            axes.plot(values)
            figures.append(as_svg(figure, "x"))
    first, second = (set(re.findall(r' id="([^"]*)"', text)) for text in figures)
    assert first
    assert not first & second


def test_an_axis_has_room_around_its_values():
    assert span(np.array([0.0, 100.0, np.nan])) == (-6.0, 106.0)
    assert span(np.array([5.0])) == (4.0, 6.0)
    assert span(np.array([])) == (0.0, 1.0)


def test_text_in_attributes_is_escaped():
    assert escape('<a & "b">') == "&lt;a &amp; &quot;b&quot;>"
