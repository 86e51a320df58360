import math

import nibabel as nib
import numpy as np
import pytest
from helpers.label_stacks import write_volume
from helpers.ring_hearts import LABELS, ring, ring_heart

from nnunet_cardiac_ext.case_table import CaseRow
from nnunet_cardiac_ext.evaluation.heart.images import HeartFiles, group_by_heart
from nnunet_cardiac_ext.evaluation.heart.masks import heart_masks
from nnunet_cardiac_ext.evaluation.heart.orientation import angle_of, handedness
from nnunet_cardiac_ext.evaluation.heart.rays import ANGLES
from nnunet_cardiac_ext.evaluation.heart.subject import measure_subject
from nnunet_cardiac_ext.evaluation.heart.wall import measure_wall
from nnunet_cardiac_ext.phantoms.acdc import cycle, end_systole, true_volumes
from nnunet_cardiac_ext.phantoms.heart import Heart
from nnunet_cardiac_ext.phantoms.subject import draw_subject, label_frame
from nnunet_cardiac_ext.regions import Region

FRAMES = 12


@pytest.fixture(scope="module")
def cine(tmp_path_factory):
    """Labels of every frame of a phantom as files, as one 4-D file, and its subject."""
    subject = draw_subject("NOR", (3, 1))
    folder = tmp_path_factory.mktemp("cine")
    stacks = [label_frame(subject, phase) for phase in cycle(FRAMES)]
    spacing = (subject.stack.spacing, subject.stack.voxel, subject.stack.voxel)
    for number, stack in enumerate(stacks, start=1):
        write_volume(folder / f"p1_frame{number:02d}.nii.gz", stack, spacing)
    series = nib.Nifti1Image(np.stack(stacks).T, np.diag([-1.0, -1, 1, 1]))
    series.header.set_zooms((*spacing[::-1], 0.05))
    (folder / "series").mkdir()
    nib.save(series, folder / "series" / "p1.nii.gz")
    return folder, subject


def hearts(folder, table=()):
    return group_by_heart({p.name.removesuffix(".nii.gz"): p for p in folder.glob("*.nii.gz")}, table)


def test_cine_of_a_phantom_has_its_phases_and_true_volumes(cine):
    folder, subject = cine
    (files,) = hearts(folder)
    found = measure_subject(files, LABELS)
    truth = true_volumes(subject, "p1", "training")
    assert (found.numbers["ed_frame"], found.numbers["es_frame"]) == (1, end_systole(FRAMES) + 1)
    assert found.numbers["phases_from"] == "volume curve"
    assert found.numbers["lv_edv_ml"] == pytest.approx(truth.lv_ed_ml, rel=0.01)
    assert found.numbers["lv_esv_ml"] == pytest.approx(truth.lv_es_ml, rel=0.015)
    assert found.numbers["lv_ef_percent"] == pytest.approx(truth.lv_ef, abs=0.5)
    assert found.numbers["rv_ef_percent"] == pytest.approx(truth.rv_ef, abs=1.5)
    assert found.numbers["lv_mass_g"] == pytest.approx(truth.mass_g, rel=0.015)
    assert [line["frame"] for line in found.curve] == list(range(1, FRAMES + 1))
    assert [line["phase"] for line in found.curve if line["phase"]] == ["ED", "ES"]


def test_a_series_gives_the_same_curve_as_its_frames(cine):
    folder, _ = cine
    (frames,), (series,) = hearts(folder), hearts(folder / "series")
    single, joined = measure_subject(frames, LABELS), measure_subject(series, LABELS)
    for name in ("lv_volume_ml", "rv_volume_ml", "myocardium_volume_ml"):
        assert [x[name] for x in joined.curve] == pytest.approx([x[name] for x in single.curve], rel=1e-6)
    assert [line["frame"] for line in joined.curve] == list(range(FRAMES))
    assert joined.numbers["lv_ef_percent"] == pytest.approx(single.numbers["lv_ef_percent"])


@pytest.mark.parametrize("phase", [0.0, 1.0])
@pytest.mark.parametrize("group", ["NOR", "HCM", "DCM", "MINF", "RV"])
def test_wall_and_septum_of_a_phantom_are_as_drawn(group, phase):
    subject = draw_subject(group, (5, 1))
    heart, stack = Heart(subject.shape, phase), subject.stack
    masks = heart_masks(label_frame(subject, phase), (stack.spacing, stack.voxel, stack.voxel), LABELS)
    wall = measure_wall(masks, handedness(None))
    assert wall.septum_from == "rv contact"
    theta = (np.arange(360) + 0.5) * np.pi / 180
    for index in np.flatnonzero(wall.used & (wall.regions == Region.MIDDLE)):
        z = stack.depths[index]
        drawn = heart.epicardium(theta, z) - heart.endocardium(theta, z)
        assert np.nanmean(wall.thickness[index]) == pytest.approx(drawn.mean(), abs=0.4)
        septum = ANGLES[np.argmin(np.abs(np.angle(np.exp(1j * wall.angles[index]))))]
        expected = angle_of(np.array([np.sin(subject.shape.septum), np.cos(subject.shape.septum)]))
        assert abs(np.angle(np.exp(1j * (septum - expected)))) < np.deg2rad(20)


def test_walls_are_measured_at_both_phases_only(cine):
    (files,) = hearts(cine[0])
    found = measure_subject(files, LABELS)
    assert sorted({row.case for row in found.segments}) == ["p1_frame01", "p1_frame05"]
    assert len(found.segments) == 40
    assert all(row.thickening_percent is not None for row in found.segments if row.phase == "ES")
    assert sum("wall_thickness_mm" in line for line in found.volumes) == 2


def test_frames_without_a_label_are_no_end_systole(cine, tmp_path):
    image = nib.load(cine[0] / "series" / "p1.nii.gz")
    array = np.zeros(image.shape, dtype=np.uint8)
    array[..., [2, 7]] = np.asanyarray(image.dataobj)[..., [0, 4]]
    nib.save(nib.Nifti1Image(array, image.affine, image.header), tmp_path / "p1.nii.gz")
    found = measure_subject(hearts(tmp_path)[0], LABELS)
    assert (found.numbers["ed_frame"], found.numbers["es_frame"]) == (2, 7)
    assert [line["frame"] for line in found.curve if not line["remark"]] == [2, 7]


def test_a_wild_frame_is_remarked_in_the_curve(cine, tmp_path):
    image = nib.load(cine[0] / "series" / "p1.nii.gz")
    array = np.asanyarray(image.dataobj).copy()
    array[..., 9] = np.where(array[..., 9] == 3, 2, array[..., 9])
    nib.save(nib.Nifti1Image(array, image.affine, image.header), tmp_path / "p1.nii.gz")
    found = measure_subject(hearts(tmp_path)[0], LABELS)
    assert [line["frame"] for line in found.curve if line["remark"] == "outlier"] == [9]
    assert found.numbers["es_frame"] == end_systole(FRAMES)


def test_phases_of_the_case_table_count(cine):
    table = [
        CaseRow("p1_frame02", "p1", phase="ED", frame=2),
        CaseRow("p1_frame06", "p1", phase="ES", frame=6),
        *(CaseRow(f"p1_frame{n:02d}", "p1", frame=n) for n in (1, 3, 4, 5, 7, 8, 9, 10, 11, 12)),
    ]
    (files,) = hearts(cine[0], table)
    found = measure_subject(files, LABELS)
    assert (found.numbers["ed_case"], found.numbers["es_case"]) == ("p1_frame02", "p1_frame06")
    assert found.numbers["phases_from"] == "case table"
    assert [line["phase"] for line in found.curve if line["phase"]] == ["ED", "ES"]


def test_known_phases_without_time(tmp_path):
    for name, wall, inner in (("a", 8.0, 20.0), ("b", 12.0, 14.0)):
        write_volume(tmp_path / f"{name}.nii.gz", ring_heart(wall=wall, inner=inner), (8.0, 1.0, 1.0))
    extra = {"height_cm": "180", "weight_kg": "80"}
    table = [CaseRow("a", "p", phase="ED", extra=extra), CaseRow("b", "p", phase="ES", extra=extra)]
    (files,) = hearts(tmp_path, table)
    found = measure_subject(files, LABELS)
    assert found.numbers["lv_edv_index_ml_per_m2"] == pytest.approx(found.numbers["lv_edv_ml"] / 2)
    assert found.curve == []
    thickening = [row.thickening_percent for row in found.segments if row.case == "b" and row.part == "heart"]
    assert thickening == pytest.approx([50], abs=2)


def test_an_image_alone_has_no_phase_but_its_wall(tmp_path):
    write_volume(tmp_path / "mouse.nii.gz", (ring_heart(rv=False) == 2).astype(np.uint8), (1.0, 0.1, 0.1))
    (files,) = hearts(tmp_path)
    found = measure_subject(files, {"MYO": 1})
    assert found.numbers is None
    (line,) = found.volumes
    assert line["wall_thickness_mm"] == pytest.approx(0.8, abs=0.02)
    assert line["wall_thinning_ratio"] > 0.9
    assert line["myocardium_mass_mg"] == pytest.approx(1.05 * line["myocardium_volume_mm3"])
    assert line["myocardium_volume_mm3"] > 10


def test_thinning_of_a_mouse_wall(tmp_path):
    plane = ring(20, lambda angle: np.where((angle >= 90) & (angle < 180), 24.0, 30.0))
    stack = (np.stack([plane] * 3) == 2).astype(np.uint8)
    write_volume(tmp_path / "mouse.nii.gz", stack, (1.0, 0.1, 0.1))
    (line,) = measure_subject(hearts(tmp_path)[0], {"MYO": 1}).volumes
    assert line["wall_thinning_ratio"] == pytest.approx(4 / 8.5, abs=0.05)


def test_a_broken_frame_is_told_and_the_others_are_measured(cine, tmp_path):
    folder, _ = cine
    for path in folder.glob("*.nii.gz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "p1_frame03.nii.gz").write_bytes(b"")
    found = measure_subject(hearts(tmp_path)[0], LABELS)
    assert list(found.failures) == ["p1_frame03"]
    assert len(found.curve) == FRAMES - 1
    assert found.numbers["ed_frame"] == 1


def test_an_empty_prediction_has_volumes_of_zero_and_a_reason(tmp_path):
    write_volume(tmp_path / "p.nii.gz", np.zeros((3, 8, 8), dtype=np.uint8))
    (line,) = measure_subject(hearts(tmp_path)[0], LABELS).volumes
    assert line["lv_volume_ml"] == 0
    assert math.isnan(line["wall_thickness_mm"])
    assert line["reason"] == "no myocardium"


def test_no_files_give_no_lines():
    found = measure_subject(HeartFiles("p", ()), LABELS)
    assert (found.numbers, found.volumes, found.segments, found.curve) == (None, [], [], [])
