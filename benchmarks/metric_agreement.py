"""Largest differences between our surface metrics and MONAI's on random pairs of ragged masks with random spacing.

HD, HD95, the average surface distance by MONAI's definition (both directions pooled; our `assd` averages the two means)
and the normalised surface Dice at 2 mm. MONAI rounds distances to float32.

    python benchmarks/metric_agreement.py --pairs 1000
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

# Run from a checkout: the package beside this folder, and the helpers of its tests.
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from helpers.masks import monai_numbers, our_numbers, random_pair  # noqa: E402  # after the path

from nnunet_cardiac_ext.evaluation.surface import surface_distances  # noqa: E402  # after the path

TOLERANCE_MM = 2.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--largest", type=int, default=9, help="voxels along an axis stay below this")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    worst = {}
    for seed in range(arguments.pairs):
        reference, prediction, spacing = random_pair(seed, arguments.largest)
        ours = our_numbers(surface_distances(reference, prediction, spacing), TOLERANCE_MM)
        peer = monai_numbers(reference, prediction, spacing, TOLERANCE_MM)
        for name, value in ours.items():
            worst[name] = max(worst.get(name, (0.0, 0.0)), (abs(value - peer[name]), value))
    print(f"{arguments.pairs} pairs, largest difference (at our value):")
    for name, (difference, value) in worst.items():
        print(f"{name:<6} {difference:.2e}   ({value:.4f})")


if __name__ == "__main__":
    main()
