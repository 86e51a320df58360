import csv
from collections import Counter

import nibabel as nib
import numpy as np
import pytest
from helpers.small_vendors import small_vendors

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.phantoms.mnms import CSV_FILE, PARTS, write_phantoms

OPTIONS = {
    "subjects": 5, "unlabelled": 1, "validation": 1, "testing": 0, "seed": 4, "cine_frames": 4, "quiet": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mnms")
    with small_vendors():
        return folder, write_phantoms(folder, workers=1, **OPTIONS)


def load(written, truth, kind=""):
    return nib.load(written[0] / truth.part / truth.subject / f"{truth.subject}_sa{kind}.nii.gz")


def labels(written, truth):
    """Labels (frame, slice, in-plane, in-plane) wherever the file has its slices."""
    return np.moveaxis(np.asarray(load(written, truth, "_gt").dataobj), (3, truth.slices_along), (0, 1))


def test_layout_is_that_of_the_download(written):
    folder, truths = written
    assert sorted(path.name for path in folder.iterdir()) == [
        CSV_FILE, "Training", "Validation", "phantoms.json", "truth.csv",
    ]  # fmt: skip
    assert Counter(truth.part for truth in truths) == {
        "Training/Labeled": 5, "Training/Unlabeled": 1, "Validation": 1,
    }  # fmt: skip
    for truth in truths:
        files = sorted(path.name for path in (folder / truth.part / truth.subject).iterdir())
        assert files == [f"{truth.subject}_sa.nii.gz", f"{truth.subject}_sa_gt.nii.gz"]


def test_vendors_are_in_the_parts_where_the_challenge_had_them(written):
    vendors = {part: {truth.vendor for truth in written[1] if truth.part == part} for part, _ in PARTS.values()}
    assert vendors["Training/Labeled"] == {"A", "B"}
    assert vendors["Training/Unlabeled"] == {"C"}
    assert vendors["Validation"] == {"D"}


def test_the_csv_has_the_official_columns_and_says_what_truth_says_it_says(written):
    with (written[0] / CSV_FILE).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    columns = ["External code", "VendorName", "Vendor", "Centre", "ED", "ES", "Age", "Pathology", "Sex"]
    assert list(rows[0]) == ["", *columns, "Height", "Weight"]
    told = [(t.subject, t.vendor, str(t.centre), str(t.csv_ed), str(t.csv_es), t.group) for t in written[1]]
    columns = ("External code", "Vendor", "Centre", "ED", "ES", "Pathology")
    assert [tuple(row[name] for name in columns) for row in rows] == told


def test_only_ed_and_es_are_labelled_and_nothing_of_the_unlabelled(written):
    for truth in written[1]:
        filled = [frame for frame, volume in enumerate(labels(written, truth)) if volume.any()]
        assert filled == ([] if truth.part == "Training/Unlabeled" else sorted([truth.ed, truth.es]))


def test_truth_agrees_with_the_labels(written):
    for truth in written[1]:
        if truth.part == "Training/Unlabeled":
            continue
        voxel = np.prod(load(written, truth).header.get_zooms()[:3]) / 1000
        for frame, lv, rv in ((truth.ed, truth.lv_ed_ml, truth.rv_ed_ml), (truth.es, truth.lv_es_ml, truth.rv_es_ml)):
            volume = labels(written, truth)[frame]
            assert (volume == 1).sum() * voxel == pytest.approx(lv, rel=0.04, abs=1)
            assert (volume == 3).sum() * voxel == pytest.approx(rv, rel=0.04, abs=1)
        assert truth.lv_ed_ml > truth.lv_es_ml


def test_files_have_the_defects_of_the_real_ones(written):
    for truth in written[1]:
        image, contours = load(written, truth), load(written, truth, "_gt")
        assert image.shape == contours.shape
        assert contours.get_data_dtype() == np.float64
        assert (float(image.header["pixdim"][4]), int(image.header["qform_code"])) == (0, 0)
        assert np.argmax(image.header.get_zooms()[:3]) == truth.slices_along
        axes = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
        lean = np.abs(axes.T @ axes - np.eye(3)).max()
        assert (lean > 0.02) == truth.sheared
    assert {truth.slices_along for truth in written[1]} == {0, 2}
    assert {truth.sheared for truth in written[1]} == {True, False}
    assert any((truth.csv_ed, truth.csv_es) != (truth.ed, truth.es) for truth in written[1])


def test_the_apex_is_at_the_end_that_truth_tells(written):
    for truth in written[1]:
        areas = (labels(written, truth)[truth.ed] == 1).sum((1, 2))
        filled = areas[areas > 0]
        if len(filled):
            assert (filled[0] < filled[-1]) == truth.apex_first


def test_same_seed_gives_the_same_files_whatever_the_workers_and_parts(tmp_path):
    options = {**OPTIONS, "unlabelled": 0, "validation": 0}
    write_phantoms(tmp_path / "two", workers=2, **options | {"subjects": 2})
    write_phantoms(tmp_path / "one", workers=1, **options | {"subjects": 1})
    paths = sorted((tmp_path / "one").rglob("*.nii.gz"))
    assert len(paths) == 2
    for path in paths:
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), path.name


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    from nnunet_cardiac_ext.phantoms import mnms

    options = {**OPTIONS, "subjects": 2, "unlabelled": 0, "validation": 0, "workers": 1}
    paint, calls = mnms.paint_frames, []

    def failing(subject, phases):
        calls.append(subject)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return paint(subject, phases)

    monkeypatch.setattr(mnms, "paint_frames", failing)
    with small_vendors():
        with pytest.raises(KeyboardInterrupt):
            write_phantoms(tmp_path, **options)
        assert len(list((tmp_path / "Training" / "Labeled").iterdir())) == 1
        assert not (tmp_path / CSV_FILE).exists()
        write_phantoms(tmp_path, **options)
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [("subjects", 0), ("unlabelled", -1), ("validation", -1), ("testing", -1), ("seed", -1), ("cine_frames", 3)],
)
def test_impossible_numbers_are_refused(tmp_path, name, value):
    with pytest.raises(UsageError, match=f"expected at least .*, got {value}"):
        write_phantoms(tmp_path, **{name: value}, quiet=True)
    assert not list(tmp_path.iterdir())
