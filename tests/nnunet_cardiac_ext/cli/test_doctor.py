"""`nnunet-cardiac doctor`: lines, JSON and the exit code."""

import json

import pytest

import nnunet_cardiac_ext.doctor as doctor
from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.doctor.check import ok, problem, warning


@pytest.fixture
def finds(monkeypatch):
    return lambda *checks: monkeypatch.setattr(doctor, "examine", lambda: iter(checks))


def test_one_line_per_finding_with_its_remedy(finds, capsys):
    finds(ok("disk"), warning("few cores", "export X=2"))
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok       disk",
        "warning  few cores  -> export X=2",
        "ok: 1, warnings: 1, problems: 0",
    ]


def test_any_problem_makes_the_exit_code_1(finds, capsys):
    finds(problem("no folder", "mkdir x"), ok("disk"))
    assert main(["doctor"]) == 1
    assert "problem  no folder  -> mkdir x\n" in capsys.readouterr().out


def test_json_holds_every_finding(finds, capsys):
    finds(ok("disk"), problem("no folder", "mkdir x"))
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {"status": "ok", "what": "disk", "remedy": ""},
        {"status": "problem", "what": "no folder", "remedy": "mkdir x"},
    ]


def test_a_set_up_machine_has_no_problem(nnunet_root, monkeypatch, capsys):
    monkeypatch.setattr("nnunet_cardiac_ext.doctor.probe.trainers_and_device", lambda: iter(()))
    assert main(["doctor"]) == 0
    output = capsys.readouterr().out
    for word in ("python", "nnunetv2", "torch", "nnUNet_raw=", "GiB free", "nnUNet_n_proc_DA", "nnUNet_extTrainer"):
        assert word in output
