"""The scripts of docs/studies/ run, with commands that only note how they were called; each such call is valid."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nnunet_cardiac_ext.cli.main import build_parser
from nnunet_cardiac_ext.plans import PLAN_KEYS
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.reproduce.selection import check_once, check_settings, select, settings_for
from nnunet_cardiac_ext.settings import KNOWN

PAGES = sorted((Path(__file__).parents[1] / "docs" / "studies").glob("*.md"))
RECORDER = """#!{python}
import json, sys
with open({log!r}, "a") as stream:
    stream.write(json.dumps(sys.argv[1:]) + chr(10))
if sys.argv[1] == "env":
    print("export nnUNet_raw=/raw nnUNet_preprocessed=/preprocessed nnUNet_results=/results")
"""

pytestmark = [
    pytest.mark.skipif(shutil.which("bash") is None, reason="no bash"),
    pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem),
]


@pytest.fixture
def calls(tmp_path):
    """Runs the script of a page and returns the calls of `nnunet-cardiac`."""

    def run(page, *arguments, **variables):
        (script,) = re.findall(r"^```bash\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        (tmp_path / "study.sh").write_text(script)
        log, tools = tmp_path / "calls.jsonl", tmp_path / "tools"
        tools.mkdir()
        command = tools / "nnunet-cardiac"
        command.write_text(RECORDER.format(python=sys.executable, log=str(log)))
        command.chmod(0o755)
        environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"} | variables
        ended = subprocess.run(
            ["bash", "study.sh", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        noted = [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []
        return ended, noted

    return run


@pytest.mark.parametrize("budget", ["small", "paper"])
def test_every_command_is_understood(page, calls, budget):
    ended, noted = calls(page, budget, ACDC="/downloads/acdc data", MNMS="/downloads/mnms")
    assert (ended.returncode, ended.stderr) == (0, "")
    names = [" ".join(call[:2]) for call in noted]
    assert names[:2] == ["env --root", "convert acdc"]
    assert names[2] in {f"reproduce {paper}" for paper in RECIPES}
    parsed = {call[0]: build_parser(call[0]).parse_args(call[1:]) for call in noted}
    study = parsed["reproduce"]
    recipe, settings = RECIPES[study.paper], dict(text.split("=", 1) for text in study.set)
    check_settings(recipe, settings)
    check_once(recipe, select(recipe, study.models), study.once)
    assert {key for model in recipe.models for key in settings_for(model, settings)} <= {*KNOWN, *PLAN_KEYS}
    assert bool(settings) == (budget == "small")


def test_the_models_of_the_external_test_are_those_of_the_study(page, calls):
    _, noted = calls(page, ACDC="/downloads/acdc", MNMS="/downloads/mnms")
    external = [call for call in noted if call[0] == "predict"]
    if not external:
        pytest.skip("the study has no external test")
    (predict,) = external
    (study,) = [call for call in noted if call[0] == "reproduce"]
    tag, seed = study[study.index("--tag") + 1], study[study.index("--seeds") + 1]
    folders = [Path(text.partition("=")[2]).name for text in predict[predict.index("-m") + 1 :]]
    assert len(folders) == 5
    assert all(folder.endswith(f"_{tag}_s{seed}") for folder in folders)


def test_without_the_data_it_says_what_is_missing(page, calls):
    ended, noted = calls(page, ACDC="")
    assert ended.returncode != 0
    assert "ACDC: expected the folder of the ACDC download" in ended.stderr
    assert noted == []


def test_an_unknown_budget_is_refused(page, calls):
    ended, noted = calls(page, "huge", ACDC="/downloads/acdc")
    assert (ended.returncode, noted) == (2, [])
    assert "expected small or paper, got huge" in ended.stderr
