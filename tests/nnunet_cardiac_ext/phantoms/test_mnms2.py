import csv

import nibabel as nib
import numpy as np
import pytest

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.phantoms.mnms2 import write_phantoms

SETTINGS = {"subjects": 1, "validation": 0, "testing": 1, "seed": 4, "cine_frames": 3, "quiet": True}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mnms2")
    return folder, write_phantoms(folder, **SETTINGS, workers=1)


def path_of(folder, code, kind):
    return folder / "MnM2" / "dataset" / code / f"{code}_{kind}.nii.gz"


def test_layout_is_the_official_one(written):
    folder, _ = written
    assert sorted(path.name for path in folder.iterdir()) == ["MnM2", "phantoms.json", "truth.csv"]
    assert sorted(path.name for path in (folder / "MnM2" / "dataset").iterdir()) == ["001", "201"]
    kinds = ("CINE", "ED", "ED_gt", "ES", "ES_gt")
    names = sorted(path.name for path in (folder / "MnM2" / "dataset" / "001").iterdir())
    assert names == [f"001_{view}_{kind}.nii.gz" for view in ("LA", "SA") for kind in kinds]


def test_the_csv_is_padded_like_the_official_one(written):
    lines = (written[0] / "MnM2" / "dataset_information.csv").read_text().splitlines()
    assert lines[0] == "SUBJECT_CODE,DISEASE,VENDOR,SCANNER,FIELD"
    rows = [line.split(",") for line in lines[1:] if line.strip(",")]
    assert [(row[0], row[1]) for row in rows] == [(str(int(truth.subject)), truth.group) for truth in written[1]]
    assert len(lines) > 1000


@pytest.mark.parametrize("phase", ["ED", "ES"])
def test_truth_agrees_with_the_labels_of_both_views(written, phase):
    folder, truths = written
    for truth in truths:
        for value, structure in ((1, "lv"), (3, "rv")):
            short, long = (nib.load(path_of(folder, truth.subject, f"{view}_{phase}_gt")) for view in ("SA", "LA"))
            ml = (np.asarray(short.dataobj) == value).sum() * np.prod(short.header.get_zooms()) / 1000
            assert ml == pytest.approx(getattr(truth, f"{structure}_{phase.lower()}_ml"), rel=0.02, abs=0.5)
            mm2 = (np.asarray(long.dataobj) == value).sum() * np.prod(long.header.get_zooms()[:2])
            assert mm2 == pytest.approx(getattr(truth, f"la_{structure}_{phase.lower()}_mm2"), rel=0.02, abs=20)
    with (folder / "truth.csv").open() as stream:
        assert [row["subject"] for row in csv.DictReader(stream)] == ["001", "201"]


def test_views_meet_in_the_patients_coordinates(written):
    folder, truths = written
    for truth in truths:
        long, short = (nib.load(path_of(folder, truth.subject, f"{view}_ED_gt")) for view in ("LA", "SA"))
        labels, stack = np.asarray(long.dataobj), np.asarray(short.dataobj)
        world = nib.affines.apply_affine(long.affine, np.argwhere(labels > -1))
        place = nib.affines.apply_affine(np.linalg.inv(short.affine), world)
        voxel = np.rint(place).astype(int)
        inside = ((voxel >= 0) & (voxel < stack.shape)).all(1) & (np.abs(place[:, 2] - voxel[:, 2]) < 0.1)
        ours, theirs = labels.ravel()[inside], stack[tuple(voxel[inside].T)]
        for value in (1, 2, 3):
            # Breath-holds shift the short-axis slices by some millimetres.
            assert ((ours == value) & (theirs == value)).sum() > 0.7 * (ours == value).sum()


def test_frames_are_those_of_the_series_and_headers_are_the_official_ones(written):
    folder, truths = written
    for view in ("SA", "LA"):
        series = np.asarray(nib.load(path_of(folder, "001", f"{view}_CINE")).dataobj)
        for phase, frame in (("ED", 0), ("ES", truths[0].es)):
            image = nib.load(path_of(folder, "001", f"{view}_{phase}"))
            assert np.array_equal(np.asarray(image.dataobj), series[..., frame])
    zooms = nib.load(path_of(folder, "001", "LA_ED")).header.get_zooms()
    assert zooms[2] == 1
    assert 1.2 <= zooms[0] <= 1.9


@pytest.mark.slow
def test_same_seed_gives_the_same_files_whatever_the_workers_and_the_views(written, tmp_path):
    write_phantoms(tmp_path, **SETTINGS, workers=2, view="la")
    paths = sorted((tmp_path / "MnM2").rglob("*.gz"))
    assert len(paths) == 2 * 5
    for path in paths:
        assert path.read_bytes() == (written[0] / path.relative_to(tmp_path)).read_bytes(), path.name


def test_without_distractors_there_are_none(tmp_path):
    settings = SETTINGS | {"subjects": 1, "testing": 0, "view": "la", "distractors": 0}
    assert [truth.distractors for truth in write_phantoms(tmp_path, **settings, workers=1)] == [0]


def test_numbers_beyond_the_official_parts_are_refused(tmp_path):
    with pytest.raises(UsageError, match="subjects: expected at most 160, got 161"):
        write_phantoms(tmp_path, subjects=161, quiet=True)
    with pytest.raises(UsageError, match="view: expected sa, la, both, got 'lax'"):
        write_phantoms(tmp_path, view="lax", quiet=True)
    with pytest.raises(UsageError, match="distractors: expected at least 0, got -1"):
        write_phantoms(tmp_path, distractors=-1, quiet=True)
    assert not list(tmp_path.iterdir())
