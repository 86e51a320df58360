import nibabel as nib
import numpy as np
import pytest
from helpers.converted_files import check, rewrite
from helpers.mnms_files import write_subject

from dataset_conversion.mnms import convert as convert_mnms


def _label_moved(labels):
    labels[0, 0, 0] = 3
    return labels


def _grey_value_changed(image):
    image[0, 0, 0] += 1
    return image


def _mirrored(volume):
    return volume[::-1]


def _two_labels_exchanged(labels):
    first, second = (np.argwhere(labels == value)[0] for value in (1, 2))
    labels[tuple(first)], labels[tuple(second)] = 2, 1
    return labels


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("imagesTr/patient001_frame01_0000.nii.gz", _mirrored, "expected the grey values of training/"),
        ("labelsTr/patient001_frame01.nii.gz", _mirrored, "in their places, got some elsewhere"),
        ("labelsTr/patient001_frame01.nii.gz", _two_labels_exchanged, "in their places, got some elsewhere"),
        ("labelsTr/patient001_frame01.nii.gz", _label_moved, "expected the voxels of conversion_report.json"),
        ("labelsTr/patient001_frame01.nii.gz", _label_moved, "expected the voxels of training/patient001/"),
        ("imagesTr/patient001_frame01_0000.nii.gz", _grey_value_changed, "expected the grey values of training/"),
        ("imagesTs/patient101_frame01_0000.nii.gz", _grey_value_changed, "expected the grey values of testing/"),
        ("labelsTr/patient001_frame01.nii.gz", lambda labels: labels[:, :, :2], "expected labels of the image's shape"),
        ("imagesTr/patient001_frame01_0000.nii.gz", lambda image: image[:, :, :2], "expected 4 slices as in cases.csv"),
    ],
)
def test_what_was_changed_after_conversion_is_found(converted, file, change, message):
    rewrite(converted / file, change)
    found = check()
    assert any(message in problem for problem in found.problems)
    assert all(problem.startswith(("patient001_frame01: ", "patient101_frame01: ")) for problem in found.problems)
    assert found.exit_code == 1


def test_another_spacing_is_found(converted):
    path = converted / "imagesTr" / "patient002_frame01_0000.nii.gz"
    image = nib.load(path)
    image.header.set_zooms((1.25, 1.5, 9.0))
    nib.save(nib.Nifti1Image(image.dataobj, np.diag([1.25, 1.5, 9.0, 1.0])), path)
    problems = check().problems
    assert any("expected the spacing of cases.csv, (10.0, 1.5, 1.25), got (9.0, 1.5, 1.25) mm" in p for p in problems)
    assert any("expected the volumes of its source" in problem for problem in problems)


def test_a_file_that_has_gone_is_a_problem_of_its_case(converted):
    (converted / "labelsTr" / "patient003_frame03.nii.gz").unlink()
    (problem,) = check().problems
    assert problem.startswith("patient003_frame03: cannot be checked")


def test_slices_along_another_axis_of_the_source_are_compared_as_well(nnunet_root, tmp_path):
    write_subject(tmp_path / "Labeled" / "A0B1C2", slices_along=0)
    folder = convert_mnms(tmp_path, 27, workers=1, quiet=True).folder
    assert check().problems == ()
    rewrite(folder / "labelsTr" / "A0B1C2_ED.nii.gz", _mirrored)
    (problem,) = check().problems
    assert problem.startswith("A0B1C2_ED: expected the labels of Labeled/A0B1C2/A0B1C2_sa_gt.nii.gz in their places")


def test_a_copy_whose_labels_have_another_order_is_found(nnunet_root, tmp_path):
    subject = write_subject(tmp_path / "Labeled" / "A0B1C2")
    labels = subject / "A0B1C2_sa_gt.nii.gz"
    rewrite(labels, lambda volume: volume.astype(int).choose([0, 3, 2, 1]).astype(float))
    convert_mnms(tmp_path, 27, workers=1, quiet=True)
    problems = check().problems
    assert [problem.split(": ")[0] for problem in problems] == ["A0B1C2_ED", "A0B1C2_ES"]
    assert all("expected the LV inside the myocardium, got the RV nearer to it" in problem for problem in problems)


def test_a_series_of_single_slices_is_compared_frame_by_frame(nnunet_root, tmp_path):
    subject = write_subject(tmp_path / "Labeled" / "A0B1C2")
    for path in subject.iterdir():
        volume = nib.load(path)
        nib.save(nib.Nifti1Image(np.asanyarray(volume.dataobj)[:, :, 1:2], volume.affine), path)
    convert_mnms(tmp_path, 27, workers=1, quiet=True)
    assert check().problems == ()
