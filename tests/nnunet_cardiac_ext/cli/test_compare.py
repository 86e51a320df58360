from helpers.label_stacks import write_study

from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.evaluation import evaluate


def test_prints_the_page_and_writes_the_tables(tmp_path, capsys):
    for name, shift in (("near", 1), ("far", 2)):
        evaluate(*write_study(tmp_path, shift=shift), tmp_path / name, workers=1, quiet=True)
    folders = [str(tmp_path / name) for name in ("near", "far")]
    options = ["--names", "A", "B", "--metric", "dice", "--structures", "LV", "--test", "paired-t"]
    options += ["--resamples", "99", "--correction", "bh"]
    assert main(["compare", "-i", *folders, "-o", str(tmp_path / "out"), *options]) == 0
    out, error = capsys.readouterr()
    assert out == (tmp_path / "out" / "comparison.md").read_text()
    assert "paired t-test" in out
    assert "| B |" in out
    assert "4 cases of 2 subjects" in error
    assert (tmp_path / "out" / "comparison.csv").is_file()


def test_wrong_use_is_one_line_and_exit_code_two(tmp_path, capsys):
    assert main(["compare", "-i", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert main(["compare", "-i", str(tmp_path), str(tmp_path), "-o", "x", "--names", "A", "B"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "expected at least 2 evaluations" in first
    assert "evaluation.json: cannot be read" in second
