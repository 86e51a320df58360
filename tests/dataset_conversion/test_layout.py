import pytest

from dataset_conversion.cases import SourceSubject
from dataset_conversion.layout import failed, files_in, folders_below, require_folder
from nnunet_cardiac_ext.errors import UsageError


def test_a_folder_is_required(tmp_path):
    require_folder(tmp_path)
    with pytest.raises(UsageError, match="absent: expected a folder, found nothing"):
        require_folder(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file: expected a folder, found a file"):
        require_folder(tmp_path / "file")


def test_files_come_sorted_and_an_absent_folder_has_none(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).touch()
    assert [path.name for path in files_in(tmp_path)] == ["a", "b"]
    assert files_in(tmp_path / "absent") == []


def test_all_files_of_a_failed_subject_are_reported(tmp_path):
    for name in ("one/a", "two/b"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    subject = failed(SourceSubject("s"), "two folders", [tmp_path / "one", tmp_path / "two"])
    assert subject.problem == "two folders"
    assert set(subject.ignored) == {tmp_path / "one" / "a", tmp_path / "two" / "b"}


def test_folders_of_subjects_are_found_to_a_depth_and_not_searched(tmp_path):
    for name in ("s1/s2", "a/s3", "a/b/s4", "__MACOSX/s5", ".hidden/s6"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "s7").touch()

    def found(deepest):
        folders = folders_below(tmp_path, is_subject=lambda name: name.startswith("s"), deepest=deepest)
        return [path.relative_to(tmp_path).as_posix() for path in folders]

    assert found(3) == [".", "a", "a/b", "a/b/s4", "a/s3", "s1"]
    assert found(1) == [".", "a", "s1"]
