"""Run a study: the data, the trainings that are missing, the scores, then the tables."""

from __future__ import annotations

import pydoc
from collections.abc import Iterable
from pathlib import Path

from nnunet_cardiac_ext import __version__, discovery
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json, write_json, write_text
from nnunet_cardiac_ext.registry import PAPERS
from nnunet_cardiac_ext.reproduce.chains import data_steps, environment, pipeline_steps, require_data, training_steps
from nnunet_cardiac_ext.reproduce.selection import check_once, check_settings
from nnunet_cardiac_ext.reproduce.study import Study
from nnunet_cardiac_ext.reproduce.tables import Table, write_table
from nnunet_cardiac_ext.steps import Runner, Step

SUMMARY_FILE = "README.md"


def reproduce(study: Study) -> Path:
    """Run whatever is missing of a study and write its tables.

    Trainings are nnU-Net's own (`nnUNetv2_train --c`), predictions those that it makes of the fold's validation cases;
    those of pipelines are made over the trained models. Run again, it goes on where it stopped.

    Returns:
        The page with all tables, `README.md` in the output folder.

    Raises:
        UsageError: The data set is absent or of another kind, or a model, fold or setting is wrong.
        WorkError: A command failed; the line names its log.
    """
    check_settings(study.recipe, study.settings)
    selection = study.selection
    check_once(study.recipe, selection, study.once)
    _claim(study)
    if study.smoke:
        discovery.use_root(study.output / "nnunet")
    discovery.enable_trainers()
    if not study.smoke:
        require_data(study)
    variables = environment(study)
    _run(study, "data", variables, data_steps(study))
    raw = discovery.dataset_folder(discovery.raw_folder(), study.dataset_id)
    _check_folds(study, raw)
    for model, seed in study.trainings():
        _run(study, study.configuration(model, seed), variables, training_steps(study, model, seed))
    for pipeline in selection.pipelines:
        for seed in study.seeds_of(pipeline):
            _run(study, study.configuration(pipeline, seed), variables, pipeline_steps(study, pipeline, seed))
    return _write_tables(study, raw.name.split("_", 1)[1])


def _run(study: Study, name: str, variables: dict[str, str], steps: Iterable[Step]) -> None:
    Runner(study.output / "runs" / name, environment=variables, quiet=study.quiet).run(steps)


def _write_tables(study: Study, data_set: str) -> Path:
    compared_with = "" if study.smoke else data_set
    made: list[Table | None] = [
        pydoc.locate(recipe.build)(recipe, study, compared_with)  # type: ignore[operator]
        for recipe in study.recipe.tables
    ]
    pages = [write_table(table, study.output) for table in made if table is not None]
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
        lines.append(
            f"| {model.title} | {model.preset} | {model.trainer} | {study.configuration(model, seed)} | {changes} |"
        )
    if study.selection.pipelines:
        lines += ["", "| row | pipeline | options | models |", "|---|---|---|---|"]
    for pipeline in study.selection.pipelines:
        parts = ", ".join(f"{part}: {name}" for part, name in pipeline.models.items())
        lines.append(f"| {pipeline.title} | {pipeline.pipeline} | {' '.join(pipeline.options)} | {parts} |")
    return [*lines, ""]


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
