"""Mouse phantoms of every layout, converted: the volumes are those that the phantoms say are true."""

import csv

import numpy as np
import pytest
import SimpleITK

from dataset_conversion.mouse import convert
from nnunet_cardiac_ext.phantoms.mouse import write_phantoms


@pytest.mark.parametrize(
    ("layout", "version"), [("hdf5", "5"), ("mat", "5"), ("mat", "7.3"), ("nifti", "5")], ids=lambda value: value
)
def test_volumes_phases_and_base_are_the_true_ones(layout, version, tmp_path, nnunet_root):
    write_phantoms(
        tmp_path / "in", subjects=2, time_points=1, layout=layout, mat_version=version, cine_frames=4, matrix=96,
        workers=1, quiet=True,
    )  # fmt: skip
    report = convert(tmp_path / "in", 30, workers=1, quiet=True)
    assert report.failures == []
    with (tmp_path / "in" / "truth.csv").open() as stream:
        truth = {(row["animal"], row["time_point"]): row for row in csv.DictReader(stream)}
    assert len(report.rows) == 2 * len(truth)
    for row in report.rows:
        expected = truth[row.subject, row.extra["time_point"]]
        labels = SimpleITK.ReadImage(report.folder / "labelsTr" / f"{row.case}.nii.gz")
        volume = SimpleITK.GetArrayFromImage(labels).sum() * np.prod(labels.GetSpacing())
        assert volume == pytest.approx(float(expected[f"myo_{row.phase.lower()}_mm3"]), rel=0.02)
        assert (row.group, row.slices) == (expected["group"], int(expected["slices"]))
        assert str(row.base_first) == expected["base_first"]
