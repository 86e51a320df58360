import csv

import pytest

from nnunet_cardiac_ext.cli.main import main
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.phantoms import mouse
from nnunet_cardiac_ext.phantoms.mouse import LAYOUTS, annotated_frames, write_phantoms

SMALL = {"subjects": 2, "time_points": 1, "cine_frames": 4, "matrix": 96, "workers": 1, "quiet": True}


@pytest.fixture(scope="module", params=list(LAYOUTS))
def written(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, folder, write_phantoms(folder, layout=request.param, **SMALL)


def test_every_scan_has_its_files_and_its_truth(written):
    layout, folder, truths = written
    animals = [LAYOUTS[layout].format(number) for number in (1, 2)]
    assert [truth.scan for truth in truths] == [f"{animal}_day7" for animal in animals]
    assert [truth.group for truth in truths] == ["control", "MI"]
    with (folder / "truth.csv").open() as stream:
        assert [row["scan"] for row in csv.DictReader(stream)] == [truth.scan for truth in truths]
    table = folder / ("mice.csv" if layout == "nifti" else "scans.csv")
    with table.open() as stream:
        rows = list(csv.DictReader(stream))
    files = [row[column] for row in rows for column in ("file", "image", "mask") if column in row]
    assert len(files) == (8 if layout == "nifti" else 2)
    assert all((folder / file).is_file() for file in files)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(written, tmp_path):
    layout, folder, _ = written
    write_phantoms(tmp_path / "same", layout=layout, **(SMALL | {"workers": 2 if layout == "hdf5" else 1}))
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "same" / name).read_bytes(), name
    other = write_phantoms(tmp_path / "other", layout=layout, seed=1, **(SMALL | {"subjects": 1}))
    assert other[0].lv_ed_ul != pytest.approx(written[2][0].lv_ed_ul, rel=1e-3)


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    write, calls = mouse.write_hdf5, []

    def failing(path, scan, annotated):
        calls.append(path.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        write(path, scan, annotated)

    monkeypatch.setattr(mouse, "write_hdf5", failing)
    options = SMALL | {"subjects": 1, "time_points": 3}
    with pytest.raises(KeyboardInterrupt):
        write_phantoms(tmp_path, **options)
    assert [path.name for path in tmp_path.glob("*.h5")] == ["Mouse1_pre.h5"]
    assert len(write_phantoms(tmp_path, **options)) == 3
    assert calls == ["Mouse1_pre.h5", "Mouse1_day7.h5", "Mouse1_day7.h5", "Mouse1_day56.h5"]


def test_labelled_frames_are_diastole_systole_and_others_over_the_cycle():
    assert annotated_frames(12, 4, 1) == [0]
    assert annotated_frames(12, 4, 2) == [0, 4]
    assert annotated_frames(12, 4, 4) == [0, 3, 4, 9]
    assert annotated_frames(5, 2, 5) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"layout": "dicom"}, "layout: expected one of hdf5, mat, nifti, got 'dicom'"),
        ({"mat_version": "6"}, "MATLAB version: expected one of 5, 7.3, got '6'"),
        ({"time_points": 6}, "time points: expected at most 5, got 6"),
        ({"time_points": 0}, "time points: expected at least 1, got 0"),
        ({"annotated": 5, "cine_frames": 4}, "annotated frames: expected at most 4, got 5"),
        ({"annotated": 0}, "annotated: expected at least 1, got 0"),
        ({"matrix": 64}, "matrix: expected at least 96, got 64"),
        ({"slices": -1}, "slices: expected at least 0, got -1"),
        ({"cine_frames": 2}, "cine frames: expected at least 3, got 2"),
        ({"subjects": 0}, "subjects: expected at least 1, got 0"),
    ],
)
def test_impossible_options_are_refused(tmp_path, options, line):
    with pytest.raises(UsageError) as raised:
        write_phantoms(tmp_path, quiet=True, **options)
    assert str(raised.value) == line
    assert not list(tmp_path.iterdir())


def test_the_command_takes_the_same_options(tmp_path, capsys):
    arguments = ["--subjects", "1", "--time-points", "1", "--layout", "nifti", "--frames", "4", "--slices", "3"]
    assert main(["phantom", "mouse", "-o", str(tmp_path), *arguments, "--matrix", "96", "-np", "1", "--quiet"]) == 0
    assert "1 phantoms in" in capsys.readouterr().out
    assert (tmp_path / "mouse01" / "day7" / "frame00_mask.nii.gz").is_file()
