import pytest

from inference_pipelines.input_cases import find_cases, part_of
from nnunet_cardiac_ext.errors import UsageError


def touch(folder, *names):
    for name in names:
        (folder / name).touch()


def test_channels_of_a_case_come_in_order(tmp_path):
    touch(tmp_path, "b_0001.nii.gz", "b_0000.nii.gz", "a_frame01_0000.nii.gz", "a_frame01_0001.nii.gz")
    cases = find_cases(tmp_path, ".nii.gz", 2)
    assert [case.name for case in cases] == ["a_frame01", "b"]
    assert [path.name for path in cases[1].files] == ["b_0000.nii.gz", "b_0001.nii.gz"]
    assert not any(case.problem for case in cases)


def test_hidden_and_foreign_files_are_ignored(tmp_path):
    touch(tmp_path, "._a_0000.nii.gz", "a_0000.nii.gz", "dataset.json", "a_0000.nii")
    assert [case.name for case in find_cases(tmp_path, ".nii.gz", 1)] == ["a"]


def test_missing_channel_is_a_problem_of_its_case(tmp_path):
    touch(tmp_path, "a_0000.nii.gz", "b_0001.nii.gz", "b_0000.nii.gz")
    first, second = find_cases(tmp_path, ".nii.gz", 2)
    assert "expected the channels 0000, 0001, found 0000" in first.problem
    assert second.problem == ""


@pytest.mark.parametrize(
    ("names", "found"), [((), "an empty folder"), (("a.nii.gz",), "a.nii.gz"), (("a.nii.gz", "b.txt"), "and others")]
)
def test_folder_without_images_is_refused(tmp_path, names, found):
    touch(tmp_path, *names)
    with pytest.raises(UsageError, match=rf"expected images named CASE_0000.nii.gz, found .*{found}"):
        find_cases(tmp_path, ".nii.gz", 1)


def test_absent_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        find_cases(tmp_path / "absent", ".nii.gz", 1)


def test_parts_cover_all_cases_once(tmp_path):
    touch(tmp_path, *(f"c{number}_0000.nii.gz" for number in range(7)))
    cases = find_cases(tmp_path, ".nii.gz", 1)
    parts = [part_of(cases, 3, part) for part in range(3)]
    assert sorted(case.name for part in parts for case in part) == [case.name for case in cases]
    with pytest.raises(UsageError, match="from 0 to 2"):
        part_of(cases, 3, 3)
