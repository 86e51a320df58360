from dataclasses import dataclass

import nibabel as nib
import numpy as np
import pytest

from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.phantoms.writing import folder_written_whole, save_nifti, write_subjects


@dataclass(frozen=True)
class Square:
    name: str
    number: int
    square: float
    even: bool


def square(path, number):
    if not path.exists():
        path.mkdir()
    with (path.parent / "calls.txt").open("a") as calls:
        calls.write("x")
    return Square(path.name, number, number**2 / 3, number % 2 == 0)


def write(output, numbers, **options):
    return write_subjects(
        output, square, {output / f"0{number}": (number,) for number in numbers}, kind=Square, quiet=True,
        settings={"subjects": len(numbers), "seed": 3}, limits={"subjects": 1, "seed": 0}, **options,
    )  # fmt: skip


def calls(output):
    return len((output / "calls.txt").read_text())


def test_truths_keep_the_order_of_the_jobs(tmp_path):
    truths = write(tmp_path, [3, 1, 2], workers=2)
    assert [truth.number for truth in truths] == [3, 1, 2]
    table = "name,number,square,even\n03,3,3.0,False\n01,1,0.3333,False\n02,2,1.3333,True\n"
    assert (tmp_path / "truth.csv").read_text() == table


def test_a_finished_set_is_read_back(tmp_path):
    write(tmp_path, [3, 2], workers=1)
    assert write(tmp_path, [3, 2], workers=1) == [Square("03", 3, 3.0, False), Square("02", 2, 1.3333, True)]
    assert calls(tmp_path) == 2


def test_a_missing_subject_is_drawn_again(tmp_path):
    write(tmp_path, [3, 2], workers=1)
    (tmp_path / "03").rmdir()
    write(tmp_path, [3, 2], workers=1)
    assert (tmp_path / "03").exists()
    assert calls(tmp_path) == 4


@pytest.mark.parametrize("table", ["", "name,number\n03,3\n", "name,number,square,even\n03,x,3.0,False\n"])
def test_a_truth_table_that_is_not_its_own_is_written_again(tmp_path, table):
    write(tmp_path, [3], workers=1)
    whole = (tmp_path / "truth.csv").read_text()
    (tmp_path / "truth.csv").write_text(table)
    assert write(tmp_path, [3], workers=1)[0].number == 3
    assert (tmp_path / "truth.csv").read_text() == whole


def test_numbers_out_of_range_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="subjects: expected at least 1, got 0"):
        write(tmp_path / "out", [])
    with pytest.raises(UsageError, match="workers: expected at least 1, got 0"):
        write(tmp_path / "out", [1], workers=0)
    assert not (tmp_path / "out").exists()


def test_phantoms_of_other_settings_are_not_mixed(tmp_path):
    write(tmp_path, [1], workers=1)
    with pytest.raises(UsageError, match="choose another folder"):
        write(tmp_path, [1, 2], workers=1)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with folder_written_whole(tmp_path / "a" / "subject") as partial:
        (partial / "file").write_text("x")
        assert not (tmp_path / "a" / "subject").exists()
    assert (tmp_path / "a" / "subject" / "file").read_text() == "x"
    with pytest.raises(KeyboardInterrupt), folder_written_whole(tmp_path / "a" / "other"):
        raise KeyboardInterrupt
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["subject"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "a").write_text("a file")
    with pytest.raises(WorkError, match="cannot be written"), folder_written_whole(tmp_path / "a" / "subject"):
        pass


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_spacing_and_affine_may_contradict_each_other(tmp_path, name):
    data = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    save_nifti(tmp_path / name, data, spacing=(10, 1.5, 1.25), affine=np.diag([-1.0, -1.0, 1.0, 1.0]))
    image = nib.load(tmp_path / name)
    assert np.array_equal(np.asarray(image.dataobj).T, data)
    assert tuple(image.header["pixdim"][1:4]) == (1.25, 1.5, 10)
    assert (int(image.header["qform_code"]), int(image.header["sform_code"])) == (0, 2)
    assert np.array_equal(image.header.get_sform(), np.diag([-1.0, -1.0, 1.0, 1.0]))


def test_header_fields_are_overwritten_last(tmp_path):
    data = np.zeros((2, 3, 4, 5), dtype=np.float64)
    pixdim = [1, 1, 1, 10, 0, 0, 0, 0]
    save_nifti(tmp_path / "a.nii", data, spacing=(10, 1, 1), affine=np.eye(4), qform=True, pixdim=pixdim)
    header = nib.load(tmp_path / "a.nii").header
    assert float(header["pixdim"][4]) == 0
    assert int(header["qform_code"]) == 1


def test_the_same_array_gives_the_same_file(tmp_path):
    data = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    for name in ("a.nii.gz", "b.nii.gz"):
        save_nifti(tmp_path / name, data, spacing=(1, 1, 1), affine=np.eye(4))
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
