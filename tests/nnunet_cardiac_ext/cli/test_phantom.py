from nnunet_cardiac_ext.cli.main import main


def test_writes_what_was_asked_for(tmp_path, capsys):
    code = main(["phantom", "acdc", "-o", str(tmp_path / "out"), "--subjects", "1", "--testing", "0",
                 "--frames", "3", "-np", "1", "--quiet"])  # fmt: skip
    assert code == 0
    assert "1 phantoms in" in capsys.readouterr().out
    assert (tmp_path / "out" / "training" / "patient001" / "Info.cfg").exists()


def test_wrong_number_is_one_line(tmp_path, capsys):
    assert main(["phantom", "acdc", "-o", str(tmp_path / "out"), "--subjects", "0"]) == 2
    assert capsys.readouterr().err.strip() == "nnunet-cardiac: subjects: expected at least 1, got 0"


def test_unknown_data_set_is_one_line(tmp_path, capsys):
    assert main(["phantom", "sunnybrook", "-o", str(tmp_path)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
