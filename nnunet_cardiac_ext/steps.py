"""Runs chains of commands that a user could type: each once, its output in a log file, and a script to repeat them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.files import read_json, write_json, write_text
from nnunet_cardiac_ext.progress import progress_bar

# nnU-Net's trainer prints one such line per epoch.
EPOCH_LINE = re.compile(r"Epoch (\d+)\s*$")
# Lines of a failed command's log that are shown; the file holds the rest.
TAIL_LINES = 5
# After Ctrl-C, which reaches the command too, it may clear up for this long before it is ended.
GRACE_SECONDS = 10
# What `cp` does, also where there is none (Windows).
COPY = "import shutil, sys; [shutil.copy(path, sys.argv[-1]) for path in sys.argv[1:-1]]"


@dataclass(frozen=True)
class Step:
    """One command of a chain.

    Attributes:
        name: Short name, also that of its log file.
        title: What it does, as shown to the user.
        command: The command as it is typed.
        epochs: For a training: the number of epochs, so that a bar with an estimate can be drawn.
        shows_itself: Whether the command draws its own progress, which then goes to the terminal.
        product: What the command leaves when it has done its work. Where it is given, the step is done if and only if
            that is there; otherwise if it ran before and no step before it has run since.
    """

    name: str
    title: str
    command: tuple[str, ...]
    epochs: int | None = None
    shows_itself: bool = True
    product: Path | None = None


class Runner:
    """Runs steps once: a step that is done, with the same command, is not run again."""

    def __init__(self, folder: Path, *, environment: dict[str, str], quiet: bool = False) -> None:
        """Prepare to run.

        Args:
            folder: Where logs and the record of finished steps are kept.
            environment: Variables that the commands get in addition to those of the process.
            quiet: Print nothing but failures.
        """
        self.folder = folder
        self.environment = environment
        self.quiet = quiet
        self.commands: list[Step] = []

    def run(self, steps: Iterable[Step]) -> None:
        """Run the steps in order; a lazy iterable may look at what the steps before have made.

        Raises:
            WorkError: A command failed; the line names its log file and the log's last lines.
        """
        for number, step in enumerate(steps, start=1):
            self.commands.append(step)
            self._say(f"\n[{number}] {step.title}\n    $ {shortened(step.command)}")
            if self._is_done(step):
                self._say("    done before")
                continue
            start = time.monotonic()
            self._run(step, self.folder / "logs" / f"{number:02d}_{step.name}.log")
            self._mark_done(step, time.monotonic() - start)
            self._say(f"    {time.monotonic() - start:.0f} s")
            self._write_script()

    def seconds(self) -> dict[str, float]:
        """Return the wall time of each finished step in seconds, by its name."""
        return {name: record["seconds"] for name, record in self._records().items()}

    def _run(self, step: Step, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8") as stream:
            process = subprocess.Popen(
                executable(step.command),
                stdout=subprocess.PIPE,
                stderr=None if step.shows_itself and not self.quiet else subprocess.STDOUT,
                env=os.environ | self.environment,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            try:
                self._follow(process, step, stream)
            except BaseException as error:
                _end(process, grace=GRACE_SECONDS if isinstance(error, KeyboardInterrupt) else 0)
                raise
        if process.returncode:
            raise WorkError(f"{step.name} failed (exit code {process.returncode}), see {log}{_tail(log)}")

    def _follow(self, process: subprocess.Popen[str], step: Step, log: object) -> None:
        assert process.stdout is not None
        hidden = self.quiet or step.epochs is None
        with progress_bar(total=step.epochs, desc="training", unit="epoch", disable=hidden) as bar:
            for line in process.stdout:
                log.write(line)  # type: ignore[attr-defined]
                log.flush()  # type: ignore[attr-defined]
                epoch = EPOCH_LINE.search(line)
                if epoch:
                    bar.update(int(epoch[1]) - bar.n)
            process.wait()
            if not process.returncode and step.epochs is not None:
                bar.update(step.epochs - bar.n)

    def _records(self) -> dict[str, dict]:
        path = self.folder / "steps.json"
        return read_json(path) if path.is_file() else {}

    def _is_done(self, step: Step) -> bool:
        if step.product is not None:
            return step.product.exists()
        return self._records().get(step.name, {}).get("command") == list(step.command)

    def _mark_done(self, step: Step, seconds: float) -> None:
        # A step that ran anew makes all later ones stale.
        kept = {}
        for name, record in self._records().items():
            if name == step.name:
                break
            kept[name] = record
        write_json(self.folder / "steps.json", kept | {step.name: {"command": list(step.command), "seconds": seconds}})

    def _write_script(self) -> None:
        exports = [f"export {name}={shlex.quote(value)}" for name, value in self.environment.items()]
        lines = [f"\n# {step.title}\n{shlex.join(step.command)}" for step in self.commands]
        text = "\n".join(["#!/usr/bin/env bash", "# What was run, in this order.", "set -e", *exports, *lines])
        write_text(self.folder / "commands.sh", text + "\n")

    def _say(self, text: str) -> None:
        if not self.quiet:
            print(text, flush=True)


def executable(command: tuple[str, ...]) -> list[str]:
    """Return the command with its program found: our own as a module, nnU-Net's beside this Python.

    Raises:
        WorkError: The program is not installed.
    """
    program, *rest = command
    if program == "cp":
        return [sys.executable, "-c", COPY, *rest]
    if program == "nnunet-cardiac":
        return [sys.executable, "-m", "nnunet_cardiac_ext.cli.main", *rest]
    beside = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if beside is None:
        raise WorkError(f"{program}: expected to be installed with this package, but it is not found")
    return [beside, *rest]


def shortened(command: tuple[str, ...], limit: int = 12) -> str:
    """Return the command for the terminal; a long list of files is cut in the middle."""
    if len(command) <= limit or command[0] != "cp":
        return shlex.join(command)
    return f"{shlex.join(command[:2])} ... {shlex.join(command[-1:])}  ({len(command) - 2} files)"


def _end(process: subprocess.Popen[str], *, grace: float) -> None:
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()


def _tail(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f": {' / '.join(lines[-TAIL_LINES:])[-400:]}" if lines else ""
