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


def test_predictions_alone_are_reported_with_pages_of_all_cases(tmp_path, capsys):
    _, prediction = write_study(tmp_path, subjects=1)
    page = tmp_path / "alone" / "page.html"
    words = ["report", "-pred", str(prediction), "-images", str(tmp_path / "imagesTr"), "-o", str(page), "--all"]
    assert main([*words, "--cases", "patient000_ES", "--quiet"]) == 0
    assert capsys.readouterr().out == f"report: {page}\n"
    assert "Chosen case: patient000_ES" in page.read_text(encoding="utf-8")
    assert (tmp_path / "alone" / "page_cases" / "cases_001.html").is_file()


def test_tables_at_other_places_are_taken(tmp_path, capsys):
    folders = write_study(tmp_path, subjects=1)
    evaluate(*folders, tmp_path / "out", workers=1, quiet=True)
    for side, folder in zip(("a", "b"), folders, strict=True):
        assert main(["measure", "-i", str(folder), "-o", str(tmp_path / side), "--quiet"]) == 0
    assert main(["quality", "-i", str(folders[1]), "-o", str(tmp_path / "q"), "--quiet"]) == 0
    (tmp_path / "c.csv").write_text("case,slice,region,predicted\na,0,base,base\n")
    tables = ["--measure", str(tmp_path / "a"), str(tmp_path / "b"), "--quality", str(tmp_path / "q")]
    tables += ["--classification", str(tmp_path / "c.csv")]
    assert main(["report", "-i", str(tmp_path / "out"), *tables, "--quiet"]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for title in ("The wall by segment", "Quality control", "Region classifier"):
        assert f"<h2>{title}</h2>" in page


def test_wrong_use_is_one_line_and_leaves_the_earlier_page(tmp_path, capsys):
    evaluate(*write_study(tmp_path, subjects=1), tmp_path / "out", workers=1, quiet=True)
    page = tmp_path / "out" / "report.html"
    page.write_text("earlier")
    for words in (["--cases", "nobody"], ["-m", str(tmp_path)], ["--comparison", str(tmp_path)]):
        assert main(["report", "-i", str(tmp_path / "out"), *words, "--quiet"]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["report"]) == 2
    assert page.read_text() == "earlier"
