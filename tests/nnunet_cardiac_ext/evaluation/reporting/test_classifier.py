import numpy as np
import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.evaluation.reporting.classifier import read_confusion


def write(path, pairs, header="case,slice,region,predicted"):
    path.write_text("\n".join([header, *(f"c{k % 2},{k},{a},{b}" for k, (a, b) in enumerate(pairs))]) + "\n")
    return path


def test_counts_shares_and_precision(tmp_path):
    pairs = [("apex", "apex")] * 3 + [("apex", "middle")] + [("base", "base")] * 2 + [("middle", "apex")] * 2
    found = read_confusion(write(tmp_path / "a.csv", pairs))
    assert found.names == ("base", "middle", "apex")
    assert (found.total, found.cases) == (8, 2)
    assert found.accuracy == 5 / 8
    assert found.row_total("apex") == 4
    assert found.share("apex", "middle") == 1 / 4
    assert found.precision("apex") == 3 / 5
    assert found.precision("middle") == 0


def test_what_never_occurs_has_no_share(tmp_path):
    found = read_confusion(write(tmp_path / "a.csv", [("apex", "base")]))
    assert np.isnan(found.share("base", "apex"))
    assert np.isnan(found.precision("apex"))


def test_names_of_another_scheme_follow_the_known_ones(tmp_path):
    found = read_confusion(write(tmp_path / "a.csv", [("zebra", "apex"), ("base", "aorta")]))
    assert found.names == ("base", "apex", "aorta", "zebra")


@pytest.mark.parametrize(
    ("header", "pairs", "message"),
    [
        ("case,slice,region,guess", [("a", "b")], "expected the columns case, slice, region, predicted, got case"),
        ("case,slice,region,predicted", [], "expected 1 to 12 regions .* got 0"),
        ("case,slice,region,predicted", [(str(k), "1") for k in range(20)], "expected 1 to 12 regions .* got 20"),
    ],
)
def test_another_table_is_one_line(tmp_path, header, pairs, message):
    with pytest.raises(UsageError, match=message):
        read_confusion(write(tmp_path / "a.csv", pairs, header))
