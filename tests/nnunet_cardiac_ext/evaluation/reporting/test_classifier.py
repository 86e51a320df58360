import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.reporting.classifier import read_classification
from nnunet_cardiac_ext.region_table import RegionRow, write_region_table
from nnunet_cardiac_ext.regions import Region


def write(path, pairs, header="case,slice,region,predicted"):
    path.write_text("\n".join([header, *(f"c{k % 2},{k},{','.join(cells)}" for k, cells in enumerate(pairs))]) + "\n")
    return path


def test_counts_by_region_of_the_labels_and_answer(tmp_path):
    pairs = [("apex", "apex")] * 3 + [("apex", "middle")] + [("base", "base")] * 2 + [("middle", "apex")] * 2
    found = read_classification(write(tmp_path / "a.csv", pairs))
    assert (found.cases, found.unknown, found.ordered) == (2, 0, None)
    assert found.predicted.names == ("base", "middle", "apex")
    assert found.predicted.counts == {
        ("apex", "apex"): 3, ("apex", "middle"): 1, ("base", "base"): 2, ("middle", "apex"): 2
    }  # fmt: skip
    assert found.predicted.accuracy == 5 / 8


def test_slices_without_a_region_of_the_labels_are_counted_and_left_out(tmp_path):
    found = read_classification(write(tmp_path / "a.csv", [("base", "base"), ("", "apex"), ("base", "apex")]))
    assert found.unknown == 1
    assert found.cases == 1
    assert found.predicted.total == 2


def test_answers_in_order_have_their_own_matrix_over_the_same_names(tmp_path):
    rows = [("base", "apex", "base"), ("middle", "middle", "middle"), ("middle", "base", "")]
    found = read_classification(write(tmp_path / "a.csv", rows, "case,slice,region,predicted,ordered"))
    assert found.predicted.names == found.ordered.names == ("base", "middle", "apex")
    assert (found.predicted.accuracy, found.ordered.accuracy) == (1 / 3, 1)
    assert (found.predicted.total, found.ordered.total) == (3, 2)
    rows = [("base", "apex", "")]
    assert read_classification(write(tmp_path / "a.csv", rows, "case,slice,region,predicted,ordered")).ordered is None


def test_the_table_of_the_trainer_is_read(tmp_path):
    rows = [
        RegionRow("a", 0, None, (0.1, 0.2, 0.3, 0.4), Region.APEX, Region.BASE, Region.BASE),
        RegionRow("a", 1, None, (0.1, 0.2, 0.4, 0.3), Region.MIDDLE, Region.MIDDLE, Region.MIDDLE),
        RegionRow("a", 2, None, (0.1, 0.2, 0.3, 0.4), Region.APEX, Region.APEX),
    ]
    write_region_table(tmp_path / "regions.csv", rows)
    found = read_classification(tmp_path / "regions.csv")
    assert (found.cases, found.unknown) == (1, 1)
    assert (found.predicted.accuracy, found.ordered.accuracy) == (0.5, 1)


def test_names_of_another_scheme_follow_the_known_ones(tmp_path):
    found = read_classification(write(tmp_path / "a.csv", [("zebra", "apex"), ("base", "aorta")]))
    assert found.predicted.names == ("base", "apex", "aorta", "zebra")


@pytest.mark.parametrize(
    ("header", "pairs", "message"),
    [
        ("case,slice,region,guess", [("a", "b")], "expected the columns case, slice, region, predicted, got case"),
        ("case,slice,region,predicted", [], "expected 1 to 12 regions .* got 0"),
        ("case,slice,region,predicted", [(str(k), "1") for k in range(20)], "expected 1 to 12 regions .* got 20"),
        ("case,slice,region,predicted", [("", "base")] * 3, r"a region from the labels, got none \(3 without\)"),
        ("case,slice,region,predicted", [("base", "base"), ("base", "")], "line 3: expected a region as predicted"),
    ],
)
def test_another_table_is_one_line(tmp_path, header, pairs, message):
    with pytest.raises(UsageError, match=message):
        read_classification(write(tmp_path / "a.csv", pairs, header))
