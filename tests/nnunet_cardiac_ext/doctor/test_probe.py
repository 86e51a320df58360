"""The findings of the process that loads torch and nnU-Net, and what happens when it cannot."""

import pytest

from nnunet_cardiac_ext import registry
from nnunet_cardiac_ext.doctor import probe

GIB = 2**30


@pytest.mark.parametrize(
    ("device", "status", "words"),
    [
        ({"kind": "cuda", "name": "H200", "free": 130 * GIB, "total": 140 * GIB}, "ok", "130.0 GiB free of 140.0"),
        ({"kind": "cuda", "name": "T4", "free": 3 * GIB, "total": 15 * GIB}, "warning", "8 GiB advised"),
        ({"kind": "mps", "name": "Apple GPU", "free": None, "total": None}, "ok", "free memory unknown"),
        ({"kind": "cpu", "name": "CPU", "free": 20 * GIB, "total": None}, "warning", "no GPU"),
    ],
)
def test_the_device(device, status, words):
    check = probe.device_finding(device)
    assert check.status == status
    assert words in check.what


def test_a_trainer_that_is_not_found_is_a_problem_with_its_reason():
    found, missing = probe.trainer_findings({"A": "", "B": "ImportError: no x"})
    assert found.status == "ok"
    assert (missing.status, "ImportError: no x" in missing.what) == ("problem", True)


def test_a_torch_that_does_not_load_is_one_problem(monkeypatch):
    def broken(*arguments, **keywords):
        return type("Done", (), {"returncode": 1, "stderr": "Traceback\nOSError: libcudart.so\n", "stdout": ""})

    monkeypatch.setattr(probe.subprocess, "run", broken)
    (check,) = probe.trainers_and_device()
    assert check.status == "problem"
    assert check.what.endswith("OSError: libcudart.so")


def test_what_libraries_print_while_they_load_is_passed_over(monkeypatch):
    answer = '{"trainers": {"A": ""}, "device": {"kind": "cpu", "name": "CPU", "free": null, "total": null}}'

    def chatty(*arguments, **keywords):
        return type("Done", (), {"returncode": 0, "stderr": "", "stdout": f"loading plugin\n{answer}\n"})

    monkeypatch.setattr(probe.subprocess, "run", chatty)
    assert [check.status for check in probe.trainers_and_device()] == ["ok", "warning"]


def test_a_process_that_hangs_is_one_problem(monkeypatch):
    monkeypatch.setattr(probe, "TIMEOUT_SECONDS", 0.01)
    (check,) = probe.trainers_and_device()
    assert check.status == "problem"


def test_this_installation_is_probed_from_another_folder(monkeypatch):
    monkeypatch.setenv("nnUNet_extTrainer", "")
    *trainers, device = probe.trainers_and_device()
    assert [check.what.split(":")[0] for check in trainers] == list(registry.TRAINERS)
    assert {check.status for check in trainers} == {"ok"}
    assert device.what.startswith("device:")
