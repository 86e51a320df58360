"""Frames of 4-D files as nnU-Net's readers see them."""

import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from helpers.acdc_files import save_nifti

from inference_pipelines.cine_input import CineReader, stacks_of, write_cine_labels
from inference_pipelines.input_cases import InputCase
from nnunet_cardiac_ext.errors import WorkError

FRAMES = np.random.default_rng(0).integers(-500, 1000, (4, 3, 9, 7), dtype=np.int16)


@pytest.fixture
def cine(tmp_path):
    save_nifti(tmp_path / "a_0000.nii.gz", FRAMES, spacing=(8.0, 1.5, 1.25))
    return tmp_path / "a_0000.nii.gz"


def test_a_case_has_a_stack_per_frame(tmp_path, cine):
    save_nifti(tmp_path / "b_0000.nii.gz", FRAMES[0])
    stacks = stacks_of(InputCase("a", (cine,)))
    assert [(stack.name, stack.frame, stack.frames) for stack in stacks] == [
        (f"a_frame0{frame}", frame, 4) for frame in range(4)
    ]
    assert [(stack.name, stack.frame) for stack in stacks_of(InputCase("b", (tmp_path / "b_0000.nii.gz",)))] == [
        ("b", None)
    ]
    assert len(stacks_of(InputCase("c", (), "expected a file"))) == 1


def test_the_header_tells_the_number_of_slices(tmp_path, cine):
    save_nifti(tmp_path / "b_0000.nii.gz", FRAMES[0].transpose(2, 1, 0))  # nnU-Net's plans may turn such an image
    (tmp_path / "c_0000.nii.gz").write_bytes(b"no image")
    files = [cine, tmp_path / "b_0000.nii.gz", tmp_path / "c_0000.nii.gz", tmp_path / "d_0000.png"]
    assert [stacks_of(InputCase("case", (path,)))[0].slices for path in files] == [3, 3, None, None]


def test_each_frame_is_read_as_the_3d_file_that_it_is(cine):
    reader = CineReader([cine])
    assert reader.frames == 4
    for number, expected in enumerate(FRAMES):
        with reader.frame(number) as (path,):
            image = SimpleITK.ReadImage(str(path))
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), expected)
        # ACDC's files: the form says 1 mm, the voxel size is right.
        assert image.GetSpacing() == (1.25, 1.5, 8.0)
        assert not path.parent.exists()


def test_scaled_numbers_are_those_that_are_meant(tmp_path):
    image = nib.Nifti1Image(FRAMES.T, np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    image.header.set_data_dtype(np.int16)
    data = nib.Nifti1Image(FRAMES.T * 0.5 + 10, np.eye(4), image.header)
    nib.save(data, tmp_path / "a.nii")
    with CineReader([tmp_path / "a.nii"]).frame(2) as (path,):
        array = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    np.testing.assert_allclose(array, FRAMES[2] * 0.5 + 10, atol=0.02)


def test_a_compressed_file_is_decompressed_once(cine, monkeypatch):
    reader = CineReader([cine])
    opened = []
    real = gzip.GzipFile.__init__

    def counted(self, *arguments, **options):
        opened.append(self)
        real(self, *arguments, **options)

    monkeypatch.setattr(gzip.GzipFile, "__init__", counted)
    monkeypatch.setattr(gzip._GzipReader, "_rewind", lambda self: pytest.fail("went back to the beginning"))
    for number in range(4):
        with reader.frame(number):
            pass
    assert len(opened) == 1


def test_channels_come_in_their_order(tmp_path, cine):
    save_nifti(tmp_path / "a_0001.nii.gz", FRAMES + 1)
    with CineReader([cine, tmp_path / "a_0001.nii.gz"]).frame(1) as files:
        first, second = (SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))) for path in files)
    np.testing.assert_array_equal(second, first + 1)


@pytest.mark.parametrize(
    ("array", "message"),
    [(FRAMES[:3], "expected 4 frames as in a_0000.nii.gz, got 3"), (FRAMES[0], "expected a 4-D file")],
)
def test_channels_of_other_lengths_are_refused(tmp_path, cine, array, message):
    save_nifti(tmp_path / "a_0001.nii.gz", array)
    with pytest.raises(WorkError, match=rf"a_0001.nii.gz: {message}"):
        CineReader([cine, tmp_path / "a_0001.nii.gz"])


def test_a_torn_file_is_one_line_with_its_name_and_frame(cine):
    cine.write_bytes(cine.read_bytes()[:-60])
    reader = CineReader([cine])
    with pytest.raises(WorkError, match=r"a_0000.nii.gz, frame 3: cannot be read"), reader.frame(3):
        pass


def test_a_failure_inside_names_the_file_and_not_the_scratch_copy(cine):
    with pytest.raises(WorkError) as failure, CineReader([cine]).frame(1) as (path,):
        raise WorkError(f"{path}: cannot be preprocessed")
    assert str(failure.value) == f"{cine}, frame 1: channel_0000.nii: cannot be preprocessed"


def test_labels_of_all_frames_become_one_file_with_the_geometry_of_the_images(tmp_path, cine):
    labels = [np.full((7, 9, 3), number, dtype=np.uint8) for number in range(4)]
    write_cine_labels(tmp_path / "out" / "a.nii.gz", labels, cine)
    written, source = nib.load(tmp_path / "out" / "a.nii.gz"), nib.load(cine)
    assert written.shape == (7, 9, 3, 4)
    assert written.header.get_zooms() == source.header.get_zooms()
    np.testing.assert_array_equal(written.affine, source.affine)
    assert [written.dataobj[..., number].max() for number in range(4)] == [0, 1, 2, 3]
    assert SimpleITK.ReadImage(str(tmp_path / "out" / "a.nii.gz")).GetSpacing()[:3] == (1.25, 1.5, 8.0)
