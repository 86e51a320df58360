"""The classifier-guided pipeline against nnU-Net's own predictor, and what it does beyond."""

import csv

import nibabel as nib
import numpy as np
import pytest
import torch
from helpers.acdc_files import save_nifti
from helpers.nnunet_prediction import nnunet_predictor, predict_with_nnunet, read
from helpers.tiny_model import write_image, write_tiny_model
from helpers.tiny_stacks import SHOWN, write_stack_model

from inference_pipelines.classifier_guided import ClassifierGuidedPredictor
from nnunet_cardiac_ext.anatomy import CINE
from nnunet_cardiac_ext.architectures.classifier_guided import without_absent
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.trainers.classifier_guided import AllSliceFusionTrainer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_stack_model(tmp_path_factory.mktemp("results"), folds=(0, 1))


def load(model, **options):
    return ClassifierGuidedPredictor.from_model_folder(model, **options)


@pytest.mark.parametrize("options", [{"folds": [0], "mirroring": False}, {"folds": [0, 1], "mirroring": True}])
def test_gives_what_nnunet_gives_where_the_stack_fits_into_the_patch(model, tmp_path, options):
    write_image(tmp_path / "in", "same", (8, 30, 32))
    write_image(tmp_path / "in", "short", (3, 36, 31), spacing=(9.0, 1.3, 1.6), seed=1)
    load(model, **options).predict_folder(tmp_path / "in", tmp_path / "ours")
    predict_with_nnunet(
        model, tmp_path / "in", tmp_path / "theirs", folds=tuple(options["folds"]), use_mirroring=options["mirroring"]
    )  # fmt: skip
    for case in ("same", "short"):
        ours, theirs = (read(tmp_path / folder / f"{case}.nii.gz") for folder in ("ours", "theirs"))
        assert (ours != theirs).mean() < 2e-3
        assert len(np.unique(ours)) > 1
        assert 2 not in ours


def test_tiles_of_the_plane_are_nnunets(model, tmp_path):
    predictor = load(model, folds=[0], mirroring=True, tile_step_size=0.5)
    image = torch.randn(1, 8, 50, 41, generator=torch.Generator().manual_seed(0))
    logits, _ = predictor.predict(image[None])[0]
    slow = nnunet_predictor(model, (0,), use_mirroring=True, tile_step_size=0.5)
    expected = slow.predict_logits_from_preprocessed_data(image).float()
    # The hidden structure lies below the lowest of each tile there, of the mean of the tiles here. At the border the
    # weights are so small that nnU-Net's half precision has few digits left.
    ours, theirs = (each[[0, 1, 3], :, 3:-3, 3:-3] for each in (logits, expected))
    torch.testing.assert_close(ours, theirs, rtol=0.03, atol=0.01 * float(theirs.abs().max()))
    assert torch.equal(logits.argmax(dim=0) == 2, torch.zeros(8, 50, 41, dtype=torch.bool))


def test_stacks_longer_than_the_patch_go_through_in_one_piece(model):
    predictor = load(model, folds=[0], mirroring=False)
    image = torch.randn(1, 19, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = predictor.model.networks[0](image[None])[0]
    torch.testing.assert_close(predictor.predict(image[None])[0][0], expected, rtol=1e-4, atol=1e-4)


def test_presence_is_the_mean_over_folds_and_decides_then(tmp_path):
    # Logits -1 and +3: the mean of the probabilities is above one half, of the first fold alone it is not.
    folders = [
        write_stack_model(tmp_path / str(k), presence=(value, SHOWN, SHOWN)) for k, value in enumerate((-1.0, 3.0))
    ]
    (folders[1] / "fold_0").rename(folders[0] / "fold_1")
    image = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    for folds, expected in (([0], 0.2689414), ([0, 1], (0.2689414 + 0.9525741) / 2)):
        predictor = load(folders[0], folds=folds)
        logits, presence = predictor.predict(image[None])[0]
        np.testing.assert_allclose(presence[:, 0], expected, rtol=1e-5)
        absent = torch.from_numpy(presence <= 0.5)
        assert bool(absent[0, 0]) == (folds == [0])
        assert torch.equal(logits.transpose(0, 1), without_absent(logits.transpose(0, 1), ~absent)) != bool(
            absent.any()
        )
        assert (logits.argmax(dim=0) == 1).any() != bool(absent[0, 0])


def test_the_threshold_decides_what_is_taken_away(tmp_path):
    # Probabilities 0.27, 0.95 and 0.5.
    folder = write_stack_model(tmp_path / "models", presence=(-1.0, 3.0, 0.0))
    write_image(tmp_path / "in", "a", (3, 32, 32))
    for threshold, shown in ((0.0, "RV MYO LV"), (0.2, "RV MYO LV"), (0.3, "MYO LV"), (0.5, "MYO"), (0.96, "")):
        predictor, out = load(folder, presence_threshold=threshold), tmp_path / f"{threshold}"
        predictor.predict_folder(tmp_path / "in", out, quiet=True)
        rows = _rows(out / "presence.csv")
        assert {row["structure"] for row in rows if row["shown"] == "yes"} == set(shown.split())
        drawn = {name for name, value in CINE.values.items() if value and value in read(out / "a.nii.gz")}
        assert drawn <= set(shown.split())
        assert ("RV" in drawn) == ("RV" in shown)
    with pytest.raises(UsageError, match=r"have presence_threshold 0\.3, wanted is 0\.5"):
        load(folder).predict_folder(tmp_path / "in", tmp_path / "0.3", quiet=True)
    for wrong in (-0.1, 1.0):
        with pytest.raises(UsageError, match="presence threshold: expected at least 0 and below 1"):
            load(folder, presence_threshold=wrong)


def test_a_cine_is_predicted_frame_by_frame_with_a_table_of_its_slices(model, tmp_path):
    write_image(tmp_path / "in", "a", (5, 32, 30))
    stack = read(tmp_path / "in/a_0000.nii.gz")
    save_nifti(tmp_path / "in/b_0000.nii.gz", np.stack([stack, stack[::-1]]), spacing=(10.0, 1.5, 1.5))
    load(model, folds=[0]).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    frames = np.asarray(nib.load(tmp_path / "out/b.nii.gz").dataobj).T
    single = read(tmp_path / "out/a.nii.gz")
    np.testing.assert_array_equal(frames[0], single)
    # The order of the slices has no say.
    assert (frames[1] != single[::-1]).mean() < 2e-3
    rows = _rows(tmp_path / "out/presence.csv")
    assert [row["case"] for row in rows] == ["a"] * 15 + ["b"] * 30
    of_b = [row for row in rows if row["case"] == "b"]
    assert [(row["frame"], row["slice"], row["structure"]) for row in of_b[13:17]] == [
        ("0", "4", "MYO"), ("0", "4", "LV"), ("1", "0", "RV"), ("1", "0", "MYO"),
    ]  # fmt: skip
    assert {(row["structure"], row["shown"]) for row in rows} == {("RV", "yes"), ("MYO", "no"), ("LV", "yes")}
    assert float(rows[1]["probability"]) == pytest.approx(1 / (1 + np.exp(6)), rel=1e-4)


@pytest.mark.parametrize("mirroring", [False, True])
def test_frames_that_go_through_together_give_what_each_gives_alone(model, tmp_path, monkeypatch, mirroring):
    write_image(tmp_path / "in", "a", (4, 32, 30))
    stack = read(tmp_path / "in/a_0000.nii.gz")
    cropped = stack.copy()
    cropped[:, :5] = 0  # nnU-Net cuts it off, so that this frame has another size
    frames = np.stack([stack, stack[::-1], stack + 1, cropped, stack * 2])
    save_nifti(tmp_path / "in/a_0000.nii.gz", frames, spacing=(10.0, 1.5, 1.5))
    seen, predict = [], ClassifierGuidedPredictor.predict
    monkeypatch.setattr(
        ClassifierGuidedPredictor, "predict", lambda self, images: (seen.append(len(images)), predict(self, images))[1]
    )
    for name, batch in (("one", 1), ("many", 12)):
        predictor = load(model, folds=[0], mirroring=mirroring, batch_size=batch)
        predictor.predict_folder(tmp_path / "in", tmp_path / name, quiet=True)
    # Alone; then in threes (four mirrored copies each) or all five, of which one is of another size.
    assert seen == [1] * 5 + ([3, 1, 1] if mirroring else [1] * 5)
    one, many = (np.asarray(nib.load(tmp_path / name / "a.nii.gz").dataobj) for name in ("one", "many"))
    assert (one != many).mean() < 1e-3
    assert _rows(tmp_path / "one/presence.csv") == _rows(tmp_path / "many/presence.csv")


def test_empty_slices_that_nnunet_cuts_off_hold_nothing(model, tmp_path):
    write_image(tmp_path / "in", "a", (6, 32, 32))
    array = read(tmp_path / "in/a_0000.nii.gz")
    array[[0, 1, 5]] = 0
    save_nifti(tmp_path / "in/a_0000.nii.gz", array, spacing=(10.0, 1.5, 1.5))
    load(model, folds=[0]).predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    rows = _rows(tmp_path / "out/presence.csv")
    shown = {int(row["slice"]) for row in rows if row["structure"] == "RV" and row["shown"] == "yes"}
    assert shown == {2, 3, 4}
    assert {row["probability"] for row in rows if int(row["slice"]) in (0, 1, 5)} == {"0"}
    assert not read(tmp_path / "out/a.nii.gz")[[0, 1, 5]].any()


def test_an_interrupted_run_goes_on_and_a_missing_table_is_made_again(model, tmp_path):
    for number, name in enumerate("ab"):
        write_image(tmp_path / "in", name, (2, 32, 32), seed=number)
    (tmp_path / "in/c_0000.nii.gz").write_bytes(b"no image")
    predictor = load(model, folds=[0], mirroring=False)
    with pytest.raises(WorkError, match="1 of 3 cases not predicted"):
        predictor.predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    assert {row["case"] for row in _rows(tmp_path / "out/presence.csv")} == {"a", "b"}
    (tmp_path / "in/c_0000.nii.gz").unlink()
    (tmp_path / "out/presence/b.csv").unlink()
    written = predictor.predict_folder(tmp_path / "in", tmp_path / "out", quiet=True)
    assert [path.name for path in written] == ["b.nii.gz"]
    assert {row["case"] for row in _rows(tmp_path / "out/presence.csv")} == {"a", "b"}


def test_models_of_another_kind_are_refused(tmp_path):
    plain = write_stack_model(tmp_path / "one", trainer=AllSliceFusionTrainer)
    with pytest.raises(UsageError, match=r"expected a model of ClassifierGuidedTrainer with its classifier"):
        load(plain)
    flat = write_tiny_model(tmp_path / "two")
    with pytest.raises(UsageError, match=r"expected a configuration of whole stacks .* got 2d"):
        load(flat)
    volume = write_tiny_model(tmp_path / "three", three_d=True)
    with pytest.raises(UsageError, match=r"expected a configuration of whole stacks .* got 3d_fullres"):
        load(volume)


def _rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
