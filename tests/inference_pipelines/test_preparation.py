"""Cases are what nnU-Net's own preprocessing makes of them."""

import numpy as np
import pytest
import torch
from helpers.acdc_files import save_nifti
from helpers.tiny_model import write_image, write_tiny_model

from inference_pipelines.model_folder import load_model
from inference_pipelines.preparation import prepare_case, without_image
from nnunet_cardiac_ext.errors import WorkError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = write_tiny_model(tmp_path_factory.mktemp("results"))
    return load_model(folder, folds=None, checkpoint="checkpoint_final.pth", device=torch.device("cpu"))


def test_a_case_is_nnunets(tmp_path, model):
    write_image(tmp_path, "a", (3, 41, 50), spacing=(10.0, 1.1, 1.9))
    files = [tmp_path / "a_0000.nii.gz"]
    case = prepare_case(model, files)
    configuration = model.configuration
    expected, _, properties = configuration.preprocessor_class(verbose=False).run_case(
        [str(path) for path in files], None, model.plans, configuration, model.dataset_json
    )
    np.testing.assert_array_equal(case.image.numpy(), expected)
    assert case.image.shape[1:] != (3, 41, 50)
    for name in ("shape_before_cropping", "bbox_used_for_cropping", "spacing"):
        np.testing.assert_array_equal(case.properties[name], properties[name])
    assert without_image(case).image.numel() == 0
    assert without_image(case).properties is case.properties


def test_files_that_do_not_fit_are_named(tmp_path, model):
    (tmp_path / "a_0000.nii.gz").write_bytes(b"no image")
    with pytest.raises(WorkError, match=r"a_0000\.nii\.gz: cannot be read or preprocessed"):
        prepare_case(model, [tmp_path / "a_0000.nii.gz"])
    write_image(tmp_path, "b", (3, 32, 32), channels=2)
    with pytest.raises(WorkError, match="expected 1 channels, got 2 files"):
        prepare_case(model, [tmp_path / f"b_000{channel}.nii.gz" for channel in range(2)])
    save_nifti(tmp_path / "c_0000.nii.gz", np.ones((5, 3, 32, 32), np.int16))
    with pytest.raises(WorkError, match=r"c_0000\.nii\.gz: expected a 3-D file, got a 4-D one of 5 frames"):
        prepare_case(model, [tmp_path / "c_0000.nii.gz"])
