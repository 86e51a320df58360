from pathlib import Path

from nnunet_cardiac_ext.evaluation.facts import Request, facts
from nnunet_cardiac_ext.evaluation.scoring_settings import ScoringSettings


def request(**choices):
    settings = ScoringSettings({"LV": 1}, **choices)
    return Request(Path("ref"), Path("pre dictions"), Path("out"), settings, Path("cases.csv"), ("group",))


def test_command_of_the_defaults_names_no_option_more():
    assert request().command() == (
        "nnunet-cardiac evaluate -ref ref -pred 'pre dictions' -o out --cases cases.csv --by group"
    )


def test_command_names_the_labels_where_they_were_named():
    assert " -o out --labels LV=1 --cases " in request(others_as_background=True).command()


def test_command_says_every_choice_that_is_not_the_default():
    command = request(conventions=("acdc",), metrics=("dice",), scheme="thirds", slices=True).command()
    assert command.endswith("--convention acdc --metrics dice --scheme thirds --slices")


def test_facts_hold_what_was_left_out():
    found = facts(request(), cases=2, failures={"b": "broken"}, remarks=["odd"], unpredicted=("c",))
    assert (found["cases"], found["failures"]) == (2, {"b": "broken"})
    assert (found["remarks"], found["unpredicted"]) == (["odd"], ["c"])
    assert found["scheme"] == "20/60/20"
    assert list(found["conventions"]) == ["nnunet-cardiac"]
    assert "scipy" in found["versions"]
