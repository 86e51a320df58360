import csv
import json
from collections import defaultdict

import numpy as np
import pytest
from helpers.label_stacks import heart, write_study, write_volume
from helpers.ring_hearts import LGE_LABELS

from nnunet_cardiac_ext.case_table import read_case_table
from nnunet_cardiac_ext.errors import UsageError, WorkError
from nnunet_cardiac_ext.evaluation.clinical import clinical_table
from nnunet_cardiac_ext.evaluation.measure import measure
from nnunet_cardiac_ext.evaluation.scoring import MetricRow

TABLES = ("subjects.csv", "volumes.csv", "segments.csv", "slices.csv", "curves.csv")


def read(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_writes_all_tables_with_units_in_the_headers(tmp_path):
    labels, _ = write_study(tmp_path, subjects=3)
    result = measure(labels, tmp_path / "out", quiet=True)
    assert len(result.subjects) == 3
    assert len(result.volumes) == 6
    for name in TABLES:
        assert (tmp_path / "out" / name).is_file()
    header = read(tmp_path / "out" / "subjects.csv")[0].keys()
    assert {"lv_edv_ml", "lv_ef_percent", "lv_mass_g", "lv_co_l_per_min", "lv_mass_index_g_per_m2"} <= header
    assert list(header)[-1] == "reason"
    assert len(read(tmp_path / "out" / "segments.csv")) == 6 * 20
    facts = json.loads((tmp_path / "out" / "measure.json").read_text())
    assert facts["images"] == 6
    assert "nnunet-cardiac measure" in facts["command"]


def test_numbers_agree_with_those_of_evaluate(tmp_path):
    labels, _ = write_study(tmp_path, subjects=1)
    (line,) = measure(labels, tmp_path / "out", quiet=True).subjects
    voxel = 10 * 2 * 1 / 1000
    ed, es = heart(slices=6), heart(slices=5)
    rows = [
        MetricRow(f"patient000_{phase}", name, "all", metric, (stack == value).sum() * voxel, "ml", "x", "")
        for phase, stack in (("ED", ed), ("ES", es))
        for name, value in (("RV", 1), ("MYO", 2), ("LV", 3))
        for metric in ("reference_volume", "predicted_volume")
    ]
    (expected,), _ = clinical_table(rows, read_case_table(tmp_path / "cases.csv"))
    for name in ("lv_edv_ml", "lv_esv_ml", "lv_ef_percent", "rv_ef_percent", "lv_mass_g"):
        assert line[name] == pytest.approx(expected[f"{name}_prediction"])


def test_labels_are_those_beside_the_case_table_or_remarked(tmp_path):
    _, prediction = write_study(tmp_path / "data", subjects=1)
    (tmp_path / "alone").mkdir()
    folder = prediction.rename(tmp_path / "alone" / "pred")
    (remark, *_) = measure(folder, tmp_path / "out", quiet=True).remarks
    assert "no dataset.json says what the labels are" in remark
    other_order = {"labels": {"background": 0, "LV": 1, "MYO": 2, "RV": 3}}
    (tmp_path / "data" / "dataset.json").write_text(json.dumps(other_order))
    result = measure(folder, tmp_path / "out", cases=tmp_path / "data" / "cases.csv", quiet=True)
    assert result.remarks == []
    facts = json.loads((tmp_path / "out" / "measure.json").read_text())
    assert facts["labels"] == {"LV": 1, "MYO": 2, "RV": 3}


def test_more_subjects_than_are_held_at_a_time(tmp_path, monkeypatch):
    labels, _ = write_study(tmp_path, subjects=5)
    expected = measure(labels, tmp_path / "whole", quiet=True)
    monkeypatch.setattr("nnunet_cardiac_ext.evaluation.measure.SUBJECTS_AT_A_TIME", 2)
    assert measure(labels, tmp_path / "parts", quiet=True).images == expected.images == 10
    for name in TABLES:
        assert (tmp_path / "whole" / name).read_text() == (tmp_path / "parts" / name).read_text()


@pytest.mark.slow
def test_several_workers_write_the_same_tables(tmp_path):
    labels, _ = write_study(tmp_path, subjects=4)
    measure(labels, tmp_path / "one", workers=1, quiet=True)
    measure(labels, tmp_path / "two", workers=2, quiet=True)
    for name in TABLES:
        assert (tmp_path / "one" / name).read_text() == (tmp_path / "two" / name).read_text()


def test_a_folder_without_phases_has_lines_per_image_only(tmp_path):
    write_volume(tmp_path / "in" / "a.nii.gz", heart())
    result = measure(tmp_path / "in", tmp_path / "out", quiet=True)
    assert result.subjects == []
    assert read(tmp_path / "out" / "subjects.csv") == []
    assert read(tmp_path / "out" / "volumes.csv")[0]["lv_volume_ml"]


def test_transmurality_has_columns_only_where_there_is_an_infarct_label(tmp_path):
    write_volume(tmp_path / "in" / "a.nii.gz", heart())
    measure(tmp_path / "in", tmp_path / "cine", quiet=True)
    measure(tmp_path / "in", tmp_path / "lge", labels=LGE_LABELS, quiet=True)
    assert "transmurality_mean_percent" not in read(tmp_path / "cine" / "segments.csv")[0]
    assert "transmurality_mean_percent" in read(tmp_path / "lge" / "segments.csv")[0]
    assert "infarct_mass_g" in read(tmp_path / "lge" / "volumes.csv")[0]


def test_every_nan_has_a_reason_in_its_line(tmp_path):
    labels, _ = write_study(tmp_path, subjects=2)
    write_volume(labels / "patient001_ES.nii.gz", np.zeros((5, 24, 24), dtype=np.uint8))
    measure(labels, tmp_path / "out", quiet=True)
    lines = [line for name in TABLES for line in read(tmp_path / "out" / name)]
    undefined = [line for line in lines if "nan" in line.values()]
    assert len(undefined) > 5
    assert all(line["reason"] for line in undefined)


def test_a_broken_image_is_told_and_the_rest_measured(tmp_path):
    labels, _ = write_study(tmp_path, subjects=2)
    (labels / "patient000_ES.nii.gz").write_bytes(b"")
    result = measure(labels, tmp_path / "out", quiet=True)
    assert list(result.failures) == ["patient000_ES"]
    assert len(result.volumes) == 3
    assert "no ES image" in result.subjects[0]["reason"]


def test_voxel_sizes_come_from_the_images_where_the_labels_have_lost_them(tmp_path):
    labels, _ = write_study(tmp_path, subjects=1)
    (tmp_path / "cases.csv").unlink()
    expected = measure(labels, tmp_path / "right", quiet=True).volumes
    for path in labels.glob("*.nii.gz"):
        write_volume(path, heart(slices=6 if "ED" in path.name else 5), spacing=(1.0, 1.0, 1.0))
    result = measure(labels, tmp_path / "out", images=tmp_path / "imagesTr", quiet=True)
    assert [v["lv_volume_ml"] for v in result.volumes] == pytest.approx([v["lv_volume_ml"] for v in expected])
    assert len(result.remarks) == 2


def test_wrong_use_is_refused(tmp_path):
    labels, _ = write_study(tmp_path, subjects=1)
    with pytest.raises(UsageError, match="expected labels of RV, MYO, LV, INFARCT, NOREFLOW, got liver"):
        measure(labels, tmp_path / "out", labels={"liver": 1}, quiet=True)
    with pytest.raises(UsageError, match="at least 1 process"):
        measure(labels, tmp_path / "out", workers=0, quiet=True)
    with pytest.raises(UsageError, match="expected a folder"):
        measure(tmp_path / "nothing", tmp_path / "out", quiet=True)
    (tmp_path / "twice.csv").write_text("case,subject,phase\npatient000_ED,p,ED\npatient000_ES,p,ED\n")
    with pytest.raises(UsageError, match="expected one ED case of p"):
        measure(labels, tmp_path / "out", cases=tmp_path / "twice.csv", quiet=True)
    assert not (tmp_path / "out").exists()


def test_nothing_measured_is_failed_work(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.nii.gz").write_bytes(b"")
    with pytest.raises(WorkError, match="no image could be measured"):
        measure(tmp_path / "in", tmp_path / "out", quiet=True)


@pytest.fixture(scope="module")
def measured_acdc(real_data, tmp_path_factory):
    """Subjects and slices of the real training patients of ACDC, and the independent table."""
    root = tmp_path_factory.mktemp("acdc")
    lines = ["case,subject,phase,group,height_cm,weight_kg"]
    (root / "labels").mkdir()
    for folder in sorted((real_data / "acdc" / "training").iterdir()):
        info = dict(line.split(": ") for line in (folder / "Info.cfg").read_text().splitlines() if ": " in line)
        for phase in ("ED", "ES"):
            case = f"{folder.name}_frame{int(info[phase]):02d}"
            (root / "labels" / f"{case}.nii.gz").symlink_to((folder / f"{case}_gt.nii.gz").resolve())
            lines.append(f"{case},{folder.name},{phase},{info['Group']},{info['Height']},{info['Weight']}")
    (root / "cases.csv").write_text("\n".join(lines) + "\n")
    result = measure(root / "labels", root / "out", workers=1, quiet=True)
    golden = {row["Name"]: row for row in read(real_data / "reference" / "acdc_volumes.csv")}
    return {line["subject"]: line for line in result.subjects}, read(root / "out" / "slices.csv"), golden


@pytest.mark.real_data
@pytest.mark.slow
def test_golden_table_of_acdc(measured_acdc):
    subjects, _, golden = measured_acdc
    assert subjects.keys() == golden.keys()
    for name, row in golden.items():
        found = subjects[name]
        for side in ("LV", "RV"):
            for phase, quantity in (("ED", "edv"), ("ES", "esv")):
                expected = float(row[f"{phase}[vol({side})]"]) / 1000
                assert found[f"{side.lower()}_{quantity}_ml"] == pytest.approx(expected, rel=1e-6)
            assert found[f"{side.lower()}_ef_percent"] == pytest.approx(100 * float(row[f"EF({side})"]), abs=1e-6)
        # Its column "mass" is a volume in mm3: a density of 1.00 g/ml, not the 1.05 of the clinical literature.
        assert found["lv_mass_g"] / 1.05 == pytest.approx(float(row["ED[mass(MYO)]"]) / 1000, rel=1e-6)


@pytest.mark.real_data
@pytest.mark.slow
@pytest.mark.parametrize("phase", ["ED", "ES"])
def test_thickest_slice_goes_with_an_independent_measurement_of_acdc(measured_acdc, phase):
    _, slices, golden = measured_acdc
    means = defaultdict(list)
    for line in slices:
        if line["phase"] == phase and line["thickness_mm"] != "nan":
            means[line["subject"]].append(float(line["thickness_mm"]))
    ours = np.array([max(means[name]) for name in golden])
    theirs = np.array([float(row[f"{phase}[max(mean(MWT|SA)|LA)]"]) for row in golden.values()])
    assert np.corrcoef(ours, theirs)[0, 1] > 0.995
    # Theirs goes between voxel centres of both contours by the shortest way: half a voxel thinner.
    assert 0.3 < np.mean(ours - theirs) < 1.0


@pytest.mark.real_data
@pytest.mark.slow
def test_lesions_of_emidec(real_data, tmp_path):
    (tmp_path / "in").mkdir()
    for path in (real_data / "emidec").glob("*/Contours/*.nii.gz"):
        (tmp_path / "in" / path.name).symlink_to(path.resolve())
    result = measure(tmp_path / "in", tmp_path / "out", labels=LGE_LABELS, workers=1, quiet=True)
    assert result.failures == {}
    for line in result.volumes:
        infarct = line["infarct_percent_of_lv_mass"]
        assert (infarct == 0) == ("_N" in line["case"])
        assert line["noreflow_percent_of_lv_mass"] <= infarct < 60
        assert 40 < line["myocardium_mass_g"] < 260
    whole = [row for row in read(tmp_path / "out" / "segments.csv") if row["part"] == "heart"]
    share = [float(row["transmurality_mean_percent"]) for row in whole]
    volume = [line["infarct_percent_of_lv_mass"] for line in result.volumes]
    assert np.corrcoef(share, volume)[0, 1] > 0.95
