"""The loop over a folder, with a pipeline that counts and writes and needs no network."""

import json
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from helpers.acdc_files import save_nifti

from inference_pipelines.folder_options import FolderOptions
from inference_pipelines.folder_run import run_folder
from inference_pipelines.nifti import read_file_order
from nnunet_cardiac_ext.errors import UsageError, WorkError


class Brightest:
    """Labels of a stack: 1 where it is bright. It remembers what it was asked."""

    def __init__(self, fail=lambda step, stack: None, **facts):
        self.model = SimpleNamespace(
            dataset_json={"file_ending": ".nii.gz"}, channels=1, plans=SimpleNamespace(plans={"name": "plans"})
        )
        self.facts = {"pipeline": "brightest", **facts}
        self.asked = []
        self._fail = fail

    def prepare(self, stack, files):
        self.asked.append(stack.name)
        self._fail("prepare", stack)
        return stack, read_file_order(files[0])

    def compute(self, prepared):
        self._fail("compute", prepared[0])
        return prepared[0], (prepared[1] > 500).astype(np.uint8)

    def write(self, result, target, *, save_probabilities):
        stack, labels = result
        self._fail("write", stack)
        save_nifti(target.with_name(target.name + ".nii.gz"), labels.T)
        if save_probabilities:
            target.with_name(target.name + ".npz").touch()
        return f"{stack.name}: {labels.sum()}"

    def write_beside(self, folder, case, parts):
        (folder / f"{case}.txt").write_text("\n".join(parts))

    def files_beside(self, case):
        return (f"{case}.txt",)


class BrightestTogether(Brightest):
    """The same for several stacks at once, of which it remembers the groups."""

    inputs_at_once = 6

    def __init__(self, *arguments, **facts):
        super().__init__(*arguments, **facts)
        self.groups = []

    def inputs_of(self, stack):
        return stack.slices

    def compute_together(self, prepared):
        self.groups.append([stack.name for stack, _ in prepared])
        return [self.compute(each) for each in prepared]


def fail_at(step, name, error=WorkError):
    def fail(where, stack):
        if (where, stack.name) == (step, name):
            raise error(f"{step} of {name}")

    return fail


@pytest.fixture
def images(tmp_path):
    """Stacks a and c, and between them b, a cine of three frames."""
    random = np.random.default_rng(0)
    for case, shape in (("a", (2, 6, 5)), ("b", (3, 2, 6, 5)), ("c", (2, 6, 5))):
        save_nifti(tmp_path / "in" / f"{case}_0000.nii.gz", random.integers(0, 1000, shape, dtype=np.int16))
    return tmp_path / "in"


def run(images, pipeline, *, only=None, **options):
    return run_folder(pipeline, images, images.parent / "out", FolderOptions(quiet=True, **options), only=only)


def visible(folder):
    return {path.name for path in folder.iterdir() if path.suffix != ".json"}


def test_stacks_and_cines_go_through_one_loop(images):
    pipeline = Brightest()
    result = run(images, pipeline)
    out = images.parent / "out"
    assert result.checked() == [out / f"{case}.nii.gz" for case in "abc"]
    assert pipeline.asked == ["a", "b_frame00", "b_frame01", "b_frame02", "c"]
    for case in "abc":
        expected = read_file_order(images / f"{case}_0000.nii.gz") > 500
        np.testing.assert_array_equal(read_file_order(out / f"{case}.nii.gz"), expected)
    assert nib.load(out / "b.nii.gz").header.get_zooms()[:3] == (1.25, 1.5, 10.0)
    assert [line.partition(":")[0] for line in (out / "b.txt").read_text().splitlines()] == pipeline.asked[1:4]


def test_small_stacks_of_several_cases_are_computed_together(images):
    pipeline = BrightestTogether()
    result = run(images, pipeline)
    assert pipeline.groups == [["a", "b_frame00", "b_frame01"], ["b_frame02", "c"]]
    out = images.parent / "out"
    assert result.checked() == [out / f"{case}.nii.gz" for case in "abc"]
    for case in "abc":
        expected = read_file_order(images / f"{case}_0000.nii.gz") > 500
        np.testing.assert_array_equal(read_file_order(out / f"{case}.nii.gz"), expected)


@pytest.mark.parametrize("pipeline", [Brightest, BrightestTogether])
@pytest.mark.parametrize("step", ["prepare", "compute", "write"])
@pytest.mark.parametrize("name", ["a", "b_frame00", "b_frame01", "b_frame02", "c"])
def test_a_case_that_fails_anywhere_leaves_nothing_and_the_others_are_written(images, pipeline, step, name):
    result = run(images, pipeline(fail_at(step, name)))
    others = [case for case in "abc" if case != name[0]]
    assert visible(images.parent / "out") == {f"{case}{ending}" for case in others for ending in (".nii.gz", ".txt")}
    assert len(result.failures) == 1
    assert f"{step} of {name}" in result.failures[0]
    with pytest.raises(WorkError, match=f"1 of 3 cases not predicted: {name[0]}: "):
        result.checked()


def test_frames_after_a_broken_one_are_not_predicted(images):
    frames = np.random.default_rng(0).integers(0, 1000, (9, 2, 60, 50), dtype=np.int16)
    save_nifti(images / "b_0000.nii.gz", frames)
    content = (images / "b_0000.nii.gz").read_bytes()
    (images / "b_0000.nii.gz").write_bytes(content[: len(content) // 2])
    pipeline = Brightest()
    result = run(images, pipeline)
    assert len(result.failures) == 1
    assert "b_0000.nii.gz, frame 4: cannot be read" in result.failures[0]
    assert "b_frame03" in pipeline.asked
    assert "b_frame05" not in pipeline.asked
    assert {path.name for path in result.written} == {"a.nii.gz", "c.nii.gz"}


def test_an_interrupted_run_leaves_whole_cases_and_the_next_one_does_the_rest(images):
    out = images.parent / "out"
    with pytest.raises(KeyboardInterrupt):
        run(images, Brightest(fail_at("compute", "b_frame02", KeyboardInterrupt)))
    assert visible(out) == {"a.nii.gz", "a.txt"}
    second = Brightest()
    assert [path.name for path in run(images, second).written] == ["b.nii.gz", "c.nii.gz"]
    assert second.asked[0] == "b_frame00"
    assert visible(out) == {f"{case}{ending}" for case in "abc" for ending in (".nii.gz", ".txt")}


def test_a_case_counts_as_done_with_all_its_files_only(images):
    out = images.parent / "out"
    run(images, Brightest())
    assert run(images, Brightest()).tried == 0
    (out / "c.txt").unlink()
    assert [path.name for path in run(images, Brightest()).written] == ["c.nii.gz"]
    assert run(images, Brightest(), save_probabilities=True).tried == 3
    assert run(images, Brightest(), save_probabilities=True).tried == 0
    assert run(images, Brightest(), overwrite=True).tried == 3


def test_wanted_cases_only_and_one_that_is_absent_is_named(images):
    result = run(images, Brightest(), only=("c", "patient9"))
    assert [path.name for path in result.written] == ["c.nii.gz"]
    assert result.failures == [f"patient9: {images}: expected an image of this case, found none"]


def test_parts_share_the_cases(images):
    names = [[path.name[0] for path in run(images, Brightest(), num_parts=2, part_id=part).written] for part in (0, 1)]
    assert names == [["a", "c"], ["b"]]
    with pytest.raises(UsageError, match="-part_id: expected a number from 0 to 1"):
        run(images, Brightest(), num_parts=2, part_id=2)


def test_predictions_of_two_ways_are_not_mixed(images):
    run(images, Brightest(regions="predicted"), only=("a",))
    with pytest.raises(UsageError, match=r"args\.json: .* have regions predicted, wanted is ordered"):
        run(images, Brightest(regions="ordered"))
    result = run(images, Brightest(regions="ordered"), overwrite=True)
    assert len(result.written) == 3
    record = json.loads((images.parent / "out" / "predict_from_raw_data_args.json").read_text())
    assert record["regions"] == "ordered"
