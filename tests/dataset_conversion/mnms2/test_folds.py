from dataset_conversion.mnms2.folds import same_folds
from nnunet_cardiac_ext.case_table import CaseRow

ROSTER = [CaseRow(f"{n:03d}", f"{n:03d}", group="NOR" if n % 2 else "HCM", vendor="GE") for n in range(1, 11)]


def rows(view, subjects):
    return [CaseRow(f"{s}_{view}_{phase}", s, phase=phase) for s in subjects for phase in ("ED", "ES")]


def validating(splits):
    return [{case[:3] for case in fold["val"]} for fold in splits]


def deal(found, roster=ROSTER):
    return same_folds(found, roster=roster, folds=5, seed=1)


def test_a_subject_keeps_its_fold_when_others_fail_in_one_view():
    everybody = [row.subject for row in ROSTER]
    short = validating(deal(rows("SA", everybody)))
    long = validating(deal(rows("LA", [subject for subject in everybody if subject != "004"])))
    assert [fold - {"004"} for fold in short] == long
    assert sorted(len(fold) for fold in short) == [2, 2, 2, 2, 2]


def test_folds_are_even_over_the_groups():
    for fold in validating(deal(rows("SA", [row.subject for row in ROSTER]))):
        assert {int(subject) % 2 for subject in fold} == {0, 1}


def test_train_and_val_share_no_subject_and_hold_all_cases():
    found = rows("LA", [row.subject for row in ROSTER])
    for fold in deal(found):
        assert not {case[:3] for case in fold["train"]} & {case[:3] for case in fold["val"]}
        assert sorted(fold["train"] + fold["val"]) == sorted(row.case for row in found)


def test_a_fold_without_validation_is_left_out():
    assert len(deal(rows("SA", ["001", "002"]), ROSTER[:4])) == 2
    assert deal(rows("SA", ["001"])) == []
