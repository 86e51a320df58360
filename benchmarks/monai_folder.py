"""The peer of evaluation_speed.py for surface metrics: MONAI's over a folder, with several processes.

HD, HD95, average surface distance and surface Dice at 2 mm of the labels 1 to 3, one line of JSON per case.

    python benchmarks/monai_folder.py LABELS PREDICTIONS OUT.jsonl -np 2
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import warnings
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

LABELS = (1, 2, 3)
TOLERANCE_MM = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    parser.add_argument("prediction", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("-np", type=int, default=2)
    arguments = parser.parse_args()
    jobs = [(arguments.reference / path.name, path) for path in sorted(arguments.prediction.glob("*.nii.gz"))]
    # As nnU-Net and as our own workers: fresh processes, one thread each.
    with multiprocessing.get_context("spawn").Pool(arguments.np, initializer=use_one_thread) as pool:
        lines = pool.starmap(score, jobs)
    arguments.output.write_text("".join(json.dumps(line) + "\n" for line in lines))


def use_one_thread() -> None:
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")


def score(reference: Path, prediction: Path) -> dict[str, object]:
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice

    image = sitk.ReadImage(str(reference))
    arrays = (sitk.GetArrayFromImage(sitk.ReadImage(str(prediction))), sitk.GetArrayFromImage(image))
    stacks = (np.stack([array == label for label in LABELS])[None].astype(np.float32) for array in arrays)
    masks = [torch.from_numpy(stack) for stack in stacks]
    options = {"include_background": True, "spacing": image.GetSpacing()[::-1]}
    found = {
        "hd": compute_hausdorff_distance(*masks, **options),
        "hd95": compute_hausdorff_distance(*masks, percentile=95, **options),
        "assd": compute_average_surface_distance(*masks, symmetric=True, **options),
        "nsd": compute_surface_dice(*masks, class_thresholds=[TOLERANCE_MM] * len(LABELS), **options),
    }
    return {"case": reference.name} | {name: values[0].tolist() for name, values in found.items()}


if __name__ == "__main__":
    main()
