"""What a pipeline over stacks is to the loop over a folder, and which stacks share a pass of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from inference_pipelines.cine_input import Stack
from inference_pipelines.model_folder import Model


class StackPipeline(Protocol):
    """What a pipeline does with one stack; the steps of different stacks overlap."""

    @property
    def model(self) -> Model:
        """The model whose plans, data set description and channels are those of the predictions."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is recorded beside the predictions of how they came about; `pipeline` is its name."""

    def prepare(self, stack: Stack, files: Sequence[Path]) -> Any:
        """Read a stack, in the background.

        Args:
            stack: The stack.
            files: One 3-D file per channel; of a 4-D case they hold this frame and are gone afterwards.
        """

    def compute(self, prepared: Any) -> Any:
        """Predict what `prepare` returned."""

    def write(self, result: Any, target: Path, *, save_probabilities: bool) -> Any:
        """Write what `compute` returned, in the background.

        Args:
            result: What `compute` returned.
            target: The files to write without their ending.
            save_probabilities: Whether to write the probabilities too.

        Returns:
            What `write_beside` needs of this stack.
        """

    def write_beside(self, folder: Path, case: str, parts: Sequence[Any]) -> None:
        """Write further files of a case when all its stacks are written.

        Args:
            folder: Where they go; stands for the output folder.
            case: Name of the case.
            parts: What `write` returned of each stack.
        """

    def files_beside(self, case: str) -> tuple[str, ...]:
        """Return the paths of these files relative to the output folder: without them a case is not done."""


@runtime_checkable
class TakesStacksTogether(Protocol):
    """What a pipeline has besides, if small stacks share a pass of the network: frames, images of a single slice."""

    @property
    def inputs_at_once(self) -> int:
        """How many inputs of the network make full use of the device, mirrored copies not counted."""

    def inputs_of(self, stack: Stack) -> int | None:
        """Return how many inputs a stack is, at least 1; None where its header does not tell."""

    def compute_together(self, prepared: Sequence[Any]) -> Sequence[Any]:
        """Predict what `prepare` returned of several stacks; the results are those of `compute` for each."""


def grouped(stacks: Sequence[Stack], pipeline: StackPipeline) -> list[list[Stack]]:
    """Return the stacks in their order, in groups that are computed together.

    Args:
        stacks: Stacks of any number of cases.
        pipeline: If it takes no stacks together, each is a group. Else a group has as many as fit into its
            `inputs_at_once`; a stack that alone is more, or of unknown size, is a group by itself.
    """
    if not isinstance(pipeline, TakesStacksTogether):
        return [[stack] for stack in stacks]
    groups: list[list[Stack]] = []
    free = 0
    for stack in stacks:
        inputs = pipeline.inputs_of(stack) or pipeline.inputs_at_once
        if inputs > free:
            groups.append([])
            free = pipeline.inputs_at_once
        groups[-1].append(stack)
        free -= inputs
    return groups
