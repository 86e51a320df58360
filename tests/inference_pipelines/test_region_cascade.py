"""What the cascade does with a folder; that its labels are nnU-Net's is tested in test_region_cascade_labels."""

import json

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
import torch
from helpers.nnunet_prediction import read
from helpers.tiny_cascade import (
    SEGMENTING,
    TRAINERS,
    answer,
    certain,
    table_of,
    write_case,
    write_tiny_cascade,
)
from helpers.tiny_model import REGIONS, write_image
from scipy.special import expit, softmax

from inference_pipelines import ensemble
from inference_pipelines.cascade_models import load_models
from inference_pipelines.region_cascade import RegionCascade, join_region_tables
from inference_pipelines.slice_predictor import SlicePredictor
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.region_order import FILE_NAME
from nnunet_cardiac_ext.region_table import RegionRow, write_region_table
from nnunet_cardiac_ext.regions import Region


def test_the_table_tells_the_slices_of_the_file(tmp_path, models, classifier):
    write_case(tmp_path / "in", "a", (8, 40, 36), empty=(0, 1, 7))
    RegionCascade(models).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    rows = table_of(tmp_path / "out", "a")
    assert [row.slice for row in rows] == list(range(8))
    # Five slices are left: a heart with a stray slice, see heart_answer.
    assert [row.predicted for row in rows] == [0, 0, 0, 1, 1, 3, 0, 0]
    assert [row.used for row in rows] == [row.predicted for row in rows]
    assert rows[0].probabilities == (1, 0, 0, 0)
    np.testing.assert_allclose(rows[3].probabilities, [0.1, 0.7, 0.1, 0.1], rtol=1e-6)
    labels = read(tmp_path / "out" / "a.nii.gz")
    assert not labels[[0, 1, 7]].any()
    assert labels[2:7].any(axis=(1, 2)).all()


def test_each_slice_goes_through_one_model_and_those_of_a_region_together(tmp_path, models, classifier, monkeypatch):
    asked = []
    real = SlicePredictor.predict_logits

    def watched(self, image, slices=None):
        asked.append((self.model.folder.name.partition("__")[0], slices))
        return real(self, image, slices)

    monkeypatch.setattr(SlicePredictor, "predict_logits", watched)
    write_case(tmp_path / "in", "a")
    RegionCascade(models).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    # heart_answer gives 0 1 2 1 3 0.
    expected = {
        "CardiacTrainer": [0, 5],
        "BaseRegionTrainer": [1, 3],
        "MiddleRegionTrainer": [2],
        "ApexRegionTrainer": [4],
    }
    assert dict(asked) == expected
    assert len(asked) == 4


def test_an_image_is_preprocessed_once(tmp_path, models, classifier, monkeypatch):
    prepared = []
    real = SlicePredictor.preprocess
    monkeypatch.setattr(SlicePredictor, "preprocess", lambda self, files: prepared.append(files) or real(self, files))
    for case in ("a", "b"):
        write_case(tmp_path / "in", case)
    RegionCascade(models, regions="blended").predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    assert len(prepared) == 2


@pytest.mark.parametrize("labels", [None, REGIONS])
def test_blended_probabilities_are_the_mixture_of_the_models(tmp_path, monkeypatch, labels):
    weights = np.array([[0.5, 0.5, 0, 0], [0.02, 0.28, 0.7, 0], [0.25] * 4, [0, 0, 0, 1.0]])
    answer(monkeypatch, lambda stack: weights)
    trained = write_tiny_cascade(tmp_path / "results", labels=labels)
    write_image(tmp_path / "in", "a", (4, 32, 36))
    cascade = RegionCascade(load_models(trained), regions="blended")
    cascade.predict_folder(tmp_path / "in", tmp_path / "out", quiet=True, save_probabilities=True)
    nonlinearity = expit if labels else lambda logits: softmax(logits, axis=0)
    image = cascade.models.baseline.preprocess([tmp_path / "in" / "a_0000.nii.gz"]).image
    single = [
        nonlinearity(predictor.predict_logits(image).double().numpy())
        for predictor in cascade.models.segmenting.values()
    ]
    # The second slice's 0.02 is below the threshold: that model is left out and the others share its weight.
    shares = np.array([[0.5, 0.5, 0, 0], [0, 0.28 / 0.98, 0.7 / 0.98, 0], [0.25] * 4, [0, 0, 0, 1.0]])
    expected = sum(share[:, None, None] * part for share, part in zip(shares.T, single, strict=True))
    with np.load(tmp_path / "out" / "a.npz") as exported:
        np.testing.assert_allclose(exported["probabilities"], expected, atol=1e-5)
    assert list(cascade.models.segmenting) == list(Region)


def test_a_model_of_negligible_weight_is_not_run(tmp_path, models, monkeypatch):
    answer(monkeypatch, lambda stack: np.array([[0.01, 0.01, 0.01, 0.97]] * 3))
    ran = []
    hooks = [
        predictor.model.networks[0].register_forward_pre_hook(lambda *_, region=region: ran.append(region))
        for region, predictor in models.segmenting.items()
    ]
    write_case(tmp_path / "in", "a", (3, 32, 32))
    RegionCascade(models, regions="blended").predict_folder(tmp_path / "in", tmp_path / "blended", quiet=True)
    for hook in hooks:
        hook.remove()
    assert set(ran) == {Region.APEX}
    RegionCascade(models).predict_folder(tmp_path / "in", tmp_path / "hard", quiet=True)
    np.testing.assert_array_equal(*(read(tmp_path / name / "a.nii.gz") for name in ("blended", "hard")))


def test_reference_regions_decide_and_a_case_without_reference_is_named(tmp_path, models, classifier):
    images, reference = tmp_path / "in", tmp_path / "ref"
    labels = np.zeros((7, 40, 36), dtype=np.uint8)
    for number, size in enumerate((0, 12, 11, 9, 8, 6, 0)):
        labels[number, 5 : 5 + size, 4 : 4 + size] = 3
    reference.mkdir()
    for case, empty in (("a", ()), ("cropped", (0, 1)), ("b", ())):
        write_case(images, case, (7, 40, 36), empty=empty)
        if case != "b":
            SimpleITK.WriteImage(SimpleITK.GetImageFromArray(labels), str(reference / f"{case}.nii.gz"))
    cascade = RegionCascade(models, regions="reference", reference=reference)
    with pytest.raises(WorkError, match=rf"1 of 3 cases not predicted: b: {reference}/b\.nii\.gz: expected the refer"):
        cascade.predict_folder(images, tmp_path / "out", quiet=True)
    assert [row.used for row in table_of(tmp_path / "out", "a")] == [0, 1, 2, 2, 2, 3, 0]
    cropped = table_of(tmp_path / "out", "cropped")
    assert [row.region for row in cropped] == [0, 1, 2, 2, 2, 3, 0]
    assert [row.used for row in cropped] == [0, 0, 2, 2, 2, 3, 0]
    # Otherwise they only stand in the table, and a case without reference is none the worse.
    RegionCascade(models, reference=reference).predict_folder(images, tmp_path / "other", quiet=True)
    assert [row.region for row in table_of(tmp_path / "other", "a")] == [0, 1, 2, 2, 2, 3, 0]
    assert {row.region for row in table_of(tmp_path / "other", "b")} == {None}
    assert {row.case for row in table_of(tmp_path / "other")} == {"a", "b", "cropped"}


def test_a_cine_is_predicted_frame_by_frame(tmp_path, trained, models, classifier):
    frames = np.random.default_rng(0).normal(100, 30, (3, 5, 32, 36)).astype(np.float32)
    frames[1, 0] = 0  # cut off in one frame only
    (tmp_path / "in").mkdir()
    affine = np.diag([1.5, 1.5, 10.0, 1.0])
    cine = nib.Nifti1Image(frames.T, affine)
    cine.header.set_zooms((1.5, 1.5, 10.0, 0.04))
    nib.save(cine, tmp_path / "in" / "heart_0000.nii.gz")
    for number, frame in enumerate(frames):
        nib.save(nib.Nifti1Image(frame.T, affine), tmp_path / "in" / f"single{number}_0000.nii.gz")
    RegionCascade(models, regions="ordered").predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    labels = nib.load(tmp_path / "out" / "heart.nii.gz")
    assert labels.shape == (36, 32, 5, 3)
    np.testing.assert_allclose(labels.header.get_zooms(), (1.5, 1.5, 10.0, 0.04), rtol=1e-6)
    rows = table_of(tmp_path / "out", "heart")
    assert [(row.frame, row.slice) for row in rows] == [(t, k) for t in range(3) for k in range(5)]
    for number in range(3):
        single = read(tmp_path / "out" / f"single{number}.nii.gz")
        np.testing.assert_array_equal(np.asarray(labels.dataobj)[..., number].T, single)
        own = [row[3:] for row in table_of(tmp_path / "out", f"single{number}")]
        assert own == [row[3:] for row in rows if row.frame == number]


@pytest.mark.parametrize(
    "regions", [[0] * 6, [2] * 6, [1, 1, 2, 2, 3, 3]], ids=["no heart", "one region", "no non-cardiac slice"]
)
def test_stacks_that_lack_regions(tmp_path, models, monkeypatch, regions):
    answer(monkeypatch, lambda stack: certain(*regions))
    write_case(tmp_path / "in", "a")
    RegionCascade(models, regions="ordered").predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    assert [row.predicted for row in table_of(tmp_path / "out", "a")] == regions
    assert read(tmp_path / "out" / "a.nii.gz").shape == (6, 40, 36)


def test_models_that_find_nothing_give_empty_labels(tmp_path, classifier):
    trained = write_tiny_cascade(tmp_path / "results")
    for name in SEGMENTING:
        path = trained[name] / "fold_0" / "checkpoint_final.pth"
        checkpoint = torch.load(path, weights_only=False)
        bias = checkpoint["network_weights"]["decoder.seg_layers.1.bias"]
        bias.copy_(torch.tensor([100.0, 0, 0, 0]))
        torch.save(checkpoint, path)
    write_case(tmp_path / "in", "a")
    RegionCascade(load_models(trained)).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    assert not read(tmp_path / "out" / "a.nii.gz").any()
    assert {row.used for row in table_of(tmp_path / "out")} == set(Region)


def test_an_empty_image_is_predicted(tmp_path, models, classifier):
    write_case(tmp_path / "in", "a", empty=range(6))
    RegionCascade(models, regions="blended").predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    assert len(table_of(tmp_path / "out", "a")) == 6


def test_broken_files_are_named_and_the_others_predicted(tmp_path, models, classifier):
    images = tmp_path / "in"
    for case in ("a", "d"):
        write_case(images, case)
    (images / "b_0000.nii.gz").write_bytes(b"no image")
    write_image(images, "c", (4, 32, 32), channels=2)
    with pytest.raises(WorkError) as failure:
        RegionCascade(models).predict_folder(images, tmp_path / "out", quiet=True)
    line = str(failure.value)
    assert line.startswith("2 of 4 cases not predicted: b: ")
    assert "in/c: expected the channels 0000, found 0000, 0001" in line
    assert "\n" not in line
    assert {row.case for row in table_of(tmp_path / "out")} == {"a", "d"}
    assert sorted(path.name for path in (tmp_path / "out" / "regions").iterdir()) == ["a.csv", "d.csv"]


def test_an_interrupted_run_goes_on_and_its_table_has_all_cases(tmp_path, models, classifier, monkeypatch):
    for case in ("a", "b", "c"):
        write_case(tmp_path / "in", case)
    real, calls = ensemble.predict_slices, []

    def interrupt(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    cascade = RegionCascade(models)
    with monkeypatch.context() as context:
        context.setattr(ensemble, "predict_slices", interrupt)
        with pytest.raises(KeyboardInterrupt):
            cascade.predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.suffix != ".json") == [
        "a.nii.gz",
        "regions",
    ]
    written = cascade.predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    assert [path.name for path in written] == ["b.nii.gz", "c.nii.gz"]
    assert [row.case for row in table_of(tmp_path / "out")] == ["a"] * 6 + ["b"] * 6 + ["c"] * 6


def test_parts_write_one_table_of_all(tmp_path, models, classifier):
    for case in ("a", "b", "c"):
        write_case(tmp_path / "in", case)
    for part in (0, 1):
        options = {"num_parts": 2, "part_id": part, "quiet": True}
        RegionCascade(models).predict_folder(tmp_path / "in", tmp_path / "out", **options)
    assert {row.case for row in table_of(tmp_path / "out")} == {"a", "b", "c"}


def test_tables_that_appear_meanwhile_are_not_lost(tmp_path, monkeypatch):
    row = RegionRow("a", 0, None, (0, 1, 0, 0), Region.BASE)
    write_region_table(tmp_path / "regions" / "a.csv", [row])
    real = write_region_table

    def slowly(path, rows):
        real(path, rows)
        if not (tmp_path / "regions" / "b.csv").exists():
            write_region_table(tmp_path / "regions" / "b.csv", [row._replace(case="b")])

    monkeypatch.setattr("inference_pipelines.region_cascade.write_region_table", slowly)
    join_region_tables(tmp_path)
    assert [row.case for row in table_of(tmp_path)] == ["a", "b"]


def test_the_record_says_how_the_predictions_came_about(tmp_path, trained, models, classifier):
    write_case(tmp_path / "in", "a")
    RegionCascade(models, regions="ordered").predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    record = json.loads((tmp_path / "out" / "predict_from_raw_data_args.json").read_text())
    assert record["pipeline"] == "region-cascade"
    assert record["regions"] == "ordered"
    assert record["model_folders"] == {name: str(trained[name]) for name in TRAINERS}
    assert record["folds"] == {name: [0] for name in TRAINERS}
    for name in ("plans.json", "dataset.json"):
        assert json.loads((tmp_path / "out" / name).read_text()) == json.loads((trained["baseline"] / name).read_text())
    with pytest.raises(UsageError, match="have regions ordered, wanted is predicted"):
        RegionCascade(models).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)


def test_what_a_way_needs_must_be_there(tmp_path, trained, models):
    with pytest.raises(UsageError, match=r"--regions: expected one of predicted, ordered, .*, got 'best'"):
        RegionCascade(models, regions="best")
    with pytest.raises(UsageError, match="--regions reference: expected the folder of reference labels, -ref"):
        RegionCascade(models, regions="reference")
    unordered = write_tiny_cascade(tmp_path, only=("classifier",))["classifier"]
    (unordered / "fold_0" / FILE_NAME).unlink()
    others = load_models(trained | {"classifier": unordered})
    with pytest.raises(UsageError, match=rf"--regions ordered: expected {FILE_NAME} in each fold of {unordered}"):
        RegionCascade(others, regions="ordered")
    assert RegionCascade(others).regions == "predicted"
