"""The runner runs each step once, shows failures in one line and writes a script that repeats them."""

import subprocess
import sys

import pytest

from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.files import read_json
from nnunet_cardiac_ext.steps import Runner, Step, executable, shortened


def python_step(name, code, **more):
    return Step(name, f"Do {name}", ("python3", "-c", code), **more)


@pytest.fixture
def counter(tmp_path):
    """A file and the code that adds one letter to it."""
    path = tmp_path / "count"
    return path, f"open({str(path)!r}, 'a').write('x')"


def runner_in(folder, **more):
    return Runner(folder, environment={"CARDIAC_TEST": "a b"}, quiet=True, **more)


def test_a_finished_step_is_not_run_again(tmp_path, counter):
    path, code = counter
    for _ in range(2):
        runner_in(tmp_path).run([python_step("one", code)])
    assert path.read_text() == "x"


def test_a_changed_command_runs_again_and_makes_later_steps_stale(tmp_path, counter):
    path, code = counter
    later = python_step("two", code)
    runner_in(tmp_path).run([python_step("one", "pass"), later])
    runner_in(tmp_path).run([python_step("one", "pass # changed"), later])
    assert path.read_text() == "xx"


def test_a_step_with_a_product_is_done_where_that_is_there_and_only_there(tmp_path, counter):
    path, code = counter
    made = tmp_path / "model.pth"
    made.touch()
    runner_in(tmp_path).run([python_step("train", code, product=made)])
    assert not path.exists()  # trained elsewhere, by an array job for one
    made.unlink()
    for _ in range(2):
        runner_in(tmp_path).run([python_step("train", code, product=made)])
    assert path.read_text() == "xx"


def test_a_failed_step_names_its_log_and_is_tried_again(tmp_path, counter):
    path, code = counter
    failing = python_step("bad", f"{code}; raise SystemExit('no such hearts')")
    for _ in range(2):
        with pytest.raises(WorkError, match=r"bad failed \(exit code 1\), see .*01_bad\.log: no such hearts"):
            runner_in(tmp_path).run([failing])
    assert path.read_text() == "xx"
    assert not (tmp_path / "steps.json").exists()


def test_only_the_last_lines_of_a_long_log_are_shown(tmp_path):
    with pytest.raises(WorkError, match=r"01_bad\.log: 5 / 6 / 7 / 8 / 9$"):
        runner_in(tmp_path).run([python_step("bad", "print(*range(10), sep='\\n\\n'); raise SystemExit(1)")])


def test_lazy_steps_see_what_earlier_ones_made(tmp_path, counter):
    path, code = counter

    def steps():
        yield python_step("one", code)
        yield python_step("two", f"assert {path.read_text()!r} == 'x'")

    runner_in(tmp_path).run(steps())
    assert list(read_json(tmp_path / "steps.json")) == ["one", "two"]


def test_the_written_script_repeats_the_steps(tmp_path, counter):
    path, code = counter
    runner_in(tmp_path).run([python_step("one", code + "; import os; assert os.environ['CARDIAC_TEST'] == 'a b'")])
    subprocess.run(["bash", str(tmp_path / "commands.sh")], check=True)
    assert path.read_text() == "xx"


def test_epochs_are_counted_from_what_the_trainer_prints(tmp_path, capsys):
    code = "print('2026-01-01: Epoch 0'); print('2026-01-01: Epoch 1')"
    Runner(tmp_path, environment={}).run([python_step("train", code, epochs=2, shows_itself=False)])
    assert "2/2" in capsys.readouterr().err


def test_copying_needs_no_program_and_takes_any_path(tmp_path):
    (tmp_path / "one file").write_text("1")
    (tmp_path / "two").write_text("2")
    target = tmp_path / "a folder"
    target.mkdir()
    command = ("cp", str(tmp_path / "one file"), str(tmp_path / "two"), str(target))
    subprocess.run(executable(command), check=True, env={"PATH": ""})
    assert {path.name: path.read_text() for path in target.iterdir()} == {"one file": "1", "two": "2"}


def test_an_interrupted_command_may_clear_up_before_it_is_ended(tmp_path, monkeypatch):
    def interrupt(runner, process, step, log):
        process.stdout.readline()
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "_follow", interrupt)
    code = f"import time; print('begun', flush=True); time.sleep(0.5); open({str(tmp_path / 'cleared')!r}, 'w')"
    with pytest.raises(KeyboardInterrupt):
        runner_in(tmp_path).run([python_step("one", code)])
    assert (tmp_path / "cleared").exists()
    monkeypatch.setattr("nnunet_cardiac_ext.steps.GRACE_SECONDS", 0.1)
    with pytest.raises(KeyboardInterrupt):
        runner_in(tmp_path).run([python_step("two", "import time; print('begun', flush=True); time.sleep(600)")])


def test_our_command_is_run_with_this_python():
    assert executable(("nnunet-cardiac", "list"))[:3] == [sys.executable, "-m", "nnunet_cardiac_ext.cli.main"]


def test_a_missing_program_is_named():
    with pytest.raises(WorkError, match="no-such-program: expected to be installed"):
        executable(("no-such-program",))


def test_only_long_lists_of_files_are_shortened():
    assert shortened(("a", "b c")) == "a 'b c'"
    assert shortened(("cp", *(f"f{i}" for i in range(20)), "to")) == "cp f0 ... to  (20 files)"
