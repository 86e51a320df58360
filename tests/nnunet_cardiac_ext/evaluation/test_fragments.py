"""Pieces, holes and slices too many, on masks drawn as text."""

import numpy as np
import pytest

from nnunet_cardiac_ext.evaluation.mask_pair import MaskPair
from nnunet_cardiac_ext.evaluation.metrics import METRICS

EMPTY = ".....|.....|.....|.....|....."
DISC = ".....|.###.|.###.|.###.|....."
RING = ".....|.###.|.#.#.|.###.|....."
OPEN = ".....|.###.|.#...|.###.|....."
# Two pieces; one piece through a corner; a hole that is open through a corner only is a hole.
PAIR = "##...|##...|.....|...##|...##"
CORNER = "##...|##...|..##.|..##.|....."
LEAK = ".....|.###.|.#.#.|.##..|....."


def stack(*slices):
    return np.array([[[pixel == "#" for pixel in row] for row in text.split("|")] for text in slices])


def count(name, reference, prediction):
    return METRICS[name].compute(MaskPair(stack(*reference), stack(*prediction), (10.0, 1.0, 1.0)))


@pytest.mark.parametrize(
    ("reference", "prediction", "pieces", "holes"),
    [
        ([DISC], [DISC], 0, 0),
        ([DISC], [PAIR], 1, 0),
        ([DISC], [CORNER], 0, 0),
        ([PAIR], [PAIR], 0, 0),
        ([DISC], [RING], 0, 1),
        ([RING], [RING], 0, 0),
        ([OPEN], [RING], 0, 1),
        ([RING], [OPEN], 0, 0),
        ([DISC], [LEAK], 0, 1),
        ([EMPTY], [PAIR], 1, 0),
        ([DISC], [EMPTY], 0, 0),
        ([DISC, DISC, DISC], [PAIR, RING, PAIR], 2, 1),
        # Too few in one slice make up for nothing in another.
        ([PAIR, DISC], [DISC, PAIR], 1, 0),
        ([EMPTY], [EMPTY], 0, 0),
    ],
)
def test_pieces_and_holes_beyond_the_references(reference, prediction, pieces, holes):
    assert count("extra_pieces", reference, prediction) == pieces
    assert count("extra_holes", reference, prediction) == holes


def test_slices_with_the_structure_on_one_side_only():
    reference, prediction = [DISC, EMPTY, DISC, EMPTY], [DISC, DISC, EMPTY, EMPTY]
    assert count("false_slices", reference, prediction) == 1
    assert count("missed_slices", reference, prediction) == 1
    assert count("false_slices", prediction, reference) == 1
    assert count("false_slices", [EMPTY], [EMPTY]) == 0
