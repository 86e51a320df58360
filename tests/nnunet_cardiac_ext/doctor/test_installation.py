"""Versions, directories and the exported trainer folder."""

import importlib.metadata
import os

import pytest

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.doctor import installation


class Metadata:
    def __init__(self, python, *requirements):
        self.fields = {"Requires-Python": [python], "Requires-Dist": list(requirements)}

    def get_all(self, key):
        return self.fields[key]


@pytest.fixture
def declare(monkeypatch):
    """Pretends that the package declares these, and that numpy is at 2.1."""

    def pretend(*declared):
        monkeypatch.setattr(importlib.metadata, "metadata", lambda name: Metadata(*declared))
        monkeypatch.setattr(importlib.metadata, "version", version)

    def version(name):
        if name != "numpy":
            raise importlib.metadata.PackageNotFoundError(name)
        return "2.1"

    return pretend


def test_this_environment_meets_what_the_package_declares():
    checks = list(installation.versions())
    assert [check for check in checks if check.status != "ok"] == []
    assert any("nnunetv2" in check.what and "2.8" in check.what for check in checks)


def test_a_python_that_is_too_old_is_a_problem(declare):
    declare(">=99")
    (check,) = installation.versions()
    assert (check.status, check.remedy) == ("problem", "make an environment with python>=99")


@pytest.mark.parametrize(
    ("requirement", "status", "remedy"),
    [
        ("numpy>=2", "ok", ""),
        ("numpy", "ok", ""),
        ("numpy<2", "problem", "pip install 'numpy<2'"),
        ("monai>=1.4", "problem", "pip install 'monai>=1.4'"),
    ],
)
def test_a_package_is_held_against_its_range(declare, requirement, status, remedy):
    declare(">=3.10", requirement)
    _, check = installation.versions()
    assert (check.status, check.remedy) == (status, remedy)


def test_extras_and_other_systems_are_not_required(declare):
    declare(">=3.10", "pytest; extra == 'test'", "pywin32; sys_platform == 'no such system'")
    assert len(list(installation.versions())) == 1


def test_a_package_that_is_not_installed_is_a_problem(monkeypatch):
    monkeypatch.setattr(installation, "DISTRIBUTION", "no-such-distribution")
    (check,) = installation.versions()
    assert (check.status, check.remedy) == ("problem", "pip install -e . in that folder")


def test_directories_that_are_there_are_ok(nnunet_root):
    assert [check.status for check in installation.directories()] == ["ok"] * 3


def read_only(dir):  # noqa: A002 -- the name that tempfile has
    raise OSError(30, "Read-only file system", str(dir))


def test_directories_unset_absent_and_unwritable_are_problems(nnunet_root, monkeypatch):
    monkeypatch.delenv("nnUNet_raw")
    monkeypatch.setenv("nnUNet_preprocessed", str(nnunet_root / "nowhere"))
    # Rights alone stop nobody who runs the tests as root.
    monkeypatch.setattr(installation.tempfile, "TemporaryFile", read_only)
    raw, preprocessed, results = installation.directories()
    assert {raw.status, preprocessed.status, results.status} == {"problem"}
    assert raw.remedy == 'eval "$(nnunet-cardiac env --root DIR)"'
    assert preprocessed.remedy.startswith(f"mkdir -p '{nnunet_root / 'nowhere'}'")
    assert "cannot be written" in results.what


@pytest.mark.parametrize("others", [[], ["/elsewhere"]])
def test_the_trainer_folder_of_plain_nnunet_commands(others, monkeypatch):
    monkeypatch.setenv(discovery.TRAINER_VARIABLE, os.pathsep.join(others))
    missing = installation.exported_trainer_folder()
    assert missing.status == "warning"
    assert ("does not name our folder" if others else "is not set") in missing.what
    discovery.enable_trainers()
    assert installation.exported_trainer_folder().status == "ok"
