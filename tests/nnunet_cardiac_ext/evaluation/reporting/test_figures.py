import re

import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.agreement import agreement
from nnunet_cardiac_ext.evaluation.reporting.figures import (
    MOST_VECTOR_POINTS,
    difference_figure,
    identity_figure,
    profile_figure,
)


def test_profile_figure_takes_the_colours_of_the_page_and_keeps_text_as_text():
    figure = profile_figure(np.full((3, 101), 0.8), "#4a9bd9", 'Dice of "RV" & more')
    assert 'aria-label="Dice of &quot;RV&quot; &amp; more"' in figure
    assert "var(--ink)" in figure
    assert "#4a9bd9" in figure
    assert ">apex</text>" in figure
    assert "#010203" not in figure


def test_profile_figure_leaves_out_what_no_case_knows():
    profiles = np.full((2, 101), np.nan)
    profiles[:, :40] = 0.5
    assert "<svg" in profile_figure(profiles, "#000000", "half")


@pytest.mark.parametrize("n", [0, 1, 2])
def test_agreement_figures_bear_few_points(n):
    reference = np.arange(float(n))
    for figure in (
        identity_figure(reference, reference, "ml", "a"),
        difference_figure(reference, reference, agreement(reference, reference), "ml", "ml", "b"),
    ):
        assert figure.startswith("<svg")


def test_many_points_become_a_picture_of_bounded_size():
    reference = np.random.default_rng(0).normal(100, 20, size=10 * MOST_VECTOR_POINTS)
    figure = identity_figure(reference, reference + 1, "ml", "many")
    assert "data:image/png;base64" in figure
    assert len(figure) < 120_000


def test_profile_figure_draws_the_median_and_the_middle_half():
    profiles = np.repeat([[0.2], [0.8], [0.9]], 101, axis=1)
    same = np.repeat([[0.5], [0.8], [0.85]], 101, axis=1)
    figure, other = (profile_figure(values, "#123456", "x") for values in (profiles, same))
    line, other_line = (re.findall(r'd="([^"]*)"[^>]*stroke: #123456', text) for text in (figure, other))
    assert line
    assert line == other_line
    assert figure != other
