from collections import Counter

import pytest

from dataset_conversion.splits import leaks, leave_one_out, split_by_subject, write_splits
from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.files import read_json, write_json

GROUPS = ("DCM", "HCM", "MINF", "NOR", "RV")


def rows(subjects, groups=GROUPS):
    return [
        CaseRow(case=f"s{number:03d}_{phase}", subject=f"s{number:03d}", group=groups[number % len(groups)])
        for number in range(subjects)
        for phase in ("ED", "ES")
    ]


def subjects_of(cases):
    return {case.split("_")[0] for case in cases}


@pytest.mark.parametrize("subjects", [5, 23, 100])
def test_each_case_is_validated_once_and_no_subject_is_on_both_sides(subjects):
    splits = split_by_subject(rows(subjects), folds=5, seed=1)
    validated = Counter(case for fold in splits for case in fold["val"])
    assert validated == Counter(row.case for row in rows(subjects))
    for fold in splits:
        assert subjects_of(fold["train"]) & subjects_of(fold["val"]) == set()
        assert len(fold["train"]) + len(fold["val"]) == 2 * subjects
        assert fold["train"] == sorted(fold["train"])


def test_folds_and_groups_are_balanced():
    splits = split_by_subject(rows(63), folds=5, seed=1)
    group_of = {row.subject: row.group for row in rows(63)}
    counts = [Counter(group_of[subject] for subject in subjects_of(fold["val"])) for fold in splits]
    assert {sum(count.values()) for count in counts} == {12, 13}
    for group in GROUPS:
        shares = [count[group] for count in counts]
        assert max(shares) - min(shares) <= 1


def test_the_seed_decides():
    first = split_by_subject(rows(30), folds=5, seed=1)
    assert split_by_subject(rows(30)[::-1], folds=5, seed=1) == first
    assert split_by_subject(rows(30), folds=5, seed=2) != first


@pytest.mark.parametrize(("subjects", "folds"), [(0, 0), (1, 0), (2, 2), (3, 3)])
def test_fewer_subjects_than_folds_give_fewer_folds(subjects, folds):
    assert len(split_by_subject(rows(subjects), folds=5, seed=1)) == folds


def test_a_subject_in_two_groups_is_refused():
    with pytest.raises(ValueError, match="a: expected one group, got DCM and NOR"):
        split_by_subject([CaseRow("a_1", "a", group="DCM"), CaseRow("a_2", "a", group="NOR")], folds=5, seed=1)


def test_folds_are_even_in_the_first_of_two_columns_and_in_each_combination():
    table = [
        CaseRow(f"s{n:02d}", f"s{n:02d}", group=("DCM", "NOR", "HCM")[n % 3], vendor="A" if n < 13 else "B")
        for n in range(40)
    ]
    splits = split_by_subject(table, folds=4, seed=2, by=("vendor", "group"))
    row_of = {row.case: row for row in table}
    for value in (lambda row: row.vendor, lambda row: (row.vendor, row.group)):
        counts = [Counter(value(row_of[case]) for case in fold["val"]) for fold in splits]
        for key in set().union(*counts):
            assert max(count[key] for count in counts) - min(count[key] for count in counts) <= 1
    assert {len(fold["val"]) for fold in splits} == {10}


def test_leaks_are_counted():
    splits = [{"train": ["a1", "b1"], "val": ["a2", "c1"]}, {"train": ["c1"], "val": ["b1"]}]
    assert leaks(splits, {"a1": "a", "a2": "a", "b1": "b", "c1": "c"}) == 1


def test_splits_are_written_into_each_folder(tmp_path):
    splits = split_by_subject(rows(10), folds=5, seed=1)
    write_splits(splits, [tmp_path / "raw", tmp_path / "preprocessed"], overwrite=False)
    assert read_json(tmp_path / "raw/splits_final.json") == splits
    assert read_json(tmp_path / "preprocessed/splits_final.json") == splits


def test_other_splits_are_kept_in_both_folders_unless_told(tmp_path):
    raw, preprocessed = tmp_path / "raw", tmp_path / "preprocessed"
    other = split_by_subject(rows(10), folds=5, seed=2)
    write_json(preprocessed / "splits_final.json", other)
    splits = split_by_subject(rows(10), folds=5, seed=1)
    with pytest.raises(WorkError, match=r"preprocessed/splits_final\.json: expected the folds of this conversion"):
        write_splits(splits, [raw, preprocessed], overwrite=False)
    assert read_json(preprocessed / "splits_final.json") == other
    assert not raw.exists()
    write_splits(splits, [raw, preprocessed], overwrite=True)
    assert read_json(preprocessed / "splits_final.json") == read_json(raw / "splits_final.json") == splits


def test_a_damaged_file_can_be_overwritten(tmp_path):
    (tmp_path / "splits_final.json").write_text("[{")
    splits = split_by_subject(rows(10), folds=5, seed=1)
    with pytest.raises(UsageError, match="expected JSON"):
        write_splits(splits, [tmp_path], overwrite=False)
    write_splits(splits, [tmp_path], overwrite=True)
    assert read_json(tmp_path / "splits_final.json") == splits


def test_the_same_folds_in_another_order_are_no_conflict(tmp_path):
    splits = split_by_subject(rows(10), folds=5, seed=1)
    write_json(tmp_path / "splits_final.json", [{part: cases[::-1] for part, cases in fold.items()} for fold in splits])
    write_splits(splits, [tmp_path], overwrite=False)
    assert read_json(tmp_path / "splits_final.json") == splits


def test_leaving_one_vendor_out_validates_each_vendor_once():
    table = [
        CaseRow(f"{subject}_{phase}", subject, vendor=vendor, extra={"site": f"site {subject}"})
        for subject, vendor in (("a", "Siemens"), ("b", "Philips"), ("c", "Siemens"))
        for phase in ("ED", "ES")
    ]
    assert leave_one_out(table, "vendor") == [
        {"train": ["a_ED", "a_ES", "c_ED", "c_ES"], "val": ["b_ED", "b_ES"]},
        {"train": ["b_ED", "b_ES"], "val": ["a_ED", "a_ES", "c_ED", "c_ES"]},
    ]
    assert len(leave_one_out(table, "site")) == 3


@pytest.mark.parametrize(
    ("vendors", "message"),
    [
        (["A", ""], "b_1: expected a vendor to leave out, found none"),
        (["A", "A"], "expected two values of vendor or more to leave one out, got A"),
    ],
)
def test_nothing_to_leave_out_is_said(vendors, message):
    table = [CaseRow(f"{name}_1", name, vendor=vendor) for name, vendor in zip("ab", vendors, strict=True)]
    with pytest.raises(ValueError, match=message):
        leave_one_out(table, "vendor")


def test_a_subject_of_two_vendors_is_refused():
    table = [CaseRow("a_1", "a", vendor="A"), CaseRow("a_2", "a", vendor="B")]
    with pytest.raises(ValueError, match="a: expected one vendor, got A and B"):
        leave_one_out(table, "vendor")
