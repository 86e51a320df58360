"""The command as a whole: help, unknown words, failures in one line."""

import subprocess
import sys
import warnings

import pytest

from nnunet_cardiac_ext import __version__
from nnunet_cardiac_ext.cli import main as cli
from nnunet_cardiac_ext.errors import WorkError


def test_without_a_command_the_overview_is_shown_and_the_exit_code_is_2(capsys):
    assert cli.main([]) == 2
    assert "commands:" in capsys.readouterr().out


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"nnunet-cardiac {__version__}"


def test_an_unknown_command_is_one_line_that_lists_the_known_ones(capsys):
    assert cli.main(["segment"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "evaluate" in error
    assert "'segment'" in error


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([command, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: nnunet-cardiac {command}")


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_an_unknown_flag_is_one_line(command, capsys):
    assert cli.main([command, "--no-such-flag"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"nnunet-cardiac: {command}")
    assert error.count("\n") == 1


def test_a_failure_of_work_is_one_line_and_exit_code_1(monkeypatch, capsys):
    def fail(arguments):
        raise WorkError("a.nii.gz: expected\n3 dimensions, got 2")

    monkeypatch.setattr(cli, "_run", fail)
    assert cli.main(["list"]) == 1
    assert capsys.readouterr().err == "nnunet-cardiac: a.nii.gz: expected 3 dimensions, got 2\n"


def test_an_interruption_says_how_to_go_on(monkeypatch, capsys):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupt)
    assert cli.main(["list"]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_a_deprecation_within_a_library_is_not_shown():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        cli.main(["--version"])
        warnings.warn("`torch.jit.interface` is deprecated. Please use ...", FutureWarning, stacklevel=1)
        warnings.warn("another", FutureWarning, stacklevel=1)
    assert [str(warning.message) for warning in shown] == ["another"]


def test_the_installed_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "nnunet_cardiac_ext.cli.main", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"nnunet-cardiac {__version__}")
