"""What the classifier of paper 004 gives: Dice with its gate, without one, and with the reference in its place.

    python benchmarks/classifier_gate.py MODEL [MODEL ...] -f 0 -o OUT [-device cuda]

MODEL is a folder of ClassifierGuidedTrainer with a classifier; nnU-Net's directories must be set. The validation cases
of the fold are predicted three ways by the same logits: a structure is taken away where the classifier gives it 1/2 or
less (what `predict classifier-guided` does), nowhere (`--presence_threshold 0`), and where the reference has none of
it. For each model it prints Dice by thirds, false and missed slices of the RV, and how well the classifier tells
presence.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
import torch
from scipy.stats import mannwhitneyu

from inference_pipelines.classifier_guided import ClassifierGuidedPredictor
from inference_pipelines.slice_mapping import file_slices
from inference_pipelines.slice_predictor import SlicePredictor
from inference_pipelines.validation_cases import ValidationCases, validation_cases
from nnunet_cardiac_ext.architectures.classifier_guided import PRESENT, without_absent
from nnunet_cardiac_ext.evaluation.folder import EvaluationResult, evaluate

GATES = ("without gate", "classifier", "reference")
STRUCTURES, REGIONS = ("RV", "MYO", "LV"), ("base", "middle", "apex")
METRICS = ("dice", "false_slices", "missed_slices")


def main() -> None:
    arguments = parse_arguments()
    for folder in arguments.models:
        # Without its threshold the logits come as they are.
        predictor = ClassifierGuidedPredictor.from_model_folder(
            folder, folds=[arguments.fold], device=arguments.device, presence_threshold=0
        )
        cases = validation_cases(predictor.model.plans.dataset_name, arguments.fold)
        output = arguments.output / folder.name
        probabilities, there = (np.concatenate(parts) for parts in zip(*predict(predictor, cases, output), strict=True))
        print(f"\n{folder.name}, fold {arguments.fold}, {len(cases.names)} cases")
        print_presence(predictor.structures, probabilities, there)
        for gate in GATES:
            scores = output / f"evaluation {gate}"
            print_scores(
                gate, evaluate(cases.labels, output / gate, scores, metrics=METRICS, scheme="thirds", quiet=True)
            )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("-f", dest="fold", type=int, default=0)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("-device", default="cpu")
    return parser.parse_args()


def predict(
    predictor: ClassifierGuidedPredictor, cases: ValidationCases, output: Path
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Write the labels by each gate; yield of each case the probabilities of presence and what the reference holds."""
    slices = SlicePredictor(predictor.model, predictor.window)
    for name in cases.names:
        case = slices.preprocess([cases.images / f"{name}_0000.nii.gz"])
        ((logits, presence),) = predictor.predict(case.image[None])
        where = file_slices(case.properties, predictor.model.plans)
        labels = sitk.GetArrayFromImage(sitk.ReadImage(str(cases.labels / f"{name}.nii.gz")))
        shown = labels[where.numbers[where.first : where.first + len(presence)]]
        there = torch.from_numpy(
            np.stack([(shown == value).any(axis=(1, 2)) for value in range(1, len(logits))], axis=1)
        )
        gates = {
            "without gate": torch.ones_like(there),
            "classifier": torch.from_numpy(presence > PRESENT),
            "reference": there,
        }
        for gate, present in gates.items():
            final = without_absent(logits.transpose(0, 1), present).transpose(0, 1)
            (output / gate).mkdir(parents=True, exist_ok=True)
            slices.export(final, case, output / gate / name)
        yield presence, there.numpy()


def print_presence(structures: tuple[str, ...], probabilities: np.ndarray, there: np.ndarray) -> None:
    for index, name in enumerate(structures):
        present, absent = (probabilities[there[:, index] == truth, index] for truth in (True, False))
        area = mannwhitneyu(present, absent).statistic / (len(present) * len(absent))
        print(
            f"  {name}: there in {len(present)} slices, called so in {(present > PRESENT).sum()}; absent in "
            f"{len(absent)}, called there in {(absent > PRESENT).sum()}; area under the curve {area:.3f}"
        )


def print_scores(gate: str, result: EvaluationResult) -> None:
    rows = {(row.structure, row.region, row.metric): row for row in result.summary if row.group == "all"}
    dice = "; ".join(
        f"{name} " + ", ".join(f"{rows[name, region, 'dice'].mean:.3f}" for region in REGIONS) for name in STRUCTURES
    )
    counts = [rows["RV", "all", metric] for metric in METRICS[1:]]
    false, missed = (round(row.mean * row.n) for row in counts)
    print(f"  {gate:<13} {dice}; RV false slices {false}, missed {missed}")


if __name__ == "__main__":
    main()
