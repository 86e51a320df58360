"""`nnunet-cardiac env`: only exports on stdout, and the three folders made."""

import pytest

from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.discovery import trainer_folder


@pytest.mark.parametrize(("shell", "start"), [("sh", "export "), ("fish", "set -gx "), ("powershell", "$Env:")])
def test_only_exports_are_printed_and_the_folders_are_made(shell, start, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("nnUNet_extTrainer", raising=False)
    assert main(["env", "--root", str(tmp_path / "new"), "--shell", shell]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert [line.startswith(start) for line in output.out.splitlines()] == [True] * 4
    assert str(trainer_folder()) in output.out
    names = {"nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"}
    assert {folder.name for folder in (tmp_path / "new").iterdir()} == names


def test_the_root_is_required(capsys):
    assert main(["env"]) == 2
    assert "--root" in capsys.readouterr().err


def test_a_root_that_cannot_be_made_prints_nothing_to_evaluate(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["env", "--root", str(tmp_path / "file")]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
