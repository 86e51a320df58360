import csv

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.phantoms.acdc import write_phantoms


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("acdc")
    return folder, write_phantoms(folder, subjects=2, testing=1, seed=4, cine_frames=4, workers=1, quiet=True)


def read(path):
    return np.asarray(nib.load(path).dataobj)


def test_layout_is_acdcs_own(written):
    folder, _ = written
    assert sorted(path.name for path in folder.iterdir()) == ["phantoms.json", "testing", "training", "truth.csv"]
    assert [path.name for path in (folder / "testing").iterdir()] == ["patient003"]
    patient = folder / "training" / "patient002"
    assert sorted(path.name for path in patient.iterdir()) == [
        "Info.cfg", "patient002_4d.nii.gz", "patient002_frame01.nii.gz", "patient002_frame01_gt.nii.gz",
        "patient002_frame02.nii.gz", "patient002_frame02_gt.nii.gz",
    ]  # fmt: skip
    info = dict(line.split(": ") for line in (patient / "Info.cfg").read_text().splitlines())
    assert list(info) == ["ED", "ES", "Group", "Height", "NbFrame", "Weight"]
    assert (info["ED"], info["ES"], info["NbFrame"], info["Group"]) == ("1", "2", "4", "DCM")


def test_frames_are_those_of_the_cine(written):
    patient = written[0] / "training" / "patient001"
    cine = read(patient / "patient001_4d.nii.gz")
    assert cine.dtype == np.int16
    assert cine.shape[3] == 4
    assert np.array_equal(cine[..., 0], read(patient / "patient001_frame01.nii.gz"))
    assert np.array_equal(cine[..., 1], read(patient / "patient001_frame02.nii.gz"))


def test_header_has_the_defect_of_acdc(written):
    path = written[0] / "training" / "patient001" / "patient001_frame01.nii.gz"
    header = nib.load(path).header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 2)
    assert np.array_equal(header.get_sform(), np.diag([-1, -1, 1, 1]))
    spacing = SimpleITK.ReadImage(str(path)).GetSpacing()
    assert spacing == pytest.approx(header.get_zooms())
    assert spacing[0] > 1.3


def test_truth_agrees_with_the_labels(written):
    folder, truths = written
    for truth in truths:
        patient = folder / truth.part / truth.patient
        for frame, lv, rv in ((1, truth.lv_ed_ml, truth.rv_ed_ml), (2, truth.lv_es_ml, truth.rv_es_ml)):
            image = nib.load(patient / f"{truth.patient}_frame{frame:02d}_gt.nii.gz")
            labels = np.asarray(image.dataobj)
            voxel = np.prod(image.header.get_zooms()) / 1000
            assert (labels == 3).sum() * voxel == pytest.approx(lv, rel=0.02, abs=0.5)
            assert (labels == 1).sum() * voxel == pytest.approx(rv, rel=0.02, abs=0.5)
        assert truth.lv_ef == pytest.approx((1 - truth.lv_es_ml / truth.lv_ed_ml) * 100)
    with (folder / "truth.csv").open() as stream:
        assert [row["patient"] for row in csv.DictReader(stream)] == ["patient001", "patient002", "patient003"]


def test_base_comes_first(written):
    labels = read(written[0] / "training" / "patient001" / "patient001_frame01_gt.nii.gz")
    areas = (labels == 3).sum((0, 1))
    filled = areas[areas > 0]
    assert filled[:2].sum() > 2 * filled[-2:].sum()


def test_same_seed_gives_the_same_files_whatever_the_workers(written, tmp_path):
    write_phantoms(tmp_path, subjects=2, testing=1, seed=4, cine_frames=4, workers=2, quiet=True)
    for path in sorted(written[0].rglob("*.*")):
        assert path.read_bytes() == (tmp_path / path.relative_to(written[0])).read_bytes(), path.name


def test_another_seed_gives_another_heart(written, tmp_path):
    other = write_phantoms(tmp_path, subjects=1, testing=0, seed=5, cine_frames=3, workers=1, quiet=True)
    assert other[0].lv_ed_ml != pytest.approx(written[1][0].lv_ed_ml, rel=1e-3)


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    from nnunet_cardiac_ext.phantoms import acdc

    options = {"subjects": 2, "testing": 0, "cine_frames": 3, "workers": 1, "quiet": True}
    paint, calls = acdc.paint_frames, []

    def failing(subject, phases):
        calls.append(subject)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return paint(subject, phases)

    monkeypatch.setattr(acdc, "paint_frames", failing)
    with pytest.raises(KeyboardInterrupt):
        write_phantoms(tmp_path, **options)
    assert [path.name for path in (tmp_path / "training").iterdir()] == ["patient001"]
    truths = write_phantoms(tmp_path, **options)
    assert len(calls) == 3
    assert [truth.patient for truth in truths] == ["patient001", "patient002"]


def test_a_folder_of_other_phantoms_is_refused(written):
    with pytest.raises(UsageError, match="choose another folder"):
        write_phantoms(written[0], subjects=2, testing=1, seed=9, cine_frames=4, quiet=True)


@pytest.mark.parametrize(
    ("name", "value"), [("subjects", 0), ("testing", -1), ("seed", -1), ("cine_frames", 2), ("workers", 0)]
)
def test_impossible_numbers_are_refused(tmp_path, name, value):
    with pytest.raises(UsageError, match=f"expected at least .*, got {value}"):
        write_phantoms(tmp_path, **{name: value}, quiet=True)
    assert not list(tmp_path.iterdir())
