from inference_pipelines.joined_tables import join_tables


def test_a_table_that_comes_in_the_meantime_is_joined_too(tmp_path):
    seen = []
    (tmp_path / "b.csv").touch()
    (tmp_path / ".a.csv").touch()

    def write(found):
        seen.append([path.name for path in found])
        (tmp_path / "a.csv").touch()

    join_tables(tmp_path, write)
    assert seen == [["b.csv"], ["a.csv", "b.csv"]]


def test_without_tables_an_empty_one_is_written_once(tmp_path):
    seen = []
    join_tables(tmp_path / "absent", seen.append)
    assert seen == [[]]
