"""Files appear whole or not at all."""

import pytest

from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.files import read_csv, read_json, remove, write_csv, write_json, write_text, written_whole


def test_a_failure_leaves_the_old_file_and_no_remains(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(target, ZeroDivisionError())
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_partial_file_keeps_the_suffixes(tmp_path):
    with written_whole(tmp_path / "a.nii.gz") as partial:
        assert partial.name.endswith(".nii.gz")
        assert partial.parent == tmp_path
        partial.write_bytes(b"x")
    assert (tmp_path / "a.nii.gz").read_bytes() == b"x"


def test_a_full_disk_is_one_line_with_the_files_name(tmp_path):
    with pytest.raises(WorkError, match=r"a\.txt: cannot be written \(No space left on device\)"):
        _write_and_fail(tmp_path / "a.txt", OSError(28, "No space left on device"))


def test_a_file_in_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_json_round_trip_keeps_umlauts(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Müller", "n": [1, 2]})
    assert read_json(tmp_path / "a.json") == {"name": "Müller", "n": [1, 2]}
    assert "Müller" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe"])
def test_broken_json_names_the_file(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.json: expected JSON"):
        read_json(tmp_path / "a.json")


def test_absent_json_names_the_file(tmp_path):
    with pytest.raises(UsageError, match=r"a\.json: cannot be read"):
        read_json(tmp_path / "a.json")


def test_csv_takes_columns_in_order_of_appearance(tmp_path):
    write_csv(tmp_path / "a.csv", [{"b": 1, "a": "x,y"}, {"a": "z", "c": 3}])
    assert (tmp_path / "a.csv").read_text() == 'b,a,c\n1,"x,y",\n,z,3\n'
    assert read_csv(tmp_path / "a.csv") == [{"b": "1", "a": "x,y", "c": ""}, {"b": "", "a": "z", "c": "3"}]


def test_csv_without_rows_has_its_header(tmp_path):
    write_csv(tmp_path / "a.csv", [], ["case", "value"])
    assert (tmp_path / "a.csv").read_text() == "case,value\n"


def _write_and_fail(target, error):
    with written_whole(target) as partial:
        partial.write_text("half")
        raise error


def test_rows_may_be_made_as_they_are_written(tmp_path):
    write_csv(tmp_path / "a.csv", ({"n": n, "square": n * n} for n in range(3)), ["square", "n"])
    assert (tmp_path / "a.csv").read_text() == "square,n\n0,0\n1,1\n4,2\n"
    write_csv(tmp_path / "b.csv", iter([{"x": 1}, {"y": 2}]))
    assert (tmp_path / "b.csv").read_text() == "x,y\n1,\n,2\n"


def test_removing_tells_what_cannot_be_removed_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    remove(tmp_path / "file")
    remove(tmp_path / "file")
    assert not (tmp_path / "file").exists()
    with pytest.raises(WorkError, match="cannot be removed"):
        remove(tmp_path)
