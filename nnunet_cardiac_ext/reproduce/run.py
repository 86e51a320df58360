"""Run a study: the data, the trainings that are missing, the scores, then the tables."""

from __future__ import annotations

import pydoc
from pathlib import Path

from nnunet_cardiac_ext import __version__, discovery
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json, write_json, write_text
from nnunet_cardiac_ext.registry import PAPERS, PRESETS
from nnunet_cardiac_ext.reproduce.chains import data_steps, environment, require_data, training_steps
from nnunet_cardiac_ext.reproduce.study import Study
from nnunet_cardiac_ext.reproduce.tables import write_table
from nnunet_cardiac_ext.steps import Runner

SUMMARY_FILE = "README.md"


def reproduce(study: Study) -> Path:
    """Run whatever is missing of a study and write its tables.

    Trainings are nnU-Net's own (`nnUNetv2_train --c`), predictions those that it makes of the fold's validation cases.
    Run again, it goes on where it stopped.

    Returns:
        The page with all tables, `README.md` in the output folder.

    Raises:
        UsageError: The data set is absent or of another kind, or a model, fold or setting is wrong.
        WorkError: A command failed; the line names its log.
    """
    _check_models(study)
    _claim(study)
    if study.smoke:
        discovery.use_root(study.output / "nnunet")
    discovery.enable_trainers()
    if not study.smoke:
        require_data(study)
    variables = environment(study)
    Runner(study.output / "runs" / "data", environment=variables, quiet=study.quiet).run(data_steps(study))
    raw = discovery.dataset_folder(discovery.raw_folder(), study.dataset_id)
    _check_folds(study, raw)
    for model, seed in study.trainings():
        folder = study.output / "runs" / study.configuration(model, seed)
        runner = Runner(folder, environment=variables, quiet=study.quiet)
        runner.run(training_steps(study, model, seed))
    return _write_tables(study, raw.name.split("_", 1)[1])


def _write_tables(study: Study, data_set: str) -> Path:
    compared_with = "" if study.smoke else data_set
    pages = [
        write_table(pydoc.locate(recipe.build)(recipe, study, compared_with), study.output)  # type: ignore[operator]
        for recipe in study.recipe.tables
    ]
    paper = PAPERS[study.recipe.paper]
    write_text(study.output / SUMMARY_FILE, "\n".join([*_head(study, data_set, paper.title, paper.authors), *pages]))
    return study.output / SUMMARY_FILE


def _head(study: Study, data_set: str, title: str, authors: str) -> list[str]:
    seeds = ", ".join("unseeded" if seed is None else str(seed) for seed in study.seeds)
    lines = [
        f"# Paper {study.recipe.paper}: {title} ({authors})",
        "",
        f"Data set {study.dataset_id:03d} {data_set}, folds {', '.join(map(str, study.folds))}, seeds: {seeds}, "
        f"nnunet-cardiac-ext {__version__}. The commands of each training are in `runs/*/commands.sh`.",
        "",
    ]
    if study.smoke:
        lines += ["**A smoke run: phantoms and tiny models. It shows that all runs; its numbers say nothing.**", ""]
    lines += ["| model | preset | trainer | configuration | set beside the preset |", "|---|---|---|---|---|"]
    for model, seed in study.trainings():
        changes = ", ".join(f"{key}={value}" for key, value in study.settings_of(model, seed).items())
        trainer = PRESETS[model.preset].trainer
        lines.append(f"| {model.title} | {model.preset} | {trainer} | {study.configuration(model, seed)} | {changes} |")
    return [*lines, ""]


def _check_models(study: Study) -> None:
    known = [model.name for model in study.recipe.models]
    for name in study.models:
        if name not in known:
            raise UsageError(f"--models: expected some of {', '.join(known)}, got {name!r}")
    if study.models and known[0] not in study.models:
        raise UsageError(f"--models: expected {known[0]} among them, which the others are compared with")


def _check_folds(study: Study, raw: Path) -> None:
    folds = len(read_json(raw / "splits_final.json"))
    for fold in study.folds:
        if not 0 <= fold < folds:
            raise UsageError(f"-f: expected folds from 0 to {folds - 1} as in {raw / 'splits_final.json'}, got {fold}")


def _claim(study: Study) -> None:
    """Keep one study per folder: its tables must not mix those of another data set, or phantoms with patients."""
    wanted = {"paper": study.recipe.paper, "dataset_id": study.dataset_id, "smoke": study.smoke}
    record = study.output / "study.json"
    present = read_json(record) if record.is_file() else wanted
    if present != wanted:
        raise UsageError(f"{study.output}: expected the study of {wanted}, found that of {present}; choose another -o")
    write_json(record, wanted)
