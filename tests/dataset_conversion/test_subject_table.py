import pytest

from dataset_conversion.subject_table import find_subject_table


def write(root, **tables):
    """Write `folder__name="..."` as folder/name.csv."""
    for name, text in tables.items():
        path = root / f"{name.replace('__', '/')}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return root


def test_of_several_tables_the_fullest_of_the_nearest_folder_counts(tmp_path):
    write(tmp_path, far__a="Code,b,c\nx,far,1\n", near__a="code,b\nx,less\n", near__b="CODE,b,c\nx,near,1\n")
    write(tmp_path, near__c="b,c,d,e\n1,2,3,4\n", **{"near__._b": "code,b,c,d,e\nx,hidden,1,1,1\n"})
    near, far = tmp_path / "near", tmp_path / "far"
    assert find_subject_table([near, far], "code").row("x") == {"code": "x", "b": "near", "c": "1"}
    assert find_subject_table([tmp_path / "none", far], "code").row("x")["b"] == "far"


def test_an_absent_table_has_no_name_and_no_rows(tmp_path):
    found = find_subject_table([write(tmp_path, a="b,c\n1,2\n")], "code")
    assert (found.name, dict(found.row("x"))) == ("", {})


def test_rows_of_a_subject_that_differ_are_refused_but_not_for_their_index(tmp_path):
    write(tmp_path, a="Unnamed: 0,code,ED\n0,a,1\n1,A,1\n2,B,1\n3,b,2\n4,,5\n")
    found = find_subject_table([tmp_path], "code", subject=str.upper)
    assert found.row("A") == {"code": "A", "ed": "1"}
    assert set(found.rows) == {"A", "B"}
    with pytest.raises(ValueError, match=r"a\.csv: expected one row of B, got 2 that differ"):
        found.row("B")
