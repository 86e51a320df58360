from helpers.label_stacks import write_study

from nnunet_cardiac_ext.cli.main import main


def run(root, *more):
    return main(["measure", "-i", str(root / "labelsTr"), "-o", str(root / "out"), *more])


def test_prints_the_means_and_writes_the_tables(tmp_path, capsys):
    write_study(tmp_path)
    assert run(tmp_path) == 0
    printed = capsys.readouterr().out
    assert "4 images, 2 hearts with a phase" in printed
    assert "lv_edv_ml" in printed
    assert "lv_co_l_per_min" not in printed  # no heart rate: nothing to show
    assert (tmp_path / "out" / "subjects.csv").is_file()


def test_a_broken_image_is_one_line_and_exit_code_one(tmp_path, capsys):
    write_study(tmp_path)
    (tmp_path / "labelsTr" / "patient000_ES.nii.gz").write_bytes(b"")
    assert run(tmp_path, "--quiet") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "patient000_ES" in captured.err


def test_wrong_use_is_one_line_and_exit_code_two(tmp_path, capsys):
    assert run(tmp_path) == 2
    write_study(tmp_path)
    assert run(tmp_path, "--labels", "heart=1") == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 2
    assert "expected a folder with images" in error[0]
    assert "--labels LV=3,MYO=2,RV=1" in error[1]


def test_labels_of_another_order(tmp_path, capsys):
    write_study(tmp_path)
    assert run(tmp_path, "--labels", "LV=1,MYO=2,RV=3", "-np", "1") == 0
    swapped = capsys.readouterr().out
    assert run(tmp_path) == 0
    assert capsys.readouterr().out != swapped
