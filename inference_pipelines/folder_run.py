"""A folder of cases through a pipeline: what is missing, case after case, each whole or not at all.

Every pipeline uses this loop; 4-D files go through it frame by frame.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference_pipelines.case_output import CaseOutput
from inference_pipelines.cine_input import CineReader, Stack, stacks_of
from inference_pipelines.folder_options import FolderOptions
from inference_pipelines.input_cases import InputCase, find_cases, part_of, select_cases
from inference_pipelines.model_folder import Model
from inference_pipelines.overlap import overlapped
from inference_pipelines.run_record import check_same_run, write_record
from inference_pipelines.stack_pipeline import StackPipeline, TakesStacksTogether, grouped
from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.progress import progress


@dataclass(frozen=True)
class FolderResult:
    """What a run over a folder has done.

    Attributes:
        written: The label files written, in the order of the cases.
        failures: One line per case that failed.
        tried: Number of cases that were not there before.
    """

    written: list[Path]
    failures: list[str]
    tried: int

    def checked(self) -> list[Path]:
        """Return the label files written.

        Raises:
            WorkError: Cases failed; the line names them.
        """
        if self.failures:
            raise WorkError(f"{len(self.failures)} of {self.tried} cases not predicted: {'; '.join(self.failures)}")
        return self.written


def run_folder(
    pipeline: StackPipeline,
    input_folder: Path,
    output: Path,
    options: FolderOptions,
    *,
    only: Collection[str] | None = None,
) -> FolderResult:
    """Predict the cases of a folder that are not in the output folder yet.

    Args:
        pipeline: What is done with each stack.
        input_folder: Images `CASE_0000.nii.gz`, one per channel, 3-D or 4-D.
        output: Gets `CASE.nii.gz`, the record of `write_record`, and what else the pipeline writes.
        options: How.
        only: Names of the cases that are wanted; None for all.

    Raises:
        UsageError: The folder holds no images, the part is out of range, or the output is another pipeline's.
    """
    ending = file_ending(pipeline.model)
    cases = find_cases(input_folder, ending, pipeline.model.channels)
    if only is not None:
        cases = select_cases(cases, only, input_folder)
    cases = part_of(cases, options.num_parts, options.part_id)
    todo = [case for case in cases if options.overwrite or not _is_done(pipeline, case.name, output, options)]
    if not options.overwrite and any(output.glob(f"[!.]*{ending}")):
        check_same_run(output, pipeline.facts)
    write_record(output, pipeline.model, input_folder, options, pipeline.facts)
    problems = _predict(pipeline, todo, output, options)
    failures = [f"{case}: {problem}" for case, problem in problems.items()]
    written = [output / f"{case.name}{ending}" for case in todo if case.name not in problems]
    return FolderResult(written, failures, len(todo))


def file_ending(model: Model) -> str:
    """Return the ending of a model's images and labels."""
    return str(model.dataset_json["file_ending"])


def _is_done(pipeline: StackPipeline, case: str, output: Path, options: FolderOptions) -> bool:
    needed = [f"{case}{file_ending(pipeline.model)}", *pipeline.files_beside(case)]
    if not all((output / name).is_file() for name in needed):
        return False
    # Probabilities of all frames come together, so the first tells.
    names = (f"{case}.npz", f"{case}_frame00.npz")
    return not options.save_probabilities or any((output / name).is_file() for name in names)


def _predict(
    pipeline: StackPipeline, cases: Sequence[InputCase], output: Path, options: FolderOptions
) -> dict[str, str]:
    """Predict cases and return why some could not be, by case."""
    groups = grouped([stack for case in cases for stack in stacks_of(case)], pipeline)
    run = _Run(pipeline, output, options.save_probabilities)
    done = overlapped(groups, prepare=run.prepare, compute=run.compute, finish=run.finish)
    stacks = (stack for group in done for stack in group)
    try:
        # Closed before the rest is cleared away: a step may be at work in the background.
        with closing(done):
            for _ in progress(stacks, label="predicting", total=sum(map(len, groups)), quiet=options.quiet):
                pass
    finally:
        run.clear()
    return run.problems


class _Run:
    """The state of a run: the case whose frames are read, the case whose files are written, the cases that failed.

    Each step takes a group of stacks. What fails of one stack goes on to `finish` as a WorkError in its place.
    `prepare` and `finish` run in one background thread, the stacks of a case one after the other: they alone use the
    state.
    """

    def __init__(self, pipeline: StackPipeline, output: Path, save_probabilities: bool) -> None:
        self.problems: dict[str, str] = {}
        self._pipeline = pipeline
        self._output = output
        self._save_probabilities = save_probabilities
        self._reader: CineReader | None = None
        self._open: CaseOutput | None = None
        self._parts: list[Any] = []

    def prepare(self, stacks: Sequence[Stack]) -> list[Any]:
        return [_attempt(self._prepared, stack) for stack in stacks]

    def compute(self, prepared: Sequence[Any]) -> list[Any]:
        results = iter(self._computed([each for each in prepared if not isinstance(each, WorkError)]))
        return [each if isinstance(each, WorkError) else next(results) for each in prepared]

    def finish(self, stacks: Sequence[Stack], results: Sequence[Any]) -> None:
        for stack, result in zip(stacks, results, strict=True):
            problem = result if isinstance(result, WorkError) else _attempt(self._finish, stack, result)
            if isinstance(problem, WorkError):
                self._fail(stack.case.name, str(problem))

    def clear(self) -> None:
        if self._open is not None:
            self._open.discard()
            self._open = None

    def _prepared(self, stack: Stack) -> Any:
        self._stop_after_failure(stack)
        if stack.case.problem:
            raise WorkError(stack.case.problem)
        if stack.frame is None:
            return self._pipeline.prepare(stack, stack.case.files)
        if self._reader is None or stack.frame == 0:
            self._reader = CineReader(stack.case.files)
        with self._reader.frame(stack.frame) as files:
            return self._pipeline.prepare(stack, files)

    def _computed(self, prepared: Sequence[Any]) -> Sequence[Any]:
        if len(prepared) > 1 and isinstance(self._pipeline, TakesStacksTogether):
            # If that fails, each by itself shows whose failure it is.
            with suppress(WorkError):
                return self._pipeline.compute_together(prepared)
        return [_attempt(self._pipeline.compute, each) for each in prepared]

    def _finish(self, stack: Stack, result: Any) -> None:
        self._stop_after_failure(stack)
        name = stack.case.name
        if not stack.frame:
            self._open, self._parts = CaseOutput(self._output, name, file_ending(self._pipeline.model)), []
        assert self._open is not None
        self._parts.append(
            self._open.add(
                stack, lambda path: self._pipeline.write(result, path, save_probabilities=self._save_probabilities)
            )
        )
        if len(self._parts) == stack.frames:
            self._open.publish(lambda folder: self._pipeline.write_beside(folder, name, self._parts))
            self.clear()

    def _stop_after_failure(self, stack: Stack) -> None:
        """The frames after one that failed need no work."""
        if stack.case.name in self.problems:
            raise WorkError(self.problems[stack.case.name])

    def _fail(self, case: str, problem: str) -> None:
        if case not in self.problems:
            self.problems[case] = problem
            if self._open is not None and self._open.case == case:
                self.clear()


def _attempt(call: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a call returns, or the WorkError that it raises."""
    try:
        return call(*arguments)
    except WorkError as error:
        return error
