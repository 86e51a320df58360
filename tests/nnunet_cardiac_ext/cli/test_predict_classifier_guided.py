"""`nnunet-cardiac predict classifier-guided` as it is typed."""

import pytest
from helpers.tiny_model import write_tiny_model

from nnunet_cardiac_ext.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected either -m or -d"),
        (["-m", "MODEL", "-d", "999"], "expected either -m or -d"),
        (["-m", "MODEL"], "expected a configuration of whole stacks"),
        (["-d", "999"], "ClassifierGuidedTrainer__nnUNetPlans__stack_all_slice: no such model"),
        (["-m", "MODEL", "--batch", "0"], "batch: expected at least 1"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, nnunet_root, capsys, arguments, message):
    model = write_tiny_model(nnunet_root / "results")
    arguments = [str(model) if argument == "MODEL" else argument for argument in arguments]
    command = ["predict", "classifier-guided", "-i", str(tmp_path), "-o", str(tmp_path), "-device", "cpu"]
    assert main([*command, *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
