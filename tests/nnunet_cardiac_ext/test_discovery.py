"""nnU-Net's directories, and its own search for our trainers from a foreign working directory."""

import json
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nnunet_cardiac_ext import discovery, registry
from nnunet_cardiac_ext.errors import UsageError, WorkError

AWKWARD = 'a b\'c "d" $HOME `x` \\ é'


def find(name):
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name

    return recursive_find_trainer_class_by_name(name)


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A working directory that is not ours, and only our folder in nnUNet_extTrainer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(discovery.TRAINER_VARIABLE, "")
    discovery.enable_trainers()
    return tmp_path


@pytest.mark.parametrize(
    ("function", "variable"),
    [
        (discovery.raw_folder, "nnUNet_raw"),
        (discovery.preprocessed_folder, "nnUNet_preprocessed"),
        (discovery.results_folder, "nnUNet_results"),
    ],
)
def test_a_directory_comes_from_its_variable_and_an_unset_one_is_told(function, variable, monkeypatch, tmp_path):
    monkeypatch.setenv(variable, str(tmp_path))
    assert function() == tmp_path
    for unset in (lambda: monkeypatch.setenv(variable, ""), lambda: monkeypatch.delenv(variable)):
        unset()
        with pytest.raises(UsageError, match=rf'{variable} is not set; .*eval "\$\(nnunet-cardiac env --root DIR\)"'):
            function()


def test_a_data_set_is_found_by_its_number(tmp_path):
    for name in ("Dataset027_ACDC", "Dataset270_Other", "Dataset001_A"):
        (tmp_path / name).mkdir()
    (tmp_path / "Dataset027_notes.txt").touch()
    assert discovery.dataset_folder(tmp_path, 27) == tmp_path / "Dataset027_ACDC"


def test_an_absent_data_set_is_an_error_that_lists_the_present_ones(tmp_path):
    with pytest.raises(UsageError, match=r"expected a folder Dataset027_\*, found no data set"):
        discovery.dataset_folder(tmp_path / "nowhere", 27)
    (tmp_path / "Dataset001_A").mkdir()
    with pytest.raises(UsageError, match=r"expected a folder Dataset027_\*, found Dataset001_A"):
        discovery.dataset_folder(tmp_path, 27)


def test_two_data_sets_of_one_number_are_an_error(tmp_path):
    (tmp_path / "Dataset027_A").mkdir()
    (tmp_path / "Dataset027_B").mkdir()
    with pytest.raises(UsageError, match=r"expected one folder .* found Dataset027_A, Dataset027_B"):
        discovery.dataset_folder(tmp_path, 27)


def test_the_trainer_folder_holds_one_module_and_nothing_else():
    assert [path.suffix for path in discovery.trainer_folder().iterdir() if path.name != "__pycache__"] == [".py"]


def test_enabling_trainers_keeps_the_users_folders_and_does_nothing_twice(monkeypatch):
    monkeypatch.setenv(discovery.TRAINER_VARIABLE, os.pathsep.join(["/mine", "", "/yours"]))
    discovery.enable_trainers()
    discovery.enable_trainers()
    folders = os.environ[discovery.TRAINER_VARIABLE].split(os.pathsep)
    assert folders == [str(discovery.trainer_folder()), "/mine", "/yours"]


def test_enabling_trainers_where_nothing_was_set(monkeypatch):
    monkeypatch.setenv(discovery.TRAINER_VARIABLE, "")  # so that it is put back after the test
    monkeypatch.delenv(discovery.TRAINER_VARIABLE)
    discovery.enable_trainers()
    assert os.environ[discovery.TRAINER_VARIABLE] == str(discovery.trainer_folder())


def test_a_root_becomes_three_directories_and_their_variables(nnunet_root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    discovery.use_root(Path("study"))
    assert discovery.raw_folder() == tmp_path / "study" / "nnUNet_raw"
    assert discovery.preprocessed_folder() == tmp_path / "study" / "nnUNet_preprocessed"
    assert discovery.results_folder() == tmp_path / "study" / "nnUNet_results"
    assert all(folder.is_dir() for folder in (tmp_path / "study").iterdir())


def test_a_root_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WorkError, match=r"file.*cannot be made"):
        discovery.make_root(tmp_path / "file")


def test_an_unknown_home_directory_is_one_line():
    with pytest.raises(UsageError, match="~no such user/study: expected a folder, got a home directory"):
        discovery.make_root(Path("~no such user/study"))


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "dash", "fish", "pwsh"])
def test_a_shell_reads_back_what_was_exported(shell, tmp_path, monkeypatch):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    monkeypatch.setenv(discovery.TRAINER_VARIABLE, "/their trainers")
    root = tmp_path / AWKWARD
    exports = discovery.shell_exports(root, {"fish": "fish", "pwsh": "powershell"}.get(shell, "sh"))
    call = f"\"{sys.executable}\" -c \"import os; print(os.environ['nnUNet_raw'], os.environ['nnUNet_extTrainer'])\""
    show = f"{exports}\n{'& ' if shell == 'pwsh' else ''}{call}"
    done = subprocess.run([program, "-c", show], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{root / 'nnUNet_raw'} {discovery.trainer_folder()}{os.pathsep}/their trainers"


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("sh", """export nnUNet_raw='ROOT/it'"'"'s $5 \\ x/nnUNet_raw'"""),
        ("fish", """set -gx nnUNet_raw 'ROOT/it\\'s $5 \\\\ x/nnUNet_raw'"""),
        ("powershell", """$Env:nnUNet_raw = 'ROOT/it''s $5 \\ x/nnUNet_raw'"""),
    ],
)
def test_quoting_by_the_rules_of_each_shell(shell, line, tmp_path):
    exports = discovery.shell_exports(tmp_path / "it's $5 \\ x", shell)
    assert exports.splitlines()[0] == line.replace("ROOT", str(tmp_path))
    assert len(exports.splitlines()) == 4


def test_powershell_doubles_typographic_quotes_too(tmp_path):
    assert "it’’s" in discovery.shell_exports(tmp_path / "it’s", "powershell")


def test_an_unknown_shell_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="sh, fish, powershell, got 'csh'"):
        discovery.shell_exports(tmp_path, "csh")


def test_the_module_loads_neither_torch_nor_nnunet():
    code = "import sys, nnunet_cardiac_ext.discovery; sys.exit(bool({'torch', 'nnunetv2', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", registry.TRAINERS)
def test_nnunet_finds_a_trainer_twice_as_the_same_class_that_pickles(name, foreign):
    first, second = find(name), find(name)
    assert first is second
    assert first.__module__ == registry.TRAINERS[name].module
    assert pickle.loads(pickle.dumps(first)) is first


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """What one spawned process says of building each trainer; one for all, because importing torch takes seconds."""
    folder = tmp_path_factory.mktemp("foreign")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv(discovery.TRAINER_VARIABLE, "")
        for variable, name in zip(discovery.DIRECTORY_VARIABLES, ("raw", "preprocessed", "results"), strict=True):
            patch.setenv(variable, str(folder / name))
        discovery.enable_trainers()
        process = multiprocessing.get_context("spawn").Process(target=build_all, args=(list(registry.TRAINERS),))
        process.start()
        process.join()
    assert process.exitcode == 0
    return json.loads((folder / "built.json").read_text())


@pytest.mark.parametrize("name", registry.TRAINERS)
def test_a_spawned_process_finds_and_builds_a_trainer(name, built):
    assert built[name] == registry.TRAINERS[name].module


def test_a_name_that_is_not_ours_is_not_found(foreign):
    with pytest.raises(RuntimeError, match="Could not find requested nnunet trainer NoSuchTrainer"):
        find("NoSuchTrainer")


def test_the_trainers_package_imports_no_trainer_before_it_is_asked():
    modules = {"torch", "nnunetv2"} | {trainer.module for trainer in registry.TRAINERS.values()}
    code = f"import sys, nnunet_cardiac_ext.trainers; sys.exit(bool({modules} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def build_all(names):
    """Runs in the spawned process: builds each trainer on tiny data and feeds its network an image of zeros."""
    import torch
    from helpers.tiny_dataset import write_preprocessed_dataset
    from helpers.tiny_plans import tiny_dataset_json, tiny_plans
    from helpers.tiny_volume import with_3d_configuration

    write_preprocessed_dataset(Path.cwd())
    plans = with_3d_configuration(tiny_plans()) | {"continue_training": False}
    # Labels that the tiny data have.
    nested = {"cardiac": {"neighborhood_pairs": ["LV:LV+MYO"]}}
    modules = {}
    for name in names:
        stock = registry.TRAINERS[name].configuration
        configuration = plans["configurations"][stock] | nested
        own = plans | {"configurations": plans["configurations"] | {stock: configuration}}
        trainer = find(name)(own, stock, 0, tiny_dataset_json(), torch.device("cpu"))
        trainer.initialize()
        trainer.network(torch.zeros(2, 1, *configuration["patch_size"]))
        modules[name] = type(trainer).__module__
    Path("built.json").write_text(json.dumps(modules))
