"""The commands of a study: of its data, of each training from plan to scores, and of each pipeline."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.anatomy import LABEL_MAPS
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json
from nnunet_cardiac_ext.plans import DEFAULT_PLANS, resolved
from nnunet_cardiac_ext.recipes import PART, SEGMENTATION, ModelRecipe, PipelineRecipe
from nnunet_cardiac_ext.registry import DATA_SETS
from nnunet_cardiac_ext.reproduce.study import FINAL_WEIGHTS, Row, Study
from nnunet_cardiac_ext.steps import Step

# Of each fold two subjects are unseen.
SMOKE_SUBJECTS, SMOKE_FOLDS = 8, 4


def environment(study: Study) -> dict[str, str]:
    """Return the variables that the commands need: nnU-Net's folders, its trainers, its processes."""
    names = (*discovery.DIRECTORY_VARIABLES, discovery.TRAINER_VARIABLE)
    variables = {name: os.environ[name] for name in names} | {"nnUNet_def_n_proc": str(study.workers)}
    # Training on the processor takes all cores by itself; nnU-Net's default of 12 loader processes would fight it.
    return variables | ({"nnUNet_n_proc_DA": "1"} if study.device == "cpu" else {})


def data_steps(study: Study) -> Iterator[Step]:
    """Yield what makes the data set ready: in a smoke run phantoms and their conversion, then nnU-Net's plans.

    Raises:
        UsageError: Without a smoke run, the data set is not there.
    """
    number, processes = str(study.dataset_id), str(study.workers)
    if study.smoke:
        source = study.output / "phantoms"
        yield Step(
            "phantom", "Draw phantoms",
            ("nnunet-cardiac", "phantom", study.recipe.data_set, "-o", str(source), "--subjects", str(SMOKE_SUBJECTS),
             "-np", processes, *study.recipe.smoke_phantoms),
        )  # fmt: skip
        yield Step(
            "convert", "Convert them",
            ("nnunet-cardiac", "convert", study.recipe.data_set, "-i", str(source), "-d", number,
             "--folds", str(SMOKE_FOLDS), "-np", processes, *study.recipe.smoke_conversion),
        )  # fmt: skip
    raw = discovery.dataset_folder(discovery.raw_folder(), study.dataset_id)
    yield Step(
        "plan", "nnU-Net looks at the data and plans",
        ("nnUNetv2_plan_and_preprocess", "-d", number, "-c", study.recipe.configuration, "--no_pp", "-npfp", processes),
        shows_itself=False, product=discovery.preprocessed_folder() / raw.name / f"{DEFAULT_PLANS}.json",
    )  # fmt: skip


def training_steps(study: Study, model: ModelRecipe, seed: int | None) -> Iterator[Step]:
    """Yield what turns one model of a recipe into scores; what is there already is left alone."""
    name, number = study.configuration(model, seed), str(study.dataset_id)
    assignments = [f"{key}={value}" for key, value in study.settings_of(model, seed).items()]
    yield Step(
        "plan", f"{model.title}: write its configuration",
        ("nnunet-cardiac", "plan", "-d", number, "--preset", model.preset, "--name", name,
         *(["--set", *assignments] if assignments else [])),
    )  # fmt: skip
    configuration = _configuration(study, name)
    if not _is_preprocessed(study, configuration):
        yield Step(
            f"preprocess_{configuration['data_identifier']}", f"{model.title}: nnU-Net preprocesses",
            ("nnUNetv2_preprocess", "-d", number, "-c", name, "-np", str(study.workers)),
            shows_itself=False,
        )  # fmt: skip
    epochs = configuration.get("cardiac", {}).get("num_epochs")
    for fold in study.folds:
        yield _train_step(study, model, seed, fold, epochs)
        if model.pipeline:
            yield _predict_step(study, model, seed, fold, {"": study.model_folder(model, seed)})
        if model.kind == SEGMENTATION:
            yield _evaluate_step(study, model, seed, fold)


def pipeline_steps(study: Study, pipeline: PipelineRecipe, seed: int | None) -> Iterator[Step]:
    """Yield what runs a pipeline over its trained models and scores it, fold by fold."""
    for fold in study.folds:
        folders = {part: study.model_folder(name, seed) for part, name in pipeline.models.items()}
        yield _predict_step(study, pipeline, seed, fold, folders)
        yield _evaluate_step(study, pipeline, seed, fold)


def _train_step(study: Study, model: ModelRecipe, seed: int | None, fold: int, epochs: int | None) -> Step:
    folder = study.model_folder(model, seed) / f"fold_{fold}"
    # A training that ended but was interrupted while it predicted its validation cases only makes up for that.
    finished = (folder / FINAL_WEIGHTS).exists()
    return Step(
        f"train_f{fold}", f"{model.title}: train fold {fold}{_seeded(seed)}",
        ("nnUNetv2_train", str(study.dataset_id), study.configuration(model, seed), str(fold),
         "-tr", model.trainer, "-device", study.device, "--val" if finished else "--c"),
        epochs=None if finished else epochs, shows_itself=False,
        product=folder / (FINAL_WEIGHTS if model.kind == PART else "validation/summary.json"),
    )  # fmt: skip


def _predict_step(study: Study, row: Row, seed: int | None, fold: int, models: Mapping[str, Path]) -> Step:
    """The pipeline of a row over its models by part; the part of a model that is a row by itself has no name."""
    output = study.segmented(row, seed, fold)
    weights = [folder / f"fold_{fold}" / FINAL_WEIGHTS for folder in models.values()]
    data = () if "" in models else ("-d", str(study.dataset_id))
    options = row.options if isinstance(row, PipelineRecipe) else ()
    return Step(
        f"predict_f{fold}", f"{row.title}: predict the validation cases of fold {fold}{_seeded(seed)}",
        ("nnunet-cardiac", "predict", row.pipeline, "--validation", *data, "-f", str(fold),
         "-m", *(f"{part}={folder}" if part else str(folder) for part, folder in models.items()), *options,
         "-o", str(output), "-device", study.device, *(["--overwrite"] if _is_outdated(output, weights) else [])),
    )  # fmt: skip


def _evaluate_step(study: Study, row: Row, seed: int | None, fold: int) -> Step:
    labels = discovery.dataset_folder(discovery.raw_folder(), study.dataset_id) / "labelsTr"
    return Step(
        f"evaluate_f{fold}", f"{row.title}: score the validation cases of fold {fold}",
        ("nnunet-cardiac", "evaluate", "-ref", str(labels), "-pred", str(study.segmented(row, seed, fold)),
         "-o", str(study.evaluation(row, seed, fold)), "-np", str(study.workers), *study.recipe.evaluation),
    )  # fmt: skip


def _seeded(seed: int | None) -> str:
    return "" if seed is None else f", seed {seed}"


def _is_outdated(output: Path, weights: Sequence[Path]) -> bool:
    """Tell whether there are predictions that were made before some of the weights: of a model trained anew."""
    made = [path.stat().st_mtime for path in output.glob("*.nii.gz")]
    trained = [path.stat().st_mtime for path in weights if path.is_file()]
    return bool(made and trained) and min(made) < max(trained)


def _configuration(study: Study, name: str) -> dict[str, Any]:
    folder = discovery.dataset_folder(discovery.preprocessed_folder(), study.dataset_id)
    return resolved(read_json(folder / f"{DEFAULT_PLANS}.json")["configurations"], name)


def _is_preprocessed(study: Study, configuration: dict[str, Any]) -> bool:
    folder = discovery.dataset_folder(discovery.preprocessed_folder(), study.dataset_id)
    raw = discovery.raw_folder() / folder.name
    labels = {path.name.removesuffix(".nii.gz") for path in (raw / "labelsTr").glob("*.nii.gz")}
    # nnU-Net writes the .pkl of a case last.
    return labels <= {path.stem for path in (folder / configuration["data_identifier"]).glob("*.pkl")}


def require_data(study: Study) -> None:
    """Check that the data set is there and is one that the recipe can be run on.

    It may have more labels than the recipe's: paper 000's networks for the myocardium are run on ACDC too.

    Raises:
        UsageError: It is absent, or lacks labels of the recipe's data set.
    """
    expected = DATA_SETS[study.recipe.data_set]
    folder = discovery.dataset_folder(discovery.raw_folder(), study.dataset_id)
    wanted = set(LABEL_MAPS[expected.label_map].structures)
    labels = set(read_json(folder / "dataset.json").get("labels", {})) - {"background"}
    if not labels >= wanted:
        raise UsageError(
            f"{folder / 'dataset.json'}: expected the labels {', '.join(sorted(wanted))} of a data set such as "
            f"{expected.title}, got {', '.join(sorted(labels))}"
        )
    if not (folder / "splits_final.json").is_file():
        raise UsageError(f"{folder}: expected splits_final.json by subject, as nnunet-cardiac convert writes it")
