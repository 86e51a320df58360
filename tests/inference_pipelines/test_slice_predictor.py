import json

import numpy as np
import pytest
import SimpleITK
import torch
from helpers.nnunet_prediction import nnunet_predictor, predict_with_nnunet, read
from helpers.tiny_model import REGIONS, write_image, write_tiny_model

from inference_pipelines import ensemble, slice_predictor
from inference_pipelines.slice_predictor import SlicePredictor
from nnunet_cardiac_ext.errors import UsageError, WorkError


def assert_same(ours, reference, cases=("a",)):
    for case in cases:
        labels, expected = read(ours / f"{case}.nii.gz"), read(reference / f"{case}.nii.gz")
        np.testing.assert_array_equal(labels, expected)
        assert len(np.unique(expected)) > 1, "an agreement on one label alone says nothing"
        with np.load(ours / f"{case}.npz") as mine, np.load(reference / f"{case}.npz") as theirs:
            np.testing.assert_allclose(mine["probabilities"], theirs["probabilities"], atol=1e-6)


@pytest.fixture
def model(tmp_path):
    return write_tiny_model(tmp_path / "results")


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [
        ((3, 32, 32), (10.0, 1.5, 1.5)),  # one tile
        ((2, 21, 17), (10.0, 1.5, 1.5)),  # smaller than a tile, odd
        ((1, 20, 90), (10.0, 1.5, 1.5)),  # smaller along one axis, several tiles along the other
        ((4, 71, 53), (8.0, 1.5, 1.5)),  # several tiles, odd
        ((3, 50, 41), (10.0, 1.1, 1.9)),  # resampled, slices by themselves
        ((6, 40, 44), (2.0, 1.2, 1.2)),  # resampled in three dimensions: nearly isotropic
    ],
)
def test_agrees_with_nnunet_for_any_size_and_spacing(tmp_path, model, shape, spacing):
    write_image(tmp_path / "in", "a", shape, spacing=spacing)
    predict_with_nnunet(model, tmp_path / "in", tmp_path / "reference")
    SlicePredictor.from_model_folder(model).predict_folder(
        tmp_path / "in", tmp_path / "out", save_probabilities=True, quiet=True
    )
    assert_same(tmp_path / "out", tmp_path / "reference")


@pytest.mark.parametrize("options", [{"mirroring": False}, {"tile_step_size": 0.9}, {"batch_size": 1}])
def test_agrees_with_nnunet_for_any_option(tmp_path, model, options):
    write_image(tmp_path / "in", "a", (3, 60, 45))
    theirs = {"mirroring": "use_mirroring", "tile_step_size": "tile_step_size"}
    arguments = {theirs[name]: value for name, value in options.items() if name in theirs}
    predict_with_nnunet(model, tmp_path / "in", tmp_path / "reference", **arguments)
    SlicePredictor.from_model_folder(model, **options).predict_folder(
        tmp_path / "in", tmp_path / "out", save_probabilities=True, quiet=True
    )
    assert_same(tmp_path / "out", tmp_path / "reference")


@pytest.mark.parametrize(
    "kind",
    [
        {"folds": (0, 1, 2)},
        {"mirror_axes": (1,)},
        {"mirror_axes": ()},
        {"channels": 2},
        {"labels": REGIONS},
        {"labels": {"background": 0, "RV": 1, "MYO": 2, "LV": 3, "ignore": 4}},
        {"patch_size": (48, 32)},
    ],
    ids=lambda kind: next(iter(kind)) + str(len(next(iter(kind.values())))) if not kind.get("channels") else "channels",
)
def test_agrees_with_nnunet_for_any_model(tmp_path, kind):
    model = write_tiny_model(tmp_path / "results", **kind)
    for seed, case in enumerate(("a", "b", "c")):
        write_image(tmp_path / "in", case, (2 + seed, 45, 52), channels=kind.get("channels", 1), seed=seed)
    predict_with_nnunet(model, tmp_path / "in", tmp_path / "reference", folds=kind.get("folds", (0,)))
    SlicePredictor.from_model_folder(model).predict_folder(
        tmp_path / "in", tmp_path / "out", save_probabilities=True, quiet=True
    )
    assert_same(tmp_path / "out", tmp_path / "reference", ("a", "b", "c"))


def test_agrees_with_nnunet_for_an_array(tmp_path, model):
    image = np.random.default_rng(1).normal(size=(1, 3, 40, 50)).astype(np.float32)
    expected = nnunet_predictor(model).predict_single_npy_array(image, {"spacing": [10.0, 1.5, 1.5]})
    write_image(tmp_path / "in", "a", (3, 40, 50))
    stack = SimpleITK.GetImageFromArray(image[0])
    stack.SetSpacing([1.5, 1.5, 10.0])
    SimpleITK.WriteImage(stack, str(tmp_path / "in" / "a_0000.nii.gz"))
    predictor = SlicePredictor.from_model_folder(model)
    case = predictor.preprocess([tmp_path / "in" / "a_0000.nii.gz"])
    np.testing.assert_array_equal(predictor.to_labels(predictor.predict_logits(case.image), case), expected)


def test_output_keeps_the_geometry_of_the_image(tmp_path, model):
    write_image(tmp_path / "in", "a", (3, 40, 50), spacing=(9.0, 1.3, 1.4))
    SlicePredictor.from_model_folder(model).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    written = SimpleITK.ReadImage(str(tmp_path / "out" / "a.nii.gz"))
    assert written.GetSize() == (50, 40, 3)
    np.testing.assert_allclose(written.GetSpacing(), (1.4, 1.3, 9.0), rtol=1e-6)
    np.testing.assert_allclose(written.GetOrigin(), (3.0, -2.0, 7.0), rtol=1e-6)


def test_chosen_slices_equal_the_same_slices_of_the_whole_stack(model):
    predictor = SlicePredictor.from_model_folder(model)
    image = torch.randn(1, 6, 40, 50, generator=torch.Generator().manual_seed(0))
    whole = predictor.predict_logits(image)
    torch.testing.assert_close(predictor.predict_logits(image, [4, 0, 5]), whole[:, [4, 0, 5]], rtol=0, atol=0)
    assert predictor.predict_logits(image, []).shape == (4, 0, 40, 50)


@pytest.mark.parametrize("batch", [1, 2, 3, 5, 8, 64])
def test_batch_size_does_not_change_labels(model, batch):
    image = torch.randn(1, 5, 70, 45, generator=torch.Generator().manual_seed(0))
    one = SlicePredictor.from_model_folder(model, batch_size=1).predict_logits(image)
    many = SlicePredictor.from_model_folder(model, batch_size=batch).predict_logits(image)
    torch.testing.assert_close(many.float(), one.float(), rtol=2e-3, atol=2e-3)
    assert (many.argmax(0) == one.argmax(0)).float().mean() >= 0.999


def test_nan_is_a_failure_of_its_case(model):
    with pytest.raises(WorkError, match="NaN"):
        SlicePredictor.from_model_folder(model).predict_logits(torch.full((1, 2, 32, 32), float("nan")))


def test_a_stack_too_large_for_the_device_is_a_failure_of_its_case(tmp_path, model, monkeypatch):
    for case, slices in (("a", 2), ("b", 3)):
        write_image(tmp_path / "in", case, (slices, 32, 32))
    real = ensemble.predict_slices

    def fill(network, stacks, window, *, classes):
        if any(stack.shape[1] == 3 for stack in stacks):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(network, stacks, window, classes=classes)

    monkeypatch.setattr(ensemble, "predict_slices", fill)
    with pytest.raises(WorkError, match="1 of 2 cases not predicted: b: the stack does not fit"):
        SlicePredictor.from_model_folder(model).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    assert (tmp_path / "out" / "a.nii.gz").is_file()


@pytest.mark.parametrize("batch", [1, 3, 4, 8])
def test_no_more_than_a_batch_is_in_the_network_at_once(model, batch):
    predictor = SlicePredictor.from_model_folder(model, batch_size=batch)
    sizes = []
    predictor.model.networks[0].register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    predictor.predict_logits(torch.zeros(1, 5, 40, 32))
    assert max(sizes) <= batch
    assert sum(sizes) == 5 * 2 * 4  # slices, tiles, mirrored copies


def test_network_that_runs_out_of_memory_gets_smaller_batches(model):
    predictor = SlicePredictor.from_model_folder(model, batch_size=8)
    image = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = predictor.predict_logits(image)

    def refuse(_, inputs):
        if len(inputs[0]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    predictor.model.networks[0].register_forward_pre_hook(refuse)
    torch.testing.assert_close(predictor.predict_logits(image).float(), expected.float(), rtol=2e-3, atol=2e-3)


def test_number_of_threads_changes_nothing(model):
    predictor = SlicePredictor.from_model_folder(model)
    image = torch.randn(1, 5, 60, 45, generator=torch.Generator().manual_seed(0))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        expected = predictor.predict_logits(image)
        torch.set_num_threads(3)
        torch.testing.assert_close(predictor.predict_logits(image), expected, rtol=0, atol=0)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_finished_cases_are_left_alone_unless_asked(tmp_path, model):
    for case in ("a", "b"):
        write_image(tmp_path / "in", case, (2, 32, 32))
    predictor = SlicePredictor.from_model_folder(model)
    out = tmp_path / "out"
    assert len(predictor.predict_folder(tmp_path / "in", out, quiet=True)) == 2
    (out / "a.nii.gz").write_bytes(b"mine")
    (out / "b.nii.gz").unlink()
    assert predictor.predict_folder(tmp_path / "in", out, quiet=True) == [out / "b.nii.gz"]
    assert (out / "a.nii.gz").read_bytes() == b"mine"
    assert len(predictor.predict_folder(tmp_path / "in", out, quiet=True, save_probabilities=True)) == 2
    assert len(predictor.predict_folder(tmp_path / "in", out, quiet=True, overwrite=True)) == 2


def test_parts_share_the_cases_as_nnunet_does(tmp_path, model):
    for case in "abcde":
        write_image(tmp_path / "in", case, (1, 32, 32))
    predictor = SlicePredictor.from_model_folder(model)
    parts = [
        predictor.predict_folder(tmp_path / "in", tmp_path / "out", quiet=True, num_parts=2, part_id=part)
        for part in (0, 1)
    ]
    assert [[path.name[0] for path in part] for part in parts] == [["a", "c", "e"], ["b", "d"]]


def test_failing_export_leaves_nothing_and_the_others_are_written(tmp_path, model, monkeypatch):
    for case in ("a", "b", "c"):
        write_image(tmp_path / "in", case, (2, 32, 32))
    real = slice_predictor.export_prediction_from_logits

    def fail_late(*arguments):
        real(*arguments)
        if arguments[5].endswith("b"):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(slice_predictor, "export_prediction_from_logits", fail_late)
    with pytest.raises(WorkError, match=r"1 of 3 cases.*out/b: cannot be written.*No space left"):
        SlicePredictor.from_model_folder(model).predict_folder(
            tmp_path / "in", tmp_path / "out", save_probabilities=True, quiet=True
        )
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {name for name in names if not name.endswith(".json")} == {
        f"{case}{ending}" for case in "ac" for ending in (".nii.gz", ".npz", ".pkl")
    }


def test_broken_images_are_named_and_the_others_predicted(tmp_path, model):
    images = tmp_path / "in"
    for case in ("a", "d"):
        write_image(images, case, (2, 32, 32))
    (images / "b_0000.nii.gz").write_bytes(b"no image")
    write_image(images, "c", (2, 32, 32), channels=2)
    with pytest.raises(WorkError) as failure:
        SlicePredictor.from_model_folder(model).predict_folder(images, tmp_path / "out", quiet=True)
    line = str(failure.value)
    assert line.startswith("2 of 4 cases not predicted")
    assert "b_0000.nii.gz: cannot be read" in line
    assert "in/c: expected the channels 0000, found 0000, 0001" in line
    assert sorted(path.name for path in (tmp_path / "out").glob("*.nii.gz")) == ["a.nii.gz", "d.nii.gz"]


def test_model_and_arguments_are_recorded_beside_the_predictions(tmp_path, model):
    write_image(tmp_path / "in", "a", (1, 32, 32))
    SlicePredictor.from_model_folder(model).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    for name in ("plans.json", "dataset.json"):
        assert json.loads((tmp_path / "out" / name).read_text()) == json.loads((model / name).read_text())
    arguments = json.loads((tmp_path / "out" / "predict_from_raw_data_args.json").read_text())
    assert arguments["folds"] == [0]
    assert arguments["list_of_lists_or_source_folder"] == str(tmp_path / "in")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tile_step_size": 0.0}, "step size: expected above 0"),
        ({"batch_size": 0}, "batch: expected at least 1"),
        ({"device": "cuda"}, "-device: expected one of cpu"),
        ({"folds": [3]}, "expected fold_3/checkpoint_final.pth, found 0"),
        ({"checkpoint": "checkpoint_best.pth"}, "found no fold"),
    ],
)
def test_wrong_options_are_refused(model, options, message):
    if options.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has the device")
    with pytest.raises(UsageError, match=message):
        SlicePredictor.from_model_folder(model, **options)


def test_3d_configuration_is_refused_by_its_name(tmp_path):
    with pytest.raises(UsageError, match="got 3d_fullres, which is 3D"):
        SlicePredictor.from_model_folder(write_tiny_model(tmp_path, three_d=True))


def test_broken_checkpoint_is_one_line(model):
    (model / "fold_0" / "checkpoint_final.pth").write_bytes(b"torn")
    with pytest.raises(UsageError, match="the model cannot be loaded") as failure:
        SlicePredictor.from_model_folder(model)
    assert "\n" not in str(failure.value)


def test_our_trainers_are_found(tmp_path):
    model = write_tiny_model(tmp_path)
    path = model / "fold_0" / "checkpoint_final.pth"
    torch.save(torch.load(path, weights_only=False) | {"trainer_name": "RegionSamplingTrainer"}, path)
    assert SlicePredictor.from_model_folder(model).model.folds == (0,)
