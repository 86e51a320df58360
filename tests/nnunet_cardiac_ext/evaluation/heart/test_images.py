import nibabel as nib
import numpy as np
import pytest
from helpers.label_stacks import heart, write_volume
from helpers.ring_hearts import LABELS

from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import WorkError
from nnunet_cardiac_ext.evaluation.heart.images import LabelImage, group_by_heart, read_frames


def write_series(path, stacks, zooms=(1.5, 1.5, 8.0, 0.05)):
    image = nib.Nifti1Image(np.stack(stacks).T, np.diag([-1.0, -1, 1, 1]))
    image.header.set_zooms(zooms)
    nib.save(image, path)


def test_hearts_by_name_and_by_table(tmp_path):
    files = {name: tmp_path / name for name in ("p2_frame10", "p2_frame02", "p1_ES", "p1_ED", "scan")}
    table = [CaseRow("p1_ED", "p1", phase="ED"), CaseRow("p1_ES", "p1", phase="ES")]
    hearts = group_by_heart(files, table)
    assert {h.subject: [i.case for i in h.images] for h in hearts} == {
        "p1": ["p1_ED", "p1_ES"], "p2": ["p2_frame02", "p2_frame10"], "scan": ["scan"],
    }  # fmt: skip


def test_three_dimensional_image(tmp_path):
    write_volume(tmp_path / "p1_frame07.nii.gz", heart())
    row = CaseRow("p1_frame07", "p1", phase="ES", frame=7, base_first=True)
    frames, remarks = read_frames(LabelImage("p1_frame07", tmp_path / "p1_frame07.nii.gz", row), LABELS)
    assert [(f.case, f.frame, f.phase, f.base_first) for f in frames] == [("p1_frame07", 7, "ES", True)]
    assert (frames[0].volume.array == heart()).all()
    assert remarks == []


def test_frame_number_comes_from_the_name_where_there_is_no_table(tmp_path):
    write_volume(tmp_path / "x_frame12.nii.gz", heart())
    frames, _ = read_frames(LabelImage("x_frame12", tmp_path / "x_frame12.nii.gz"), LABELS)
    assert frames[0].frame == 12


def test_series_counts_its_frames_from_zero_and_takes_pixdim(tmp_path):
    path = tmp_path / "p.nii.gz"
    write_series(path, [heart(), heart(shift=1), heart(shift=2)])
    frames, _ = read_frames(LabelImage("p", path), LABELS)
    assert [frame.frame for frame in frames] == [0, 1, 2]
    assert (frames[2].volume.array == heart(shift=2)).all()
    assert frames[0].volume.spacing == pytest.approx((8.0, 1.5, 1.5))
    assert frames[0].volume.axes == pytest.approx(np.eye(3))


@pytest.mark.parametrize("source", ["table", "image"])
def test_a_lost_voxel_size_is_replaced_and_told(tmp_path, source):
    path = tmp_path / "p.nii.gz"
    write_volume(path, heart(), spacing=(1.0, 1.0, 1.0))
    write_volume(tmp_path / "p_0000.nii.gz", heart().astype(np.int16), spacing=(10.0, 2.0, 1.0))
    row = CaseRow("p", "p", spacing=(10.0, 2.0, 1.0)) if source == "table" else None
    image = tmp_path / "p_0000.nii.gz" if source == "image" else None
    frames, remarks = read_frames(LabelImage("p", path, row, image), LABELS)
    assert frames[0].volume.spacing == pytest.approx((10, 2, 1))
    assert len(remarks) == 1
    assert "1 x 1 x 1 mm differs from 10 x 2 x 1 mm" in remarks[0]


def test_rounding_of_the_table_is_no_difference(tmp_path):
    write_volume(tmp_path / "p.nii.gz", heart(), spacing=(10.0, 1.56254, 1.56254))
    row = CaseRow("p", "p", spacing=(10.0, 1.5625, 1.5625))
    frames, remarks = read_frames(LabelImage("p", tmp_path / "p.nii.gz", row), LABELS)
    assert remarks == []
    assert frames[0].volume.spacing[1] == pytest.approx(1.56254, abs=1e-6)


def test_broken_files_are_one_line(tmp_path):
    (tmp_path / "p.nii.gz").write_bytes(b"no image")
    with pytest.raises(WorkError, match="cannot be read as an image"):
        read_frames(LabelImage("p", tmp_path / "p.nii.gz"), LABELS)
    write_series(tmp_path / "q.nii.gz", [heart(), heart() * 3])
    with pytest.raises(WorkError, match=r"q\.nii\.gz: expected the labels 0 \(background\), .*, got also 6"):
        read_frames(LabelImage("q", tmp_path / "q.nii.gz"), LABELS)
    whole = (tmp_path / "q.nii.gz").read_bytes()
    (tmp_path / "r.nii.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WorkError, match="cannot be read as an image"):
        read_frames(LabelImage("r", tmp_path / "r.nii.gz"), LABELS)
