"""CroCNet over folders: nnU-Net's labels, stage 1 and boxes on request, resumed, frame by frame."""

import csv
import json

import nibabel as nib
import numpy as np
import pytest
import torch
from helpers.acdc_files import save_nifti
from helpers.nnunet_prediction import predict_with_nnunet, read
from helpers.tiny_crocnet import write_first_stage, write_tiny_crocnet
from helpers.tiny_model import write_image, write_tiny_model

from inference_pipelines.crocnet import CroCNetPipeline
from inference_pipelines.slice_predictor import SlicePredictor
from nnunet_cardiac_ext.discovery import enable_trainers
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.trainers.crocnet import CroCNetSingleTrainer


@pytest.fixture(autouse=True)
def _trainers_are_found():
    enable_trainers()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_crocnet(tmp_path_factory.mktemp("results"), mirror_axes=(1,))


def pipeline(model, *, predictor=None, **options):
    return CroCNetPipeline(SlicePredictor.from_model_folder(model, **(predictor or {})), **options)


def predict(model, folder, output, *, predictor=None, save_probabilities=False, **options):
    pipeline(model, predictor=predictor, **options).predict_folder(
        folder, output, quiet=True, save_probabilities=save_probabilities
    )


def table(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def assert_same(ours, reference, case="a"):
    labels, expected = read(ours / f"{case}.nii.gz"), read(reference / f"{case}.nii.gz")
    np.testing.assert_array_equal(labels, expected)
    assert len(np.unique(expected)) > 1, "an agreement on one label alone says nothing"
    with np.load(ours / f"{case}.npz") as mine, np.load(reference / f"{case}.npz") as theirs:
        np.testing.assert_allclose(mine["probabilities"], theirs["probabilities"], atol=2e-3)


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((3, 32, 32), (10.0, 1.5, 1.5)),  # one tile
        ((1, 28, 55), (10.0, 1.5, 1.5)),  # a single slice, smaller than a tile along one axis
        ((1, 50, 24), (10.0, 1.1, 1.9)),  # several tiles, resampled
    ],
)
def test_labels_are_those_of_nnunet(tmp_path, model, shape, spacing):
    write_image(tmp_path / "in", "a", shape, spacing=spacing)
    predict_with_nnunet(model, tmp_path / "in", tmp_path / "reference")
    for output, extra in (("plain", {}), ("all", {"save_stage1": True, "save_boxes": True})):
        predict(model, tmp_path / "in", tmp_path / output, save_probabilities=True, **extra)
        assert_same(tmp_path / output, tmp_path / "reference")


@pytest.mark.parametrize(
    ("kind", "predictor"),
    [
        ({"folds": (0, 1)}, {}),
        ({"channels": 2}, {"mirroring": False}),
        ({"trainer": CroCNetSingleTrainer}, {"batch_size": 8}),
    ],
    ids=["folds", "channels", "single"],
)
def test_labels_are_those_of_nnunet_for_other_models(tmp_path, kind, predictor):
    model = write_tiny_crocnet(tmp_path / "results", **kind)
    write_image(tmp_path / "in", "a", (1, 40, 30), channels=kind.get("channels", 1))
    mirroring = predictor.get("mirroring", True)
    folds = kind.get("folds", (0,))
    predict_with_nnunet(model, tmp_path / "in", tmp_path / "reference", folds=folds, use_mirroring=mirroring)
    predict(model, tmp_path / "in", tmp_path / "out", predictor=predictor, save_probabilities=True)
    assert_same(tmp_path / "out", tmp_path / "reference")


def test_stage1_is_what_nnunet_predicts_with_that_network_alone(tmp_path):
    folds = (0, 1)
    model = write_tiny_crocnet(tmp_path / "results", folds=folds, mirror_axes=(0,))
    first = write_first_stage(tmp_path / "first", model, folds=folds, mirror_axes=(0,))
    write_image(tmp_path / "in", "a", (2, 40, 30))
    predict_with_nnunet(first, tmp_path / "in", tmp_path / "reference", folds=folds)
    predict(model, tmp_path / "in", tmp_path / "out", save_probabilities=True, save_stage1=True)
    predict(model, tmp_path / "in", tmp_path / "unrefined", save_probabilities=True, refine=False)
    for ours in (tmp_path / "out/stage1", tmp_path / "unrefined"):
        assert_same(ours, tmp_path / "reference")
    assert (read(tmp_path / "out/a.nii.gz") != read(tmp_path / "unrefined/a.nii.gz")).any()


def test_boxes_are_those_that_the_network_crops_by(tmp_path, model):
    write_image(tmp_path / "in", "a", (4, 32, 32))
    options = {"save_boxes": True, "predictor": {"mirroring": False}}
    predict(model, tmp_path / "in", tmp_path / "out", **options)
    made = pipeline(model, **options)
    image = made.predictor.preprocess([tmp_path / "in/a_0000.nii.gz"]).image
    with torch.no_grad():
        boxes = made.model.networks[0].forward_stages(image.transpose(0, 1)).boxes
    rows = table(tmp_path / "out/boxes.csv")
    assert [row["slice"] for row in rows] == ["0", "1", "2", "3"]
    assert [[int(row[edge]) for edge in list(row)[3:]] for row in rows] == boxes.tolist()
    assert len({tuple(box) for box in boxes.tolist()}) > 1
    assert (tmp_path / "out/boxes/a.csv").read_text() == (tmp_path / "out/boxes.csv").read_text()


def test_outside_its_box_a_slice_has_no_label(tmp_path, model):
    write_image(tmp_path / "in", "a", (6, 32, 32))  # as large as a tile: not padded, where a heart could be too
    predict(model, tmp_path / "in", tmp_path / "out", save_boxes=True, predictor={"mirroring": False})
    labels = read(tmp_path / "out/a.nii.gz")
    assert labels.any()
    for row, of_slice in zip(table(tmp_path / "out/boxes.csv"), labels, strict=True):
        first_row, stop_row, first_column, stop_column = (int(row[edge]) for edge in list(row)[3:])
        of_slice[first_row:stop_row, first_column:stop_column] = 0
        assert not of_slice.any()


@pytest.mark.parametrize("extra", [{}, {"save_stage1": True, "save_boxes": True}, {"refine": False}])
def test_images_of_one_slice_share_passes_and_get_what_each_gets_alone(tmp_path, model, extra):
    cases = dict(zip("abcde", [(1, 32, 32), (1, 28, 55), (1, 40, 40), (1, 32, 32), (1, 20, 32)], strict=True))
    for case, shape in cases.items():
        write_image(tmp_path / "in", case, shape)
        write_image(tmp_path / f"in_{case}", case, shape)
        predict(model, tmp_path / f"in_{case}", tmp_path / f"out_{case}", **extra)
    made = pipeline(model, predictor={"mirroring": False, "batch_size": 8}, **extra)
    passes = []
    made.model.networks[0].stage1.register_forward_pre_hook(lambda _, inputs: passes.append(len(inputs[0])))
    made.predict_folder(tmp_path / "in", tmp_path / "shared", quiet=True)
    assert max(passes) > 1
    predict(model, tmp_path / "in", tmp_path / "out", **extra)
    for path in sorted(tmp_path.glob("out_*/**/*.nii.gz")):
        inside = path.relative_to(tmp_path).parts
        np.testing.assert_array_equal(read(tmp_path.joinpath("out", *inside[1:])), read(path))
    if "save_boxes" in extra:
        assert [row["case"] for row in table(tmp_path / "out/boxes.csv")] == list("abcde")


def test_a_cine_becomes_one_file_of_labels_of_each_stage(tmp_path, model):
    write_image(tmp_path / "single", "a", (2, 32, 32))
    stack = read(tmp_path / "single/a_0000.nii.gz")
    (tmp_path / "in").mkdir()
    save_nifti(tmp_path / "in/b_0000.nii.gz", np.stack([stack, stack[::-1]]), spacing=(10.0, 1.5, 1.5))
    extra = {"save_stage1": True, "save_boxes": True}
    predict(model, tmp_path / "in", tmp_path / "out", **extra)
    predict(model, tmp_path / "single", tmp_path / "expected", **extra)
    for name in ("b.nii.gz", "stage1/b.nii.gz"):
        labels = nib.load(tmp_path / "out" / name)
        frames = np.asarray(labels.dataobj).transpose(3, 2, 1, 0)
        expected = read(tmp_path / "expected" / name.replace("b.", "a."))
        np.testing.assert_array_equal(frames[0], expected)
        np.testing.assert_array_equal(frames[1], expected[::-1])
        assert labels.header.get_zooms()[:3] == (1.5, 1.5, 10.0)
    rows = table(tmp_path / "out/boxes.csv")
    assert [(row["case"], row["frame"], row["slice"]) for row in rows] == [
        ("b", "0", "0"), ("b", "0", "1"), ("b", "1", "0"), ("b", "1", "1"),
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "out/stage1").iterdir()) == ["b.nii.gz"]


def test_a_second_run_predicts_only_what_is_missing(tmp_path, model):
    for case in ("a", "b"):
        write_image(tmp_path / "in", case, (1, 32, 32), seed=ord(case))
    made = pipeline(model, save_stage1=True, save_boxes=True)
    assert len(made.predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)) == 2
    assert made.predict_folder(tmp_path / "in", tmp_path / "out", quiet=True) == []
    for missing in ("a.nii.gz", "stage1/a.nii.gz", "boxes/a.csv"):
        before = (tmp_path / "out" / missing).read_bytes()
        (tmp_path / "out" / missing).unlink()
        written = made.predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
        assert [path.name for path in written] == ["a.nii.gz"]
        assert (tmp_path / "out" / missing).read_bytes() == before
    assert [row["case"] for row in table(tmp_path / "out/boxes.csv")] == ["a", "b"]


def test_stages_are_not_mixed_in_a_folder(tmp_path, model):
    write_image(tmp_path / "in", "a", (1, 32, 32))
    predict(model, tmp_path / "in", tmp_path / "out")
    record = json.loads((tmp_path / "out/predict_from_raw_data_args.json").read_text())
    assert (record["pipeline"], record["stages"]) == ("crocnet", "both")
    with pytest.raises(UsageError, match=r"the folder's predictions have stages both, wanted is first"):
        predict(model, tmp_path / "in", tmp_path / "out", refine=False)


def test_a_broken_case_is_named_and_leaves_nothing_behind(tmp_path, model):
    write_image(tmp_path / "in", "a", (1, 32, 32))
    (tmp_path / "in/b_0000.nii.gz").write_bytes(b"no image")
    with pytest.raises(WorkError, match="1 of 2 cases not predicted: b: "):
        predict(model, tmp_path / "in", tmp_path / "out", save_stage1=True, save_boxes=True)
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.nii.gz")) == ["a.nii.gz", "a.nii.gz"]
    assert [row["case"] for row in table(tmp_path / "out/boxes.csv")] == ["a"]


def test_wrong_use_is_refused(tmp_path, model):
    with pytest.raises(UsageError, match=r"--save_stage1: the result is stage 1's own with --no-refine"):
        pipeline(model, refine=False, save_stage1=True)
    other = write_tiny_model(tmp_path / "results")
    with pytest.raises(UsageError, match=r"expected a model of CroCNet, got PlainConvUNet; predict slices takes it"):
        pipeline(other)
