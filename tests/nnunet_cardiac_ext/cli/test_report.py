from helpers.label_stacks import write_study

from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.evaluation import evaluate


def test_writes_the_page_and_prints_its_path(tmp_path, capsys):
    reference, prediction = write_study(tmp_path, subjects=1)
    evaluate(reference, prediction, tmp_path / "out", workers=1, quiet=True)
    page = tmp_path / "page.html"
    arguments = ["-images", str(tmp_path / "imagesTr"), "-ref", str(reference), "-pred", str(prediction)]
    assert main(["report", "-i", str(tmp_path / "out"), *arguments, "-o", str(page), "--title", "A", "--quiet"]) == 0
    assert capsys.readouterr().out == f"report: {page}\n"
    assert "<h1>A</h1>" in page.read_text(encoding="utf-8")


def test_missing_evaluation_is_one_line_and_exit_code_two(tmp_path, capsys):
    assert main(["report", "-i", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "evaluation.json" in error
