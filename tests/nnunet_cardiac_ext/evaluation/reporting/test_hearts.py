import pytest
import SimpleITK as sitk  # noqa: N813
from helpers.label_stacks import heart, write_study, write_volume

from nnunet_cardiac_ext.evaluation.reporting.cases import CaseLine
from nnunet_cardiac_ext.evaluation.reporting.hearts import draw_heart
from nnunet_cardiac_ext.evaluation.reporting.sources import Sources

LABELS = {"RV": 1, "MYO": 2, "LV": 3}


@pytest.fixture
def folders(tmp_path):
    reference, prediction = write_study(tmp_path, subjects=1)
    return {"reference": reference, "prediction": prediction, "images": tmp_path / "imagesTr"}


def draw(folders, **others):
    used = {"reference": None, "images": None} | folders | others
    sources = Sources(
        ("patient000_ED",), LABELS, used["prediction"], used["reference"], used["images"], {}, None, {}, None, None,
        None, None,
    )  # fmt: skip
    return draw_heart(sources, "Only case", CaseLine("patient000_ED"))


def test_all_slices_with_both_contours(folders):
    found = draw(folders)
    assert (len(found.views), found.problem) == (6, "")
    assert {contour.is_reference for view in found.views for contour in view.contours} == {True, False}


def test_without_reference_and_images_the_prediction_is_drawn(folders):
    assert len(draw({"prediction": folders["prediction"]}).views) == 6


def test_of_a_cine_the_first_frame_is_drawn(folders, tmp_path):
    frames = [sitk.GetImageFromArray(heart(slices=6)), sitk.GetImageFromArray(0 * heart(slices=6))]
    (tmp_path / "cine").mkdir()
    sitk.WriteImage(sitk.JoinSeries(frames), str(tmp_path / "cine" / "patient000_ED.nii.gz"))
    views = draw({"prediction": tmp_path / "cine"}).views
    assert len(views) == 6
    assert views[0].contours


def test_a_file_that_has_gone_or_does_not_fit_is_told(folders, tmp_path):
    (folders["images"] / "patient000_ED_0000.nii.gz").unlink()
    assert "patient000_ED.nii.gz: cannot be read" in draw(folders).problem
    write_volume(folders["images"] / "patient000_ED.nii.gz", heart(slices=3))
    assert "as in the reference, got 3 x 24 x 24" in draw(folders).problem
    assert draw(folders, images=None).problem == ""
