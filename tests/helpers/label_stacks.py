"""Small labelled stacks as files, in nnU-Net's layout, for tests of what reads predictions and references."""

import json

import numpy as np
import SimpleITK as sitk  # noqa: N813

SPACING = (10.0, 2.0, 1.0)


def heart(slices=6, size=24, shift=0):
    """A square heart in cine labels (slice, row, column): RV 1, MYO 2, LV 3, smaller towards the last slice."""
    labels = np.zeros((slices, size, size), dtype=np.uint8)
    for k in range(slices):
        radius = 6 - (4 * k) // slices
        centre = size // 2 + shift
        labels[k, 8 - radius // 2 : 8 + radius // 2, 2 + shift : centre - radius] = 1
        labels[k, centre - radius : centre + radius, centre - radius : centre + radius] = 2
        labels[k, centre - radius + 2 : centre + radius - 2, centre - radius + 2 : centre + radius - 2] = 3
    return labels


def write_volume(path, array, spacing=SPACING):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(tuple(spacing[::-1]))
    sitk.WriteImage(image, str(path))


def write_study(root, *, subjects=2, shift=1, groups=("NOR", "HCM")):
    """Write imagesTr, labelsTr, dataset.json, cases.csv and pred/; returns (labelsTr, pred).

    Every subject has ED and ES; the prediction is the reference moved by `shift` columns and rows.
    """
    lines = ["case,subject,phase,group"]
    for number in range(subjects):
        for phase, slices in (("ED", 6), ("ES", 5)):
            case = f"patient{number:03d}_{phase}"
            labels = heart(slices=slices)
            write_volume(root / "labelsTr" / f"{case}.nii.gz", labels)
            write_volume(root / "imagesTr" / f"{case}_0000.nii.gz", (labels * 50).astype(np.int16))
            write_volume(root / "pred" / f"{case}.nii.gz", heart(slices=slices, shift=shift))
            lines.append(f"{case},patient{number:03d},{phase},{groups[number % len(groups)]}")
    (root / "cases.csv").write_text("\n".join(lines) + "\n")
    labels = {"background": 0, "RV": 1, "MYO": 2, "LV": 3}
    (root / "dataset.json").write_text(json.dumps({"labels": labels, "file_ending": ".nii.gz"}))
    return root / "labelsTr", root / "pred"
