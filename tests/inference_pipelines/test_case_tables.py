"""Tables of cases that others may add to while they are joined."""

from inference_pipelines.case_tables import join_tables


def test_a_table_that_appears_meanwhile_is_joined_too(tmp_path):
    (tmp_path / "b.csv").write_text("b")
    (tmp_path / ".c.csv").write_text("in work")
    seen = []

    def join(found):
        seen.append([path.name for path in found])
        (tmp_path / "a.csv").write_text("a")

    join_tables(tmp_path, join)
    assert seen == [["b.csv"], ["a.csv", "b.csv"]]


def test_an_absent_folder_has_no_tables(tmp_path):
    seen = []
    join_tables(tmp_path / "none", seen.append)
    assert seen == [[]]
