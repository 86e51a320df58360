"""Merging by a table: folders in which every voxel says whose it is."""

import numpy as np
import pytest
from helpers.acdc_files import save_nifti

from inference_pipelines.nifti import read_file_order
from inference_pipelines.region_merge import merge_regions
from nnunet_cardiac_ext.errors import UsageError
from nnunet_cardiac_ext.region_table import RegionRow, write_region_table
from nnunet_cardiac_ext.regions import Region

NON_CARDIAC, BASE, MIDDLE, APEX = Region
HEART = [NON_CARDIAC, BASE, MIDDLE, MIDDLE, APEX, NON_CARDIAC]


@pytest.fixture
def folders(tmp_path):
    return {region: tmp_path / region.name for region in Region}


def write_case(folders, case="a", shape=(6, 5, 4), **geometry):
    """Label images whose voxels are the region of their folder plus 1."""
    for region, folder in folders.items():
        save_nifti(folder / f"{case}.nii.gz", np.full(shape, region + 1, dtype=np.uint8), **geometry)


def rows(regions, case="a", frame=None, **others):
    return [
        RegionRow(case, number, frame, (1, 0, 0, 0), region, **{name: other[number] for name, other in others.items()})
        for number, region in enumerate(regions)
    ]


def merge(tmp_path, folders, table, **options):
    write_region_table(tmp_path / "regions.csv", table)
    return merge_regions(folders, tmp_path / "regions.csv", tmp_path / "out", quiet=True, **options)


def slices_of(path):
    """The one label of each slice, (slice,) or (frame, slice)."""
    array = read_file_order(path).T
    assert (array.min(axis=(-2, -1)) == array.max(axis=(-2, -1))).all()
    return array[..., 0, 0].tolist()


def test_each_slice_comes_from_the_folder_of_its_region(tmp_path, folders):
    write_case(folders)
    result = merge(tmp_path, folders, rows(HEART))
    assert result.written == (tmp_path / "out" / "a.nii.gz",)
    assert slices_of(result.written[0]) == [region + 1 for region in HEART]


@pytest.mark.parametrize("column", ["ordered", "extent", "used", "region"])
def test_any_column_may_decide(tmp_path, folders, column):
    write_case(folders)
    merge(tmp_path, folders, rows([APEX] * 6, **{column: HEART}), column=column)
    assert slices_of(tmp_path / "out" / "a.nii.gz") == [region + 1 for region in HEART]


def test_frames_of_a_series_have_regions_of_their_own(tmp_path, folders):
    write_case(folders, shape=(2, 6, 5, 4))
    merge(tmp_path, folders, [*rows(HEART, frame=0), *rows(HEART[::-1], frame=1)])
    expected = [region + 1 for region in HEART]
    assert slices_of(tmp_path / "out" / "a.nii.gz") == [expected, expected[::-1]]


def test_slices_may_lie_along_another_axis_of_the_file(tmp_path, folders):
    write_case(folders, shape=(5, 6, 4))
    merge(tmp_path, folders, rows(HEART))
    array = read_file_order(tmp_path / "out" / "a.nii.gz").T
    assert (array == np.array(HEART)[None, :, None] + 1).all()


def test_large_labels_of_one_folder_are_kept(tmp_path, folders):
    write_case(folders)
    save_nifti(folders[APEX] / "a.nii.gz", np.full((6, 5, 4), 700, dtype=np.uint16))
    merge(tmp_path, folders, rows(HEART))
    assert slices_of(tmp_path / "out" / "a.nii.gz")[4] == 700


def test_a_second_run_merges_what_is_missing_only(tmp_path, folders):
    for case in ("a", "b"):
        write_case(folders, case)
    table = [*rows(HEART, "a"), *rows(HEART, "b")]
    assert len(merge(tmp_path, folders, table).written) == 2
    (tmp_path / "out" / "a.nii.gz").write_bytes(b"mine")
    (tmp_path / "out" / "b.nii.gz").unlink()
    assert [path.name for path in merge(tmp_path, folders, table).written] == ["b.nii.gz"]
    assert (tmp_path / "out" / "a.nii.gz").read_bytes() == b"mine"
    assert len(merge(tmp_path, folders, table, overwrite=True).written) == 2


def test_cases_that_cannot_be_merged_are_named_and_the_others_written(tmp_path, folders):
    for case in ("a", "absent", "broken", "moved", "shorter"):
        write_case(folders, case)
    (folders[BASE] / "absent.nii.gz").unlink()
    (folders[MIDDLE] / "broken.nii.gz").write_bytes(b"no image")
    save_nifti(folders[APEX] / "moved.nii.gz", np.ones((6, 5, 4), dtype=np.uint8), spacing=(8.0, 1.5, 1.25))
    save_nifti(folders[APEX] / "shorter.nii.gz", np.ones((5, 5, 4), dtype=np.uint8))
    cases = ("a", "absent", "broken", "moved", "shorter", "unpredicted")
    result = merge(tmp_path, folders, [row for case in cases for row in rows(HEART, case)])
    assert [path.name for path in result.written] == ["a.nii.gz"]
    expected = {
        "absent": f"{folders[BASE]}: expected a label image of this case, found none",
        "broken": f"{folders[MIDDLE]}/broken.nii.gz: cannot be read as an image",
        "moved": f"{folders[APEX]}/moved.nii.gz: expected the voxel size of",
        "shorter": f"{folders[APEX]}/shorter.nii.gz: expected 1 x 6 x 5 x 4 voxels",
        "unpredicted": f"{folders[NON_CARDIAC]}: expected a label image of this case, found none",
    }
    assert len(result.failures) == len(expected)
    for line, (case, message) in zip(result.failures, expected.items(), strict=True):
        assert line.startswith(f"{case}: {message}")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.nii.gz"]


@pytest.mark.parametrize(
    ("table", "column", "message"),
    [
        (rows(HEART[:5]), "predicted", "expected 5 slices as in the table, got 6"),
        ([row for row in rows(HEART) if row.slice != 2], "predicted", "expected every slice, found none with number 2"),
        (rows(HEART), "ordered", "expected a region in column ordered, got none for slice 0"),
        (rows(HEART, used=[*HEART[:5], None]), "used", "expected a region in column used, got none for slice 5"),
        (rows(HEART, frame=1), "predicted", "expected frame 0, found frame 1"),
        ([*rows(HEART, frame=0), *rows(HEART, frame=1)], "predicted", "expected 2 frames as in the table, got 1"),
        ([*rows(HEART, frame=0), *rows(HEART[:4], frame=1)], "predicted", "expected as many slices in each frame"),
    ],
)
def test_a_table_that_does_not_fit_is_one_line(tmp_path, folders, table, column, message):
    write_case(folders, shape=(6, 7, 8))
    (line,) = merge(tmp_path, folders, table, column=column).failures
    assert message in line
    assert "\n" not in line
    assert not list((tmp_path / "out").glob("*"))


def test_cases_without_regions_are_remarked_on(tmp_path, folders):
    for case in ("a", "b"):
        write_case(folders, case)
    result = merge(tmp_path, folders, rows(HEART))
    assert not result.failures
    assert result.remarks == (f"{tmp_path}/regions.csv: holds no slices of b, not merged",)


def test_what_later_commands_read_comes_along(tmp_path, folders):
    write_case(folders)
    (folders[NON_CARDIAC] / "dataset.json").write_text('{"labels": {}}')
    merge(tmp_path, folders, rows(HEART))
    assert (tmp_path / "out" / "dataset.json").read_text() == '{"labels": {}}'
    assert not (tmp_path / "out" / "plans.json").exists()


def test_missing_folders_and_tables_are_refused(tmp_path, folders):
    with pytest.raises(UsageError, match="NON_CARDIAC: expected a folder with images"):
        merge(tmp_path, folders, rows(HEART))
    write_case(folders)
    with pytest.raises(UsageError, match=r"none\.csv: cannot be read"):
        merge_regions(folders, tmp_path / "none.csv", tmp_path / "out", quiet=True)
    with pytest.raises(UsageError, match=r"--column: expected one of predicted, .*region, got 'best'"):
        merge(tmp_path, folders, rows(HEART), column="best")
