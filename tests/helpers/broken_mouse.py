"""Kinds of broken mouse input, for each of the three sources: each spoils one scan of a small data set.

Used by the tests of the converter and by benchmarks/broken_mouse.py, which prints what the command says to each.
"""

from __future__ import annotations

import h5py
import numpy as np
import scipy.io
from helpers.broken_inputs import Broken, broken_images, change_bytes, change_voxels
from helpers.mouse_files import (
    MATLAB_AXES,
    circle,
    contours,
    grey_values,
    masks,
    radii,
    stack_fields,
    write_mouse,
    write_v5,
    write_v73,
)

MOUSE = "Data/Mouse2.h5"
SCAN = "m2_pre.mat"
IMAGE, MASK = "nifti/m2_pre_3.nii.gz", "nifti/m2_pre_3_mask.nii.gz"
TABLE = "scans.csv"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 52000000\n"


def write_scans(root):
    """Segment's files of three animals, one of them in two visits; returns `root`."""
    for number, stem in enumerate(("m1_pre", "m1_day7", "m2_pre", "m3_pre")):
        write = write_v73 if stem == "m1_day7" else write_v5
        write(root / f"{stem}.mat", stack_fields(number))
    return root


def _mouse(**options):
    return lambda root: write_mouse(root / MOUSE, **options)


def _masks_with(value, dtype=np.uint8):
    labels = masks().astype(dtype)
    labels[3, 0, 0, 0] = value
    return labels


def _bytes(name, change):
    return lambda root: change_bytes(root / name, change)


def _colour(root):
    with h5py.File(root / MOUSE, "r+") as file:
        shape = file["Images"].shape
        del file["Images"]
        file.create_dataset("Images", shape, dtype=np.dtype([("r", "u1"), ("g", "u1")]))


BROKEN_HDF5 = (
    Broken("pointer of Git LFS", _bytes(MOUSE, lambda _: POINTER), "got a pointer of Git LFS; git lfs pull"),
    Broken("file cut off", _bytes(MOUSE, lambda x: x[: len(x) // 2]), "expected a complete HDF5 file, got a damaged"),
    Broken("0 bytes", _bytes(MOUSE, lambda _: b""), "expected an HDF5 file, got 0 bytes"),
    Broken("text named .h5", _bytes(MOUSE, lambda _: b"<html>404</html>"), "expected a complete HDF5 file, got"),
    Broken("no Masks", _mouse(labels=False), "expected the dataset Masks, got Frames_with_ROI, Images"),
    Broken("masks of another shape", _mouse(labels=masks()[:, :3]), "expected Masks of the shape of Images"),
    Broken("no mask in any frame", _mouse(labels=masks(annotated=())), "expected labels in a frame of Masks, got 0"),
    Broken("unknown label value", _mouse(labels=_masks_with(7)), "expected labels [0, 1, 2], got also [7]"),
    Broken("labels 0.999", _mouse(labels=masks() * 0.999), "expected whole numbers as labels, got 0.999"),
    Broken("NaN in the labels", _mouse(labels=_masks_with(np.nan, np.float64)), "as labels, got NaN or infinity"),
    Broken("blood pool only", _mouse(labels=np.where(masks() == 2, 2, 0)), "expected labels, got 0 in every voxel"),
    Broken("frames listed that have no mask", _mouse(listed=(2, 5)), "to list the frames with masks, 0, 3"),
    Broken("NaN in the image", _mouse(images=np.where(masks() > 0, np.nan, 1)), "expected finite grey values"),
    Broken("image all zero", _mouse(images=grey_values(0) * 0), "expected an image, got 0 in every voxel"),
    Broken("three dimensions", _mouse(images=grey_values(0)[0], labels=masks()[0]), "expected 4 dimensions in Images"),
    Broken("colour image", _colour, "expected one number per voxel in Images"),
    Broken("swapped axes", _mouse(axes=(0, 2, 3, 1)), "expected two axes of rows and columns"),
    Broken("as MATLAB writes it, frames from 1", _mouse(axes=MATLAB_AXES, listed=(1, 4)), "", exit_code=0),
    Broken("heart larger than the crop", _mouse(size=1.3), "expected a heart within 18 pixels for", ("--crop", "18")),
    Broken("spacing 0", lambda _: None, "--spacing: expected three positive", ("--spacing", "1", "0", "0.1"), 2),
    Broken("partition of two shares", lambda _: None, "--partition: expected shares", ("--partition", "1:2"), 2),
)  # fmt: skip


def _scan(**changes):
    return lambda root: write_v5(root / SCAN, stack_fields(2, **changes))


def _contours(change):
    """Contours after `change(fields)`; frame 3, slice 1 is where it spoils them (from 0)."""

    def spoil(root):
        fields = contours()
        change(fields)
        write_v5(root / SCAN, stack_fields(2, **fields))

    return spoil


def _outside(fields):
    fields["EpiX"][:, 3, 1] += 30


def _no_epicardium(fields):
    fields["EpiX"][:, 3, 1] = np.nan


def _swapped(fields):
    for axis in "XY":
        fields[f"Epi{axis}"], fields[f"Endo{axis}"] = fields[f"Endo{axis}"], fields[f"Epi{axis}"]


def _endocardium_elsewhere(fields):
    rows, columns = circle(radii(1, 3)[0], centre=(30.0, 24.0))
    fields["EndoX"][:, 3, 1], fields["EndoY"][:, 3, 1] = rows + 1, columns + 1


def _half_a_contour(fields):
    fields["EpiY"][5, 3, 1] = np.nan


def _none(fields):
    for values in fields.values():
        values[:] = np.nan


def _image_with_nan():
    image = stack_fields()["IM"]
    image[0, :, 0, 0] = np.nan
    return image


def _other_variable(root):
    scipy.io.savemat(root / SCAN, {"SET": 1.0, "preview": 2.0})


BROKEN_SEGMENT = (
    Broken("file cut off", _bytes(SCAN, lambda x: x[: len(x) // 2]), "expected a complete MATLAB file, got a damaged"),
    Broken("0 bytes", _bytes(SCAN, lambda _: b""), "expected a MATLAB file, got 0 bytes"),
    Broken("text named .mat", _bytes(SCAN, lambda _: b"<html>404</html>" * 99), "expected a complete MATLAB file, got"),
    Broken("v7.3 cut off", lambda d: _cut(write_v73(d / SCAN)), "expected a complete MATLAB file, got a damaged"),
    Broken("no setstruct", _other_variable, "expected the variable setstruct, got SET, preview"),
    Broken("no contours", _contours(_none), "expected epicardial contours (EpiX), found none in 1 stacks"),
    Broken("no image", _scan(IM=None), "setstruct(1): expected the field IM, got"),
    Broken("EpiY missing", _scan(EpiY=None), "setstruct(1): expected the field EpiY, got"),
    Broken("SliceThickness missing", _scan(SliceThickness=None), "expected a positive SliceThickness in mm, got nan"),
    Broken("resolution 0", _scan(ResolutionX=0.0), "expected a positive ResolutionX in mm, got 0"),
    Broken("negative gap", _scan(SliceGap=-0.1), "expected a positive SliceGap in mm, got -0.1"),
    Broken("contours for fewer frames", _scan(**contours(times=4)), "expected EndoX for 6 frames and 4 slices"),
    Broken("contour outside the image", _contours(_outside), "frame 4, slice 2: expected contours inside the image"),
    Broken("endocardium alone", _contours(_no_epicardium), "frame 4, slice 2: expected an epicardial contour"),
    Broken("contours swapped", _contours(_swapped), "frame 1, slice 1: expected the endocardial contour inside"),
    Broken("contours apart", _contours(_endocardium_elsewhere), "slice 2: expected the endocardial contour inside"),
    Broken("half a contour", _contours(_half_a_contour), "expected as many numbers in EpiX and EpiY"),
    Broken("NaN in the image", _scan(IM=_image_with_nan()), "expected finite grey values, got NaN or infinity in 32"),
    Broken("same scan twice", lambda d: write_v5(d / "m2" / "pre.mat"), "expected one scan of this name, found m2/pre"),
    Broken("spacing given", lambda _: None, "--spacing: expected only for HDF5", ("--spacing", "1", "1", "1"), 2),
)  # fmt: skip


def _cut(path):
    path.write_bytes(path.read_bytes()[:-5000])


def _table(old, new):
    def spoil(root):
        text = (root / TABLE).read_text()
        assert old in text
        (root / TABLE).write_text(text.replace(old, new))

    return spoil


def _mask(change):
    return lambda root: change_voxels(root / MASK, change)


ROW = f"m2,pre,3,{IMAGE},{MASK},KO"
BROKEN_LISTING = (
    # One of the kinds takes the suffix .gz away, which for a file named in a csv is "image missing".
    *(broken for broken in broken_images(lambda root: root / IMAGE) if broken.kind != "plain NIfTI cut off"),
    Broken("image missing", lambda d: (d / IMAGE).unlink(), "m2_pre_3.nii.gz: expected a file, found none"),
    Broken("mask missing", lambda d: (d / MASK).unlink(), "m2_pre_3_mask.nii.gz: expected a file, found none"),
    Broken("mask of another shape", _mask(lambda x: x[:-1]), "expected the shape of its image"),
    Broken("unknown label value", _mask(lambda x: np.where(x == 2, 9, x)), "expected labels [0, 1, 2], got also [9]"),
    Broken("labels 0.999", _mask(lambda x: x * 0.999), "expected whole numbers as labels, got 0.999"),
    Broken("no label at all", _mask(lambda x: x * 0), "expected labels, got 0 in every voxel"),
    Broken("no image in a row", _table(IMAGE + ",", ","), "expected an image in every row, got an empty cell"),
    Broken("frame is no number", _table("m2,pre,3", "m2,pre,ES"), "frame to be a whole number from 0, got 'ES'"),
    Broken("row twice", _table(ROW, f"{ROW}\n{ROW}"), "expected each frame once, found m2_pre_frame03 twice"),
    Broken("animal in two groups", _table(ROW, ROW[:-2] + "WT"), "expected one group per animal, got KO and WT"),
    Broken("no animal", _table("m2,pre,3", ",pre,3"), "expected an animal, got an empty cell", exit_code=2),
)  # fmt: skip
