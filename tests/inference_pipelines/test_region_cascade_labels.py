"""The cascade against the slow way: nnU-Net once per model, then each slice from the folder of its region."""

import nibabel as nib
import numpy as np
import pytest
from helpers.nnunet_prediction import predict_with_nnunet, read
from helpers.tiny_cascade import SEGMENTING, table_of, write_case, write_tiny_cascade
from helpers.tiny_model import REGIONS, write_image

from inference_pipelines.cascade_models import load_models
from inference_pipelines.region_cascade import RegionCascade
from inference_pipelines.region_merge import merge_regions
from nnunet_cardiac_ext.phantoms.acdc import write_phantoms
from nnunet_cardiac_ext.regions import Region


def slow_way(trained, images, out, folds=(0,)):
    """Labels by nnU-Net's own predictor, one folder per model, by region."""
    out.mkdir()
    for name in SEGMENTING:
        predict_with_nnunet(trained[name], images, out / name, folds=folds)
    return {region: out / name for name, region in SEGMENTING.items()}


def assert_merged(folders, out, column, merged):
    """The cascade's labels are those of the folders, merged by a column of its table."""
    assert not merge_regions(folders, out / "regions.csv", merged, column=column, quiet=True).failures
    cases = {row.case for row in table_of(out)}
    for case in cases:
        labels, expected = read(out / f"{case}.nii.gz"), read(merged / f"{case}.nii.gz")
        np.testing.assert_array_equal(labels, expected)
        assert len(np.unique(expected)) > 1, "an agreement on one label alone says nothing"
    return cases


@pytest.mark.slow
def test_labels_are_exactly_those_of_the_slow_way(tmp_path, trained, models, classifier):
    images = tmp_path / "in"
    write_case(images, "one_tile", (6, 32, 32))
    write_case(images, "cropped", (8, 52, 47), empty=(0, 1, 7), rim=3, seed=1)
    write_case(images, "resampled", (5, 40, 33), spacing=(10.0, 1.1, 1.9), seed=2)
    write_case(images, "nearly_isotropic", (6, 38, 41), spacing=(2.0, 1.2, 1.2), seed=3)
    write_case(images, "one_slice", (1, 36, 36), seed=4)
    folders = slow_way(trained, images, tmp_path / "slow")
    for mode in ("predicted", "ordered", "extent"):
        RegionCascade(models, regions=mode).predict_folder(images, tmp_path / mode, quiet=True)
        rows = table_of(tmp_path / mode)
        assert {row.used for row in rows} == set(Region)
        assert any(row.predicted != row.ordered for row in rows), "both ways would be one"
        for column in (mode, "used"):
            assert len(assert_merged(folders, tmp_path / mode, column, tmp_path / f"{mode}_{column}")) == 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [{"folds": (0, 1)}, {"channels": 2}, {"labels": REGIONS}, {"mirror_axes": ()}], ids=str
)
def test_labels_are_those_of_the_slow_way_for_any_models(tmp_path, classifier, kind):
    trained = write_tiny_cascade(tmp_path / "results", **kind)
    for seed, case in enumerate(("a", "b")):
        write_image(tmp_path / "in", case, (5 + seed, 40, 36), channels=kind.get("channels", 1), seed=seed)
    RegionCascade(load_models(trained)).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    folders = slow_way(trained, tmp_path / "in", tmp_path / "slow", kind.get("folds", (0,)))
    assert_merged(folders, tmp_path / "out", "predicted", tmp_path / "merged")


@pytest.mark.slow
def test_phantom_hearts_get_the_labels_of_the_slow_way(tmp_path, classifier):
    trained = write_tiny_cascade(tmp_path / "results", patch_size=(128, 128), mirror_axes=())
    write_phantoms(tmp_path / "acdc", subjects=1, testing=0, cine_frames=3, quiet=True)
    for name, pattern in (("in", "*_frame??.nii.gz"), ("cine", "*_4d.nii.gz")):
        (tmp_path / name).mkdir()
        for path in (tmp_path / "acdc").rglob(pattern):
            path.rename(tmp_path / name / path.name.replace(".nii.gz", "_0000.nii.gz"))
    cascade = RegionCascade(load_models(trained), regions="ordered")
    for name in ("in", "cine"):
        cascade.predict_folder(tmp_path / name, tmp_path / f"{name}_out", quiet=True)
    folders = slow_way(trained, tmp_path / "in", tmp_path / "slow")
    cases = sorted(assert_merged(folders, tmp_path / "in_out", "used", tmp_path / "merged"))
    assert [case[:11] for case in cases] == ["patient001_", "patient001_"]
    # Of the cine ED is the first frame; its file says 1 mm where the voxels are larger.
    cine = nib.load(tmp_path / "cine_out" / "patient001_4d.nii.gz")
    np.testing.assert_array_equal(np.asarray(cine.dataobj)[..., 0].T, read(tmp_path / "in_out" / f"{cases[0]}.nii.gz"))
    source = nib.load(tmp_path / "cine" / "patient001_4d_0000.nii.gz")
    assert cine.header.get_zooms() == source.header.get_zooms()


def test_probabilities_of_hard_regions_are_those_of_each_slices_model(tmp_path, trained, models, classifier):
    write_image(tmp_path / "in", "a", (6, 32, 36))
    RegionCascade(models).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True, save_probabilities=True)
    for name in SEGMENTING:
        predict_with_nnunet(trained[name], tmp_path / "in", tmp_path / name)
    with np.load(tmp_path / "out" / "a.npz") as file:
        ours = file["probabilities"]
    for row in table_of(tmp_path / "out", "a"):
        name = next(name for name, region in SEGMENTING.items() if region == row.used)
        with np.load(tmp_path / name / "a.npz") as file:
            np.testing.assert_allclose(ours[:, row.slice], file["probabilities"][:, row.slice], atol=1e-6)
