"""The scripts of docs/studies/ run, with commands that only note how they were called; each such call is valid."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.tiny_plans import tiny_plans
from helpers.tiny_volume import with_3d_configuration

from nnunet_cardiac_ext.cli.main import build_parser
from nnunet_cardiac_ext.cli.plan import parse_change
from nnunet_cardiac_ext.plans import PLAN_KEYS, configuration
from nnunet_cardiac_ext.recipes import RECIPES
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.reproduce.selection import check_once, check_settings, select, settings_for
from nnunet_cardiac_ext.reproduce.study import Study
from nnunet_cardiac_ext.settings import KNOWN

PAGES = sorted((Path(__file__).parents[1] / "docs" / "studies").glob("*.md"))
# How each script begins, where all downloads are there.
FIRST = {
    "all_slice": ["env --root", "convert acdc", "reproduce 004"],
    "attention_mnet": ["env --root", "convert mouse", "reproduce 000"],
    "anatomy_prior": ["env --root", "convert emidec", "reproduce 001"],
    "crocnet": ["env --root", "convert mnms2", "reproduce 003"],
    "region_cascade": ["env --root", "convert acdc", "reproduce 002"],
}
DOWNLOADS = {
    "ACDC": "/downloads/acdc data", "EMIDEC": "/downloads/emidec data", "MNMS": "/downloads/mnms",
    "MNMS2": "/downloads/mnms2", "MOUSE": "/downloads/mouse",
}  # fmt: skip
# What a script cannot do without.
NEEDED = {"all_slice": "ACDC", "anatomy_prior": "EMIDEC", "region_cascade": "ACDC"}
MORE_BUDGETS = {"all_slice": ("long",)}
RECORDER = """#!{python}
import json, sys
with open({log!r}, "a") as stream:
    stream.write(json.dumps(sys.argv[1:]) + chr(10))
if sys.argv[1] == "env":
    print("export nnUNet_raw=/raw nnUNet_preprocessed=/preprocessed nnUNet_results=/results")
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


def only(*names):
    """Run a test for the pages of these names."""
    return pytest.mark.parametrize("page", [page for page in PAGES if page.stem in names], ids=lambda page: page.stem)


every_page = only(*(page.stem for page in PAGES))
every_budget = pytest.mark.parametrize(
    ("page", "budget"),
    [(page, budget) for page in PAGES for budget in ("small", "paper", *MORE_BUDGETS.get(page.stem, ()))],
    ids=lambda value: value if isinstance(value, str) else value.stem,
)


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


@every_budget
def test_every_command_is_understood(page, calls, budget):
    ended, noted = calls(page, budget, **DOWNLOADS)
    assert (ended.returncode, ended.stderr) == (0, "")
    names = [" ".join(call[:2]) for call in noted]
    assert names[:3] == FIRST[page.stem]
    parsed = {call[0]: build_parser(call[0]).parse_args(call[1:]) for call in noted}
    study = parsed["reproduce"]
    recipe, settings = RECIPES[study.paper], chosen(study)
    check_settings(recipe, settings)
    check_once(recipe, select(recipe, study.models), study.once)
    assert {key for model in recipe.models for key in settings_for(model, settings)} <= {*KNOWN, *PLAN_KEYS}
    assert bool(settings) == (budget != "paper")


@every_budget
def test_every_model_can_be_planned(page, calls, budget, tmp_path):
    _, noted = calls(page, budget, **DOWNLOADS)
    study = build_parser("reproduce").parse_args(next(call for call in noted if call[0] == "reproduce")[1:])
    whole = Study(
        RECIPES[study.paper], study.d, tmp_path, models=study.models, seeds=study.seeds, once=study.once,
        settings=chosen(study),
    )  # fmt: skip
    stock = with_3d_configuration(tiny_plans())["configurations"]
    stock["2d"]["patch_size"] = [256, 224]
    # What nnU-Net plans for mouse hearts.
    depth = {"strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]], "kernel_sizes": [[3, 3, 3]] * 5}
    stock["3d_fullres"]["architecture"]["arch_kwargs"] |= depth
    planned = [
        configuration(stock, PRESETS[model.preset], parsed(whole.settings_of(model, seed)))
        for model, seed in whole.trainings()
    ]
    assert len(planned) >= len(whole.segmentations) > 2


def chosen(study):
    """What a call of `reproduce` sets, as texts."""
    return dict(text.split("=", 1) for text in study.set)


def parsed(texts):
    """Settings as `nnunet-cardiac plan --set` takes them."""
    return dict(parse_change(f"{key}={value}") for key, value in texts.items())


@every_page
def test_seeds_can_be_chosen(page, calls):
    _, noted = calls(page, **DOWNLOADS, SEEDS="1 4")
    studies = [build_parser("reproduce").parse_args(call[1:]) for call in noted if call[0] == "reproduce"]
    assert {tuple(study.seeds) for study in studies} == {(1, 4)}


@only("region_cascade")
@pytest.mark.parametrize("seeds", ["", "2 0"])
def test_the_models_of_the_external_test_are_those_of_the_study(page, calls, seeds):
    _, noted = calls(page, ACDC="/downloads/acdc", MNMS="/downloads/mnms", SEEDS=seeds)
    (predict,) = [call for call in noted if call[0] == "predict"]
    (study,) = [call for call in noted if call[0] == "reproduce"]
    tag, seed = study[study.index("--tag") + 1], study[study.index("--seeds") + 1]
    folders = [Path(text.partition("=")[2]).name for text in predict[predict.index("-m") + 1 :]]
    assert len(folders) == 5
    assert all(folder.endswith(f"_{tag}_s{seed}") for folder in folders)


@only(*NEEDED)
def test_without_the_data_it_says_what_is_missing(page, calls):
    variable = NEEDED[page.stem]
    ended, noted = calls(page, **DOWNLOADS | {variable: ""})
    assert ended.returncode != 0
    assert f"{variable}: expected the folder of the {variable} download" in ended.stderr
    assert noted == []


@only("crocnet")
def test_without_the_download_there_are_phantoms_with_distractors(page, calls):
    _, noted = calls(page, MNMS2="", ACDC="")
    assert [" ".join(call[:2]) for call in noted] == [
        "env --root", "phantom mnms2", "convert mnms2", "reproduce 003",
    ]  # fmt: skip
    phantoms = build_parser("phantom").parse_args(noted[1][1:])
    assert (phantoms.subjects, phantoms.distractors, phantoms.view) == (120, 2, "la")
    assert noted[2][noted[2].index("-i") + 1] == str(phantoms.output)


@only("attention_mnet")
def test_without_the_download_there_are_phantoms_of_sixty_scans(page, calls):
    _, noted = calls(page, MOUSE="")
    assert [" ".join(call[:2]) for call in noted] == [
        "env --root", "phantom mouse", "convert mouse", "reproduce 000",
    ]  # fmt: skip
    phantoms = build_parser("phantom").parse_args(noted[1][1:])
    assert phantoms.subjects == 20
    assert "--time-points" not in noted[1]  # three scans of each by default
    assert noted[2][noted[2].index("-i") + 1] == str(phantoms.output)


@every_page
def test_an_unknown_budget_is_refused(page, calls):
    ended, noted = calls(page, "huge", **DOWNLOADS)
    assert (ended.returncode, noted) == (2, [])
    assert re.search(r"expected small(, long)? or paper, got huge", ended.stderr)
