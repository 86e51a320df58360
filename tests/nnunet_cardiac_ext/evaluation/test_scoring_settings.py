import pickle

import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.metrics import METRICS
from nnunet_cardiac_ext.evaluation.scoring_settings import ScoringSettings

LABELS = {"LV": 1, "MYO": 2}


def names(settings):
    return [(convention, structure.name, [m.name for m in found]) for convention, structure, found in settings.tasks()]


def test_by_default_all_of_our_metrics_but_those_on_request():
    expected = [name for name, metric in METRICS.items() if not metric.on_request]
    assert "hd_pixels" not in expected
    assert names(ScoringSettings(LABELS)) == [("nnunet-cardiac", name, expected) for name in LABELS]


def test_metrics_by_name_keep_the_order_of_the_tables():
    assert names(ScoringSettings(LABELS, metrics=("hd_pixels", "dice")))[0][2] == ["dice", "hd_pixels"]


def test_another_tolerance_takes_the_place_of_the_default():
    for metrics in (("nsd",), ("nsd_3mm",)):
        assert names(ScoringSettings(LABELS, metrics=metrics, nsd_tolerance=3))[0][2] == ["nsd_3mm"]
    assert "nsd" not in names(ScoringSettings(LABELS, nsd_tolerance=3))[0][2]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"metrics": ("dice", "dise")}, r"--metrics: expected names of dice, .*missed_slices, got dise"),
        ({"metrics": ("hd95",), "conventions": ("mnms",)}, "expected names of dice, jaccard, hd, assd, got hd95"),
        ({"metrics": ()}, "--metrics: expected names of .* got none"),
        ({"conventions": ("ACDC",)}, "--convention: expected one or more of"),
        ({"conventions": ("emidec",)}, "--convention emidec: expected the labels MYO, INFARCT, NOREFLOW, got LV, MYO"),
        ({"scheme": "halves"}, "--scheme: expected one of 20/60/20, thirds, got 'halves'"),
        ({"nsd_tolerance": 0.0}, "--nsd-tolerance: expected a positive number of mm, got 0"),
        ({"nsd_tolerance": float("nan")}, "--nsd-tolerance: expected a positive number of mm, got nan"),
    ],
)
def test_wrong_choices_are_one_line(choices, message):
    with pytest.raises(UsageError, match=message):
        ScoringSettings(LABELS, **choices)


def test_any_other_choice_has_another_digest():
    one = ScoringSettings(LABELS)
    others = [
        ScoringSettings(LABELS | {"RV": 3}), ScoringSettings(LABELS, conventions=("acdc",)),
        ScoringSettings(LABELS, metrics=("dice",)), ScoringSettings(LABELS, scheme="thirds"),
        ScoringSettings(LABELS, nsd_tolerance=1), ScoringSettings(LABELS, slices=True),
        ScoringSettings(LABELS, others_as_background=True),
    ]  # fmt: skip
    assert len({settings.digest() for settings in (one, *others)}) == 1 + len(others)
    assert ScoringSettings(dict(LABELS)).digest() == one.digest()


def test_settings_travel_to_a_worker():
    settings = ScoringSettings(LABELS, conventions=("acdc",), nsd_tolerance=1.5)
    assert pickle.loads(pickle.dumps(settings)) == settings
