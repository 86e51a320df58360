import pytest
from helpers.mnms2_files import write_challenge, write_dataset, write_subject

from dataset_conversion.mnms2.source import find_source, part_of_number
from nnunet_cardiac_ext.errors import UsageError


def parts(folder, **options):
    return {subject.code: (subject.official_part, subject.part) for subject in find_source(folder, **options).subjects}


OFFICIAL = {
    "001": ("training", "train"), "002": ("training", "train"), "003": ("training", "train"),
    "161": ("validation", "test"), "201": ("testing", "test"),
}  # fmt: skip


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "download" / "MnM2", cine=False, views=("LA",))


def test_the_folder_may_be_given_at_any_level(dataset):
    for folder in (dataset, dataset / "dataset", dataset.parent, dataset.parent.parent):
        assert parts(folder) == OFFICIAL
        assert find_source(folder).subjects[0].information.group == "HCM"


def test_numbers_tell_the_part_where_one_folder_holds_all():
    expected = {1: "training", 160: "training", 161: "validation", 200: "validation", 201: "testing", 360: "testing"}
    assert {number: part_of_number(number) for number in expected} == expected
    assert part_of_number(0) == part_of_number(361) == ""


def test_folders_of_the_challenge_tell_the_part(tmp_path):
    root = write_challenge(tmp_path / "MnM2")
    found = {"001": ("training", "train"), "002": ("training", "train"), "161": ("validation", "test")}
    assert parts(root) == found | {"201": ("testing", "test")}
    assert parts(root / "validation") == {"161": ("validation", "test")}
    assert find_source(root / "validation").subjects[0].information.vendor == "GE"
    (tmp_path / "heldout").symlink_to(root / "test")
    assert parts(tmp_path / "heldout") == {"201": ("testing", "test")}


def test_a_folder_of_the_challenge_overrules_the_number(tmp_path):
    write_subject(tmp_path / "training" / "250", views=("LA",))
    assert parts(tmp_path) == {"250": ("training", "train")}


def test_all_labelled_subjects_may_train(tmp_path):
    root = write_challenge(tmp_path / "MnM2")
    found = parts(root, train_on="labelled")
    assert found["201"] == ("testing", "train")
    assert found["161"] == ("validation", "test")  # it has no labels


def test_own_subjects_beyond_the_official_numbers_train_if_they_have_labels(tmp_path):
    write_subject(tmp_path / "500", views=("LA",))
    write_subject(tmp_path / "501", views=("LA",), labelled=False)
    assert parts(tmp_path) == {"500": ("", "train"), "501": ("", "unlabelled")}


def test_the_roster_holds_the_training_subjects_that_may_be_converted(dataset):
    write_subject(dataset / "dataset" / "004", views=("LA",))
    write_subject(dataset / "test" / "004", views=("LA",))
    source = find_source(dataset)
    assert [(row.subject, row.group, row.vendor) for row in source.roster] == [
        ("001", "HCM", "Philips"), ("002", "NOR", "GE"), ("003", "HCM", "Siemens"),
    ]  # fmt: skip
    assert source.subjects[3].problem == "expected one folder, found dataset/004, test/004"


def test_hidden_folders_hold_no_subjects(dataset):
    (dataset / "__MACOSX" / "dataset" / "002").mkdir(parents=True)
    (dataset / "dataset" / "._003").write_bytes(b"\0")
    assert parts(dataset) == OFFICIAL


def test_no_subjects_an_absent_folder_and_an_unknown_option_are_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="with folders 001 to 360; found none"):
        find_source(tmp_path)
    with pytest.raises(UsageError, match="expected a folder, found nothing"):
        find_source(tmp_path / "absent")
    with pytest.raises(UsageError, match="--train-on: expected training or labelled, got 'all'"):
        find_source(tmp_path, train_on="all")
