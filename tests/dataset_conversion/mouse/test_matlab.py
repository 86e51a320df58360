import h5py
import numpy as np
import pytest
import scipy.io
from helpers.mouse_files import long_axis_fields, stack_fields, write_v5, write_v73

from dataset_conversion.images import SourceError
from dataset_conversion.mouse.matlab import read_elements


@pytest.mark.parametrize("write", [write_v5, write_v73])
def test_both_versions_give_the_same_arrays(write, tmp_path):
    elements = [stack_fields(1), long_axis_fields(), stack_fields(2)]
    read = read_elements(write(tmp_path / "m.mat", *elements), ("IM", "EpiX", "ResolutionX", "Absent"))
    assert [sorted(element) for element in read] == [["EpiX", "IM", "ResolutionX"]] * 3
    for found, written in zip(read, elements, strict=True):
        assert np.array_equal(found["IM"], written["IM"])
        assert found["ResolutionX"].item() == 0.13
    assert read[1]["EpiX"].size == 0
    assert np.array_equal(read[2]["EpiX"], elements[2]["EpiX"], equal_nan=True)


def test_a_cell_array_in_a_single_element_is_no_array_of_elements(tmp_path):
    path = write_v73(tmp_path / "m.mat")
    with h5py.File(path, "r+") as file:
        cells = file.create_group("#refs#").create_dataset("a", data=[1.0])
        names = file["setstruct"].create_dataset("Names", data=np.array([cells.ref] * 3, dtype=h5py.ref_dtype))
        names.attrs["MATLAB_class"] = np.bytes_("cell")
    assert len(read_elements(path, ("IM",))) == 1


def test_text_fields_and_nested_structs_do_no_harm(tmp_path):
    path = write_v73(tmp_path / "m.mat")
    with h5py.File(path, "r+") as file:
        file["setstruct"].create_group("PatientInfo").attrs["MATLAB_class"] = np.bytes_("struct")
    (element,) = read_elements(path, ("IM", "PatientInfo"))
    assert list(element) == ["IM"]


def test_a_setstruct_of_numbers_is_a_failure(tmp_path):
    scipy.io.savemat(tmp_path / "m.mat", {"setstruct": 1.0})
    with pytest.raises(SourceError, match=r"m.mat: expected setstruct to be a struct, got numbers"):
        read_elements(tmp_path / "m.mat", ("IM",))
    with h5py.File(tmp_path / "n.mat", "w") as file:
        file["preview"] = 1.0
    with pytest.raises(SourceError, match=r"n.mat: expected the struct setstruct, got preview"):
        read_elements(tmp_path / "n.mat", ("IM",))


def test_an_absent_file_is_a_failure(tmp_path):
    with pytest.raises(SourceError, match=r"m.mat: expected a file, found none"):
        read_elements(tmp_path / "m.mat", ("IM",))
