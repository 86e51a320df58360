import nibabel as nib
import numpy as np
import pytest
from helpers.acdc_files import save_nifti

from inference_pipelines.case_output import CaseOutput
from inference_pipelines.cine_input import Stack
from inference_pipelines.input_cases import InputCase
from nnunet_cardiac_ext.errors import WorkError


def stack_of(name="a", frame=None, frames=1, files=()):
    return Stack(InputCase(name, files), frame, frames)


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def write_two(target):
    target.with_name(target.name + ".nii.gz").write_text("labels")
    target.with_name(target.name + ".npz").write_text("probabilities")
    return "returned"


def test_nothing_is_seen_before_all_is_written(tmp_path):
    output = CaseOutput(tmp_path / "out", "a", ".nii.gz")
    assert output.add(stack_of(), write_two) == "returned"
    assert not (tmp_path / "out" / "a.nii.gz").exists()
    output.publish(lambda folder: (folder / "regions").mkdir() or (folder / "regions" / "a.csv").write_text("table"))
    output.discard()
    assert files_in(tmp_path / "out") == ["a.nii.gz", "a.npz", "regions/a.csv"]
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")] == []


def test_labels_are_moved_last(tmp_path, monkeypatch):
    output = CaseOutput(tmp_path, "a", ".nii.gz")
    output.add(stack_of(), write_two)
    moved = []
    real = type(tmp_path).replace
    monkeypatch.setattr(type(tmp_path), "replace", lambda self, target: moved.append(self.name) or real(self, target))
    output.publish(lambda folder: (folder / "z.csv").write_text("table"))
    assert moved == ["a.npz", "z.csv", "a.nii.gz"]


@pytest.mark.parametrize("where", ["add", "beside"])
def test_a_failure_is_one_line_and_leaves_nothing(tmp_path, where):
    def fail(path):
        raise OSError(28, "No space left on device")

    output = CaseOutput(tmp_path, "a", ".nii.gz")
    output.add(stack_of(), write_two)
    attempt = {"add": lambda: output.add(stack_of(), fail), "beside": lambda: output.publish(fail)}[where]
    with pytest.raises(WorkError, match=rf"{tmp_path}/a: cannot be written .*No space left"):
        attempt()
    output.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_line_about_a_hidden_file_names_its_place(tmp_path):
    def fail(folder):
        raise WorkError(f"{folder / 'regions' / 'a.csv'}: cannot be written (disk full)")

    output = CaseOutput(tmp_path, "a", ".nii.gz")
    output.add(stack_of(), write_two)
    with pytest.raises(WorkError) as failure:
        output.publish(fail)
    assert str(failure.value) == f"{tmp_path}/regions/a.csv: cannot be written (disk full)"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(WorkError, match="file/a: cannot be written"):
        CaseOutput(tmp_path / "file", "a", ".nii.gz")


def test_frames_become_one_file_and_keep_their_probabilities(tmp_path):
    source = tmp_path / "in" / "a_0000.nii.gz"
    save_nifti(source, np.zeros((3, 2, 6, 5), dtype=np.int16))
    output = CaseOutput(tmp_path / "out", "a", ".nii.gz")
    for frame in range(3):

        def write(target, frame=frame):
            save_nifti(target.with_name(target.name + ".nii.gz"), np.full((2, 6, 5), frame, dtype=np.uint8))
            target.with_name(target.name + ".npz").touch()

        output.add(stack_of(frame=frame, frames=3, files=(source,)), write)
    output.publish()
    output.discard()
    assert files_in(tmp_path / "out") == ["a.nii.gz", *(f"a_frame0{frame}.npz" for frame in range(3))]
    labels = nib.load(tmp_path / "out" / "a.nii.gz")
    assert labels.shape == (5, 6, 2, 3)
    assert [int(labels.dataobj[..., frame].max()) for frame in range(3)] == [0, 1, 2]
