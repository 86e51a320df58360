"""How the numbers were made: commands, versions, device, seeds."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext import __version__
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.measure import FACTS_FILE as MEASURE_FACTS
from nnunet_cardiac_ext.evaluation.reporting.sources import Sources
from nnunet_cardiac_ext.evaluation.reporting.training_log import Training
from nnunet_cardiac_ext.evaluation.reporting.words import count
from nnunet_cardiac_ext.files import read_json

# Facts of a training that nnU-Net writes into debug.json, and what they are called here.
DEBUG_FACTS = {"device": "Device", "gpu_name": "GPU", "torch_version": "PyTorch"}


def run_facts(sources: Sources, trainings: Sequence[Training]) -> list[tuple[str, str]]:
    """Return name and content of each fact, commands first."""
    facts = [("Report", f"nnunet-cardiac-ext {__version__}, Python {platform.python_version()}")]
    if sources.evaluation is not None:
        facts += _made("Evaluation", sources.evaluation.facts)
    for side, folder in sources.measured.items():
        path = folder / MEASURE_FACTS
        if path.is_file():
            facts += _made(f"Measurement, {side}", _mapping(read_json(path)))
    facts.append(("Labels", ", ".join(f"{name} = {value}" for name, value in sources.labels.items())))
    if sources.model:
        facts += _model_facts(sources.model, trainings)
    return facts


def _made(what: str, facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    versions = ", ".join(f"{name} {number}" for name, number in _mapping(facts.get("versions")).items())
    yield f"{what}: command", str(facts.get("command", ""))
    yield f"{what}: made", f"{facts.get('created', '')}; {versions}"


def _model_facts(model: Path, trainings: Sequence[Training]) -> Iterator[tuple[str, str]]:
    trainer, plans, configuration = _names(model)
    yield "Model", f"{trainer}, configuration {configuration} of {plans}, data set {model.resolve().parent.name}"
    found = _mapping(read_json(model / "plans.json")) if (model / "plans.json").is_file() else {}
    for key in ("configurations", configuration, "cardiac"):
        found = _mapping(found.get(key))
    settings = found
    seed = settings.get("seed")
    yield "Seed", "none: weights and batches were drawn at random" if seed is None else str(seed)
    others = [f"{name} = {value}" for name, value in settings.items() if name != "seed"]
    if others:
        yield "Settings", ", ".join(others)
    for training in trainings:
        minutes = sum(training.seconds.values()) / 60
        debug = _debug(model / f"fold_{training.fold}" / "debug.json")
        parts = [f"{count(training.epochs, 'epoch')} in {minutes:.1f} min"]
        parts += [f"{title} {debug[name]}" for name, title in DEBUG_FACTS.items() if name in debug]
        yield f"Fold {training.fold}", ", ".join(parts)


def _names(model: Path) -> tuple[str, str, str]:
    """Trainer, plans and configuration, as nnU-Net writes them into the folder's name."""
    parts = model.resolve().name.split("__")
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else (model.resolve().name, "?", "?")


def _mapping(content: Any) -> Mapping[str, Any]:
    """The content of a JSON file as far as it is what we look for: facts that are not there are left out."""
    return content if isinstance(content, dict) else {}


def _debug(path: Path) -> Mapping[str, str]:
    try:
        found = _mapping(read_json(path))
    except UsageError:
        # nnU-Net writes it for people; a model without it is whole.
        return {}
    return {name: text for name, text in found.items() if name in DEBUG_FACTS and text != "None"}
