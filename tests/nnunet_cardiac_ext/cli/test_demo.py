"""The options of `nnunet-cardiac demo` reach the demo, and its result the terminal."""

from pathlib import Path

import pytest

from nnunet_cardiac_ext import demo
from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.demo.summary import EjectionFractions, Summary


@pytest.fixture
def calls(monkeypatch):
    """Options of the demos that were asked for; none of them runs."""
    made = []
    fractions = {"LV": EjectionFractions("the analytic truth", {"p": 2.0}, 1)}

    def run(options):
        made.append(options)
        return Summary(options.output, {("LV", "all"): 0.912}, fractions, {"train": 5.0})

    monkeypatch.setattr(demo, "demo", run)
    return made


def test_without_options_phantoms_are_drawn_and_the_result_is_printed(calls, capsys):
    assert main(["demo"]) == 0
    assert calls == [demo.DemoOptions(source=None, output=Path("nnunet-cardiac-demo"), device="cpu", seed=0)]
    printed = capsys.readouterr().out
    assert "LV        0.912" in printed
    assert "LV ejection fraction: 1 of 1 subjects within 5 points" in printed


def test_every_option_reaches_the_demo(calls):
    arguments = ["-i", "my data", "-o", "out", "--minutes", "2.5", "-device", "mps", "--seed", "7", "-np", "3"]
    assert main(["demo", *arguments, "--quiet"]) == 0
    assert calls == [demo.DemoOptions(Path("my data"), Path("out"), 2.5, "mps", 7, 3, True)]


def test_the_demo_on_own_data_does_not_land_in_the_folder_of_the_phantoms(calls):
    for arguments in ([], ["-i", "data"]):
        assert main(["demo", *arguments]) == 0
    assert len({options.output for options in calls}) == 2


def test_an_unknown_device_is_one_line(calls, capsys):
    assert main(["demo", "-device", "abacus"]) == 2
    assert "invalid choice: 'abacus'" in capsys.readouterr().err
    assert not calls
