"""The steps of the demo, in order."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnunet_cardiac_ext import discovery
from nnunet_cardiac_ext.demo import recipe
from nnunet_cardiac_ext.demo.calibration import epochs_for
from nnunet_cardiac_ext.demo.summary import Summary, summarise
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.files import read_json, write_json
from nnunet_cardiac_ext.processes import available_cores
from nnunet_cardiac_ext.registry import PRESETS
from nnunet_cardiac_ext.steps import Runner, Step


@dataclass(frozen=True)
class DemoOptions:
    """What the demo runs on.

    Attributes:
        source: An ACDC folder; None draws phantoms.
        output: Where everything is put.
        minutes: Training time; None takes the recipe's fixed number of epochs, which gives the same training anywhere.
        device: cpu, cuda or mps.
        seed: Seed of phantoms, folds and training.
        workers: Processes for conversion, preprocessing and evaluation; None takes all cores of this process.
        quiet: Print only the result.
    """

    source: Path | None = None
    output: Path = Path("nnunet-cardiac-demo")
    minutes: float | None = None
    device: str = "cpu"
    seed: int = 0
    workers: int | None = None
    quiet: bool = False

    @property
    def root(self) -> Path:
        """nnU-Net's three directories lie here."""
        return self.output / "nnunet"

    @property
    def data(self) -> Path:
        """The folder in ACDC's layout that is converted."""
        return self.source if self.source is not None else self.output / "phantoms"

    @property
    def processes(self) -> str:
        """Number of worker processes, as a flag's value."""
        return str(self.workers or available_cores())


def demo(options: DemoOptions) -> Summary:
    """Run every step that is not done yet and return what came out.

    Raises:
        UsageError: `source` is no folder, `minutes` is not positive, or the folder holds another demo.
        WorkError: A step failed; the message names its log.
    """
    if options.source is not None and not options.source.is_dir():
        raise UsageError(f"{options.source}: expected an ACDC folder, but there is none")
    if options.minutes is not None and not 0 < options.minutes < math.inf:
        raise UsageError(f"--minutes: expected a positive number, got {options.minutes}")
    _claim(options)
    discovery.use_root(options.root)
    discovery.enable_trainers()
    runner = Runner(options.output, environment=_environment(options), quiet=options.quiet)
    runner.run(_steps(options))
    truth = options.data / "truth.csv" if options.source is None else None
    return summarise(options.output, truth=truth, seconds=runner.seconds())


def _claim(options: DemoOptions) -> None:
    """Keep one demo per folder: the training would go on from the weights of another one."""
    wanted = {
        "data": str(options.source.resolve()) if options.source is not None else "phantoms",
        "seed": options.seed, "minutes": options.minutes,
    }  # fmt: skip
    record = options.output / "demo.json"
    present = read_json(record) if record.is_file() else wanted
    if present != wanted:
        raise UsageError(f"{options.output}: expected the demo of {wanted}, found that of {present}; choose another -o")
    write_json(record, wanted)


def _steps(options: DemoOptions) -> Iterator[Step]:
    data_id, processes = str(recipe.DATASET_ID), options.processes
    if options.source is None:
        yield Step(
            "phantom", "Draw phantoms: hearts whose volumes are known",
            ("nnunet-cardiac", "phantom", "acdc", "-o", str(options.data), "--subjects", str(recipe.PHANTOM_SUBJECTS),
             "--testing", str(recipe.PHANTOM_TESTING), "--seed", str(options.seed), "-np", processes),
        )  # fmt: skip
    yield Step(
        "convert", "Convert to an nnU-Net raw data set",
        ("nnunet-cardiac", "convert", "acdc", "-i", str(options.data), "-d", data_id, "-np", processes),
    )  # fmt: skip
    yield Step(
        "fingerprint", "nnU-Net looks at the data and plans",
        ("nnUNetv2_plan_and_preprocess", "-d", data_id, "-c", "2d", "--no_pp", "-npfp", processes),
        shows_itself=False,
    )  # fmt: skip
    yield from _plan_and_train(options)
    yield from _predict_and_report(options)


def _plan_and_train(options: DemoOptions) -> Iterator[Step]:
    data_id, configuration = str(recipe.DATASET_ID), recipe.CONFIGURATION
    epochs = recipe.PHANTOM_EPOCHS if options.source is None else recipe.ACDC_EPOCHS
    yield _plan_step("plan", "Write the demo's configuration into the plans", epochs, options)
    yield Step(
        "preprocess", "nnU-Net preprocesses",
        ("nnUNetv2_preprocess", "-d", data_id, "-c", configuration, "-np", options.processes),
        shows_itself=False,
    )  # fmt: skip
    if options.minutes is not None:
        preprocessed = discovery.dataset_folder(discovery.preprocessed_folder(), recipe.DATASET_ID)
        epochs = epochs_for(
            options.minutes, plans=preprocessed / "nnUNetPlans.json", dataset=preprocessed / "dataset.json",
            configuration=configuration, device=options.device, record=options.output / "calibration.json",
            environment=_environment(options),
        )  # fmt: skip
        title = f"{options.minutes:g} minutes of training are {epochs} epochs here"
        yield _plan_step("minutes", title, epochs, options)
    yield Step(
        "train", "Train",
        ("nnUNetv2_train", data_id, configuration, _fold(), "-tr", PRESETS[recipe.PRESET].trainer,
         "-device", options.device, "--c"),
        epochs=epochs, shows_itself=False,
    )  # fmt: skip


def _plan_step(name: str, title: str, epochs: int, options: DemoOptions) -> Step:
    settings = recipe.SETTINGS | {"num_epochs": str(epochs), "seed": str(options.seed)}
    assignments = tuple(f"{key}={value}" for key, value in settings.items())
    return Step(
        name, title,
        ("nnunet-cardiac", "plan", "-d", str(recipe.DATASET_ID), "--preset", recipe.PRESET,
         "--name", recipe.CONFIGURATION, "--overwrite", "--set", *assignments),
    )  # fmt: skip


def _predict_and_report(options: DemoOptions) -> Iterator[Step]:
    raw = discovery.dataset_folder(discovery.raw_folder(), recipe.DATASET_ID)
    images, labels = raw / "imagesTs", raw / "labelsTs"
    if not _has_labelled_test_part(raw):
        images, labels = options.output / "unseen", raw / "labelsTr"
        images.mkdir(exist_ok=True)
        yield Step(
            "unseen", "Take the validation patients of the fold as unseen ones",
            ("cp", *map(str, _validation_images(raw)), str(images)),
        )  # fmt: skip
    predictions, evaluation = options.output / "predictions", options.output / "evaluation"
    yield Step(
        "predict", "Predict the unseen subjects",
        ("nnunet-cardiac", "predict", "slices", "-i", str(images), "-o", str(predictions), "-d", str(recipe.DATASET_ID),
         "-c", recipe.CONFIGURATION, "-tr", PRESETS[recipe.PRESET].trainer, "-f", _fold(),
         "-device", options.device, "--overwrite"),
    )  # fmt: skip
    yield Step(
        "evaluate", "Score them",
        ("nnunet-cardiac", "evaluate", "-ref", str(labels), "-pred", str(predictions), "-o", str(evaluation),
         "--by", "group", "-np", options.processes),
    )  # fmt: skip
    yield Step(
        "report", "Write the report",
        ("nnunet-cardiac", "report", "-i", str(evaluation), "-images", str(images), "-ref", str(labels),
         "-pred", str(predictions), "-o", str(options.output / "report.html")),
    )  # fmt: skip


def _environment(options: DemoOptions) -> dict[str, str]:
    names = ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results", "nnUNet_extTrainer")
    environment = {name: os.environ[name] for name in names} | {"nnUNet_def_n_proc": options.processes}
    if options.device == "cpu":
        # Training takes all cores by itself, and a single loader process keeps the order of the batches. Without any
        # (0) nnU-Net's planner fails.
        environment["nnUNet_n_proc_DA"] = "1"
    return environment


def _fold() -> str:
    """Train on all patients where a test part is there to be predicted, else keep those of a fold unseen."""
    raw = discovery.dataset_folder(discovery.raw_folder(), recipe.DATASET_ID)
    return "all" if _has_labelled_test_part(raw) else str(recipe.FOLD)


def _has_labelled_test_part(raw: Path) -> bool:
    return any((raw / "labelsTs").glob("*.nii.gz"))


def _validation_images(raw: Path) -> list[Path]:
    cases = read_json(raw / "splits_final.json")[recipe.FOLD]["val"]
    return [raw / "imagesTr" / f"{case}_0000.nii.gz" for case in cases]
