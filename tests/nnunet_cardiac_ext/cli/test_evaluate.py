import pytest
from helpers.label_stacks import heart, write_study, write_volume

from nnunet_cardiac_ext.cli.evaluate import parse_labels, parse_names
from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.errors import UsageError


def run(root, *more):
    folders = ["-ref", str(root / "labelsTr"), "-pred", str(root / "pred"), "-o", str(root / "out")]
    return main(["evaluate", *folders, *more])


def test_prints_the_means_and_writes_the_tables(tmp_path, capsys):
    write_study(tmp_path, shift=0)
    assert run(tmp_path, "--by", "group", "-np", "1") == 0
    printed = capsys.readouterr().out
    assert "4 cases, means" in printed
    assert printed.count("1.000") == 3 * 4
    assert (tmp_path / "out" / "metrics.csv").is_file()


def test_choices_reach_the_tables(tmp_path, capsys):
    write_study(tmp_path, subjects=1)
    chosen = ["--convention", "acdc", "nnunet-cardiac", "--metrics", "dice,nsd", "--scheme", "thirds"]
    assert run(tmp_path, *chosen, "--nsd-tolerance", "1.5", "--slices", "--labels", "LV=3", "-np", "1") == 0
    printed = capsys.readouterr()
    assert "2 cases, means, ACDC platform" in printed.out
    assert "2 cases, means, thirds" in printed.out
    assert "label values 1, 2 are not named by --labels" in printed.err
    lines = (tmp_path / "out" / "metrics.csv").read_text().splitlines()[1:]
    assert {tuple(line.split(",")[i] for i in (1, 3, 6)) for line in lines} == {
        ("LV", "dice", "acdc"), ("LV", "dice", "nnunet-cardiac"), ("LV", "nsd_1.5mm", "nnunet-cardiac"),
    }  # fmt: skip
    assert (tmp_path / "out" / "slices.csv").is_file()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--convention", "emidec"], "emidec: expected the labels MYO, INFARCT, NOREFLOW, got RV, MYO, LV"),
        (["--convention", "mms"], "--convention: expected one or more of"),
        (["--metrics", "dise"], "--metrics: expected names of dice"),
        (["--scheme", "halves"], "--scheme: expected one of 20/60/20, thirds"),
    ],
)
def test_wrong_choices_are_refused_before_any_scoring(tmp_path, capsys, option, message):
    write_study(tmp_path, subjects=1)
    assert run(tmp_path, *option) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "out").exists()


def test_failed_case_is_one_line_on_stderr_and_exit_code_one(tmp_path, capsys):
    write_study(tmp_path)
    write_volume(tmp_path / "pred" / "patient000_ES.nii.gz", heart(slices=3))
    assert run(tmp_path, "--quiet", "-np", "1") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "patient000_ES" in error
    assert (tmp_path / "out" / "metrics.csv").is_file()


def test_wrong_use_is_one_line_and_exit_code_two(tmp_path, capsys):
    assert run(tmp_path) == 2
    assert run(tmp_path, "--labels", "LV") == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 2
    assert "expected a folder with images" in error[0]
    assert "NAME=NUMBER" in error[1]


def test_labels_are_parsed():
    assert parse_labels("LV=1, MYO=2,RV=3") == {"LV": 1, "MYO": 2, "RV": 3}


@pytest.mark.parametrize("text", ["", "LV", "LV=", "LV=0", "LV=-1", "LV=x", "LV=1,LV=2", "LV=1,RV=1", "LV=1,"])
def test_wrong_labels_are_refused(text):
    with pytest.raises(UsageError, match="--labels: expected"):
        parse_labels(text)


def test_names_are_parsed():
    assert parse_names("dice, hd95") == ("dice", "hd95")
    with pytest.raises(UsageError, match="--metrics: expected NAME,NAME"):
        parse_names("dice,")
