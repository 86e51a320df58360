import json

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from helpers.label_stacks import heart, write_volume

from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.evaluation.inputs import find_labels, pair_cases, read_labels, read_volume

LABELS = {"RV": 1, "MYO": 2, "LV": 3}


def touch(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_cases_are_matched_by_name_without_ending(tmp_path):
    reference = touch(tmp_path / "ref", "a.nii.gz", "b.nii.gz", "dataset.json", "._a.nii.gz")
    found = pair_cases(reference, touch(tmp_path / "pred", "a.nrrd", "c.nii.gz", "plans.json"))
    assert set(found.pairs) == {"a"}
    assert found.unpredicted == ("b",)
    assert found.unreferenced == ("c",)


def test_folders_without_a_common_case_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"expected names as in .*\(a, ...\), got b, ..."):
        pair_cases(touch(tmp_path / "ref", "a.nii.gz"), touch(tmp_path / "pred", "b.nii.gz"))


def test_absent_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a folder with images"):
        pair_cases(tmp_path / "none", tmp_path)
    with pytest.raises(UsageError, match="expected images"):
        pair_cases(tmp_path, tmp_path)


def test_two_images_of_one_case_are_refused(tmp_path):
    folder = touch(tmp_path / "pred", "a.nii.gz", "a.nrrd")
    with pytest.raises(UsageError, match=r"pred: expected one image per case, found a\.nii\.gz and a\.nrrd"):
        pair_cases(folder, folder)


def test_labels_beyond_255_keep_their_value(tmp_path):
    write_volume(tmp_path / "whs.nii.gz", heart().astype(np.int16) * 210)
    volume = read_labels(tmp_path / "whs.nii.gz", {"RV": 210, "MYO": 420, "LV": 630})
    np.testing.assert_array_equal(volume.array, heart().astype(int) * 210)


def test_spacing_comes_from_pixdim_not_from_a_wrong_affine(tmp_path):
    image = nib.Nifti1Image(np.zeros((4, 5, 3), np.uint8), None)
    image.header.set_zooms((1.5, 1.25, 10.0))
    image.set_sform(np.diag([-1.0, -1.0, 1.0, 1.0]), code=2)  # as the ACDC files have it
    image.header["pixdim"][1:4] = (1.5, 1.25, 10.0)
    nib.save(image, tmp_path / "acdc.nii.gz")
    volume = read_volume(tmp_path / "acdc.nii.gz")
    assert volume.array.shape == (3, 5, 4)
    assert volume.spacing == pytest.approx((10.0, 1.25, 1.5))


def test_sheared_directions_are_read_all_the_same(tmp_path):
    array = heart().transpose(2, 1, 0)
    affine = np.diag([1.5, 1.25, 10.0, 1.0])
    affine[0, 1] = 0.2
    image = nib.Nifti1Image(array, affine)
    image.header.set_zooms((1.5, 1.25, 10.0))
    path = tmp_path / "sheared.nii.gz"
    nib.save(image, path)
    volume = read_volume(tmp_path / "sheared.nii.gz")
    np.testing.assert_array_equal(volume.array, heart())
    assert volume.spacing == pytest.approx((10.0, 1.25, 1.5))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WorkError, match="cannot be read as an image"):
        read_volume(path)


def test_unknown_label_and_unreadable_file_are_one_line_errors(tmp_path):
    labels = heart()
    labels[0, 0, 0] = 7
    write_volume(tmp_path / "seven.nii.gz", labels)
    with pytest.raises(WorkError, match=r"expected the labels 0 \(background\), 1 \(RV\).*got also 7"):
        read_labels(tmp_path / "seven.nii.gz", LABELS)
    (tmp_path / "broken.nii.gz").write_bytes(b"no image")
    with pytest.raises(WorkError, match="cannot be read as an image"):
        read_labels(tmp_path / "broken.nii.gz", LABELS)


def test_other_labels_become_background_where_that_was_asked_for(tmp_path):
    write_volume(tmp_path / "heart.nii.gz", heart().astype(np.float64))
    found = read_labels(tmp_path / "heart.nii.gz", {"LV": 3}, others_as_background=True)
    np.testing.assert_array_equal(found.array, np.where(heart() == 3, 3, 0))
    assert found.other_labels == (1, 2)
    assert read_labels(tmp_path / "heart.nii.gz", LABELS).other_labels == ()


@pytest.mark.parametrize("shown", [True, False])
def test_a_wrong_sform_makes_no_noise_and_leaves_the_warnings_of_itk_as_they_were(tmp_path, capfd, shown):
    image = nib.Nifti1Image(heart().T, np.diag([1.5, 1.25, 10.0, 1.0]))
    image.set_sform(np.diag([-1.0, -1.0, 1.0, 1.0]), code=2)
    image.set_qform(None, code=0)
    image.header["pixdim"][1:4] = (1.5, 1.25, 10.0)
    nib.save(image, tmp_path / "acdc.nii.gz")
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(shown)
    try:
        read_volume(tmp_path / "acdc.nii.gz")
        assert capfd.readouterr().err == ""
        with pytest.raises(WorkError):
            read_volume(tmp_path / "absent.nii.gz")
        assert sitk.ProcessObject.GetGlobalWarningDisplay() == shown
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


def test_labels_that_a_scale_factor_moved_by_a_rounding_are_taken_for_whole_numbers(tmp_path):
    write_volume(tmp_path / "scaled.nii.gz", heart() * np.float32(0.9999999))
    np.testing.assert_array_equal(read_labels(tmp_path / "scaled.nii.gz", LABELS).array, heart())


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf])
@pytest.mark.parametrize("lenient", [True, False])
def test_what_is_no_whole_number_is_no_label(tmp_path, value, lenient):
    labels = heart().astype(np.float64)
    labels[0, 0, 0] = value
    write_volume(tmp_path / "soft.nrrd", labels)
    with pytest.raises(WorkError, match=rf"expected the labels 0 .*, got also {value:g}"):
        read_labels(tmp_path / "soft.nrrd", LABELS, others_as_background=lenient)


def test_a_picture_in_colours_is_refused(tmp_path):
    picture = sitk.GetImageFromArray(np.zeros((4, 5, 3), np.uint8), isVector=True)
    sitk.WriteImage(picture, str(tmp_path / "picture.mha"))
    with pytest.raises(WorkError, match="expected a 3-D image of one number per voxel, got 2-D"):
        read_volume(tmp_path / "picture.mha")


def test_four_dimensions_are_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 3, 2), np.uint8), np.eye(4)), tmp_path / "cine.nii.gz")
    with pytest.raises(WorkError, match="expected a 3-D image of one number per voxel, got 4-D"):
        read_volume(tmp_path / "cine.nii.gz")


def test_labels_come_from_dataset_json_or_are_those_of_cine(tmp_path):
    reference, prediction = tmp_path / "labelsTr", tmp_path / "pred"
    assert find_labels(reference, prediction) == {"RV": 1, "MYO": 2, "LV": 3}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "LV": 1, "MYO": 2, "ignore": 3}}))
    assert find_labels(reference, prediction) == {"LV": 1, "MYO": 2}
    prediction.mkdir()
    (prediction / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "RV": 1, "MYO": 2, "LV": 3}}))
    with pytest.raises(UsageError, match=r"pred.dataset\.json: expected LV=1 as in .*dataset\.json, got LV=3"):
        find_labels(reference, prediction)
    (prediction / "dataset.json").unlink()
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "whole": [1, 2]}}))
    with pytest.raises(UsageError, match="expected labels with one whole number each"):
        find_labels(reference, prediction)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"background": 0}}))
    with pytest.raises(UsageError, match="expected the label of at least one structure"):
        find_labels(reference, prediction)


def test_values_of_a_data_set_for_region_based_training_are_named_apart(tmp_path):
    folder = tmp_path / "labelsTr"
    folder.mkdir()
    structures = {"LV": 1, "MYO": 2, "INFARCT": 3, "NOREFLOW": 4}
    content = {"labels": {"background": 0, "WHOLE_MYO": [2, 3, 4], "LV": [1]}, "structures": structures}
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    assert find_labels(folder, folder) == structures
