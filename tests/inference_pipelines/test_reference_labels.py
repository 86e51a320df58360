"""Regions of reference labels, stack by stack; the expected regions follow from regions.py's rule by hand."""

import numpy as np
import pytest
from helpers.acdc_files import save_nifti
from helpers.tiny_model import REGIONS, write_tiny_model

from inference_pipelines.cine_input import Stack
from inference_pipelines.input_cases import InputCase
from inference_pipelines.reference_labels import ReferenceLabels
from inference_pipelines.slice_predictor import SlicePredictor
from nnunet_cardiac_ext.errors import UsageError, WorkError


def labels(*sizes):
    """An LV of these sizes slice by slice; 0 leaves a slice empty."""
    stack = np.zeros((len(sizes), 24, 20), dtype=np.uint8)
    for number, size in enumerate(sizes):
        stack[number, 5 : 5 + size, 4 : 4 + size] = 3
    return stack


HEART = labels(0, 12, 11, 9, 8, 6, 0)
HEART_REGIONS = [0, 1, 2, 2, 2, 3, 0]


def stack_of(case, frame=None, frames=1):
    return Stack(InputCase(case, ()), frame, frames)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return SlicePredictor.from_model_folder(write_tiny_model(tmp_path_factory.mktemp("model"))).model


def test_regions_of_a_stack_in_both_directions(tmp_path, model):
    save_nifti(tmp_path / "a.nii.gz", HEART)
    save_nifti(tmp_path / "b.nii.gz", HEART[::-1])
    reference = ReferenceLabels(tmp_path, model, required=True)
    assert reference.regions(stack_of("a"), 7).tolist() == HEART_REGIONS
    assert reference.regions(stack_of("b"), 7).tolist() == HEART_REGIONS[::-1]


def test_frames_without_labels_are_non_cardiac(tmp_path, model):
    save_nifti(tmp_path / "a.nii.gz", np.stack([HEART, 0 * HEART, HEART[::-1]]))
    reference = ReferenceLabels(tmp_path, model, required=True)
    found = [reference.regions(stack_of("a", frame, 3), 7).tolist() for frame in range(3)]
    assert found == [HEART_REGIONS, [0] * 7, HEART_REGIONS[::-1]]


def test_a_case_without_reference_is_a_failure_only_where_it_is_needed(tmp_path, model):
    assert ReferenceLabels(tmp_path, model, required=False).regions(stack_of("a"), 7) is None
    with pytest.raises(WorkError, match=r"a\.nii\.gz: expected the reference labels of this case, found none"):
        ReferenceLabels(tmp_path, model, required=True).regions(stack_of("a"), 7)


@pytest.mark.parametrize(
    ("array", "stack", "message"),
    [
        (HEART[:5], stack_of("a"), "expected 7 slices as in its image, got 5"),
        (np.stack([HEART, HEART]), stack_of("a"), "expected 3-D labels as the image is"),
        (HEART, stack_of("a", 0, 3), "expected a 4-D file"),
        (np.stack([HEART, HEART]), stack_of("a", 0, 3), "expected 3 frames as in its image, got 2"),
        (None, stack_of("a"), "cannot be read as labels"),
    ],
)
def test_labels_that_do_not_fit_the_image_are_one_line(tmp_path, model, array, stack, message):
    if array is None:
        (tmp_path / "a.nii.gz").write_bytes(b"no image")
    else:
        save_nifti(tmp_path / "a.nii.gz", array)
    with pytest.raises(WorkError, match=rf"a\.nii\.gz: {message}") as failure:
        ReferenceLabels(tmp_path, model, required=True).regions(stack, 7)
    assert "\n" not in str(failure.value)


def test_slices_that_nobody_annotated_are_unknown(tmp_path):
    folder = write_tiny_model(tmp_path / "model", labels={"background": 0, "RV": 1, "MYO": 2, "LV": 3, "ignore": 4})
    model = SlicePredictor.from_model_folder(folder).model
    partly = HEART.copy()
    partly[[0, 3], :3] = 4
    save_nifti(tmp_path / "a.nii.gz", partly)
    found = ReferenceLabels(tmp_path, model, required=True).regions(stack_of("a"), 7)
    assert found.tolist() == [-1, 1, 2, 2, 2, 3, 0]


def test_what_the_folder_and_the_labels_must_be(tmp_path, model):
    with pytest.raises(UsageError, match=r"-ref .*none: no such folder of labels"):
        ReferenceLabels(tmp_path / "none", model, required=False)
    other = SlicePredictor.from_model_folder(write_tiny_model(tmp_path / "model", labels=REGIONS)).model
    with pytest.raises(UsageError, match="to tell the base from the apex"):
        ReferenceLabels(tmp_path, other, required=False)
