import numpy as np
import pytest
from helpers.mouse_files import ANNOTATED, grey_values, masks, write_listing, write_nifti

from dataset_conversion.mouse.listing import find_scans, is_listing, read
from nnunet_cardiac_ext.errors import UsageError

HEADER = "animal,time_point,frame,phase,image,mask,group\n"


def scans(root, *lines, header=HEADER):
    (root / "list.csv").write_text(header + "\n".join(lines) + "\n")
    return find_scans(root / "list.csv")


def test_rows_of_an_animal_and_a_time_point_are_one_scan(tmp_path):
    found = find_scans(write_listing(tmp_path) / "scans.csv")
    assert [(s.visit.name, s.visit.group, len(s.frames)) for s in found][:3] == [
        ("m1_pre", "WT", 2),
        ("m1_day7", "WT", 2),
        ("m2_pre", "KO", 2),
    ]
    frame = found[0].frames[1]
    assert (frame.number, frame.image.frame, frame.labels.frame) == (3, None, None)
    assert np.array_equal(read(frame.labels.path, frame.labels.content).volume(), masks(0.8)[3] == 1)
    assert np.array_equal(read(frame.image.path, frame.image.content).volume(), grey_values(3)[3])


def test_frames_count_from_0_in_files_that_are_series(tmp_path):
    write_nifti(tmp_path / "cine.nii.gz", grey_values(1))
    write_nifti(tmp_path / "masks.nii.gz", masks())
    found = scans(tmp_path, *(f"m1,pre,{frame},{phase},cine.nii.gz,masks.nii.gz,WT" for frame, phase in
                              zip(ANNOTATED, ("ed", "es"), strict=True)))  # fmt: skip
    frames = found[0].frames
    assert [(f.number, f.phase, f.image.frame, f.labels.frame) for f in frames] == [(0, "ED", 0, 0), (3, "ES", 3, 3)]
    assert np.array_equal(read(frames[1].labels.path, "mask").volume(3), masks()[3] == 1)


def test_a_row_without_a_mask_is_an_unlabelled_image_behind_the_labelled_ones(tmp_path):
    root = write_listing(tmp_path, animals=("m1",), time_points=("pre",))
    labelled = "m1,pre,3,,nifti/m1_pre_3.nii.gz,nifti/m1_pre_3_mask.nii.gz,WT"
    found = scans(root, "m1,pre,0,,nifti/m1_pre_0.nii.gz,,WT", labelled)
    assert [(frame.number, frame.labels is None) for frame in found[0].frames] == [(3, False), (0, True)]


def test_only_animal_image_and_mask_are_needed(tmp_path):
    write_listing(tmp_path, animals=("m1",), time_points=("pre",))
    (scan,) = scans(tmp_path, "m1,nifti/m1_pre_0.nii.gz,nifti/m1_pre_0_mask.nii.gz", header="animal,image,mask\n")
    assert (scan.visit.name, scan.frames[0].number, scan.problem) == ("m1", None, "")


def test_two_groups_at_one_time_point_are_a_problem(tmp_path):
    write_listing(tmp_path, animals=("m1",), time_points=("pre",))
    row = "m1,pre,{0},,nifti/m1_pre_{0}.nii.gz,nifti/m1_pre_{0}_mask.nii.gz,{1}"
    (scan,) = scans(tmp_path, row.format(0, "WT"), row.format(3, "KO"))
    assert scan.problem == "list.csv: expected one group per animal, got KO and WT"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("animal,image\nm1,a.nii\n", "expected the columns animal, image, mask, got animal, image"),
        ("animal,image,mask\n", "expected rows, got animal, image, mask"),
        ("", "expected the columns animal, image, mask, got an empty file"),
        ("animal,image,mask\n,a.nii,b.nii\n", "row 2: expected an animal, got an empty cell"),
    ],
)
def test_a_csv_that_is_no_listing_is_wrong_use(content, message, tmp_path):
    (tmp_path / "list.csv").write_text(content)
    with pytest.raises(UsageError, match=message):
        find_scans(tmp_path / "list.csv")


def test_a_listing_is_told_by_its_columns(tmp_path):
    (tmp_path / "a.csv").write_text("animal;frame;image;mask\n")
    (tmp_path / "b.csv").write_text("file,animal\n")
    assert is_listing(tmp_path / "a.csv")
    assert not is_listing(tmp_path / "b.csv")
