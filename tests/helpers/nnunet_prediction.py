"""nnU-Net's own predictor, the reference of our pipelines."""

import contextlib
import io

import SimpleITK
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor


def nnunet_predictor(model, folds=(0,), **arguments):
    with contextlib.redirect_stdout(io.StringIO()):
        predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False, **arguments)
        predictor.initialize_from_trained_model_folder(str(model), folds, "checkpoint_final.pth")
    return predictor


def predict_with_nnunet(model, images, output, *, folds=(0,), **arguments):
    output.mkdir()
    predictor = nnunet_predictor(model, folds, **arguments)
    channels = predictor.dataset_json["channel_names"]
    cases = sorted({path.name.rsplit("_", 1)[0] for path in images.iterdir()})
    files = [[str(images / f"{case}_{int(channel):04d}.nii.gz") for channel in channels] for case in cases]
    predictor.predict_from_files_sequential(files, [str(output / case) for case in cases], save_probabilities=True)


def read(path):
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
