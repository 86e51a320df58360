import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from helpers.label_stacks import heart, write_volume

from nnunet_cardiac_ext.evaluation.scoring_pool import score_files, score_pairs
from nnunet_cardiac_ext.evaluation.scoring_settings import ScoringSettings

SETTINGS = ScoringSettings({"RV": 1, "MYO": 2, "LV": 3})


@pytest.fixture
def reference(tmp_path):
    write_volume(tmp_path / "reference.nii.gz", heart())
    return tmp_path / "reference.nii.gz"


def test_a_file_that_cannot_be_scored_stops_no_other(reference, tmp_path):
    (tmp_path / "broken.nii.gz").write_bytes(b"no image")
    pairs = {"a": (reference, tmp_path / "broken.nii.gz"), "b": (reference, reference)}
    first, second = score_pairs(pairs, SETTINGS)
    assert (first.case, first.score) == ("a", None)
    assert first.failure == f"{tmp_path / 'broken.nii.gz'}: cannot be read as an image"
    assert (second.case, second.failure) == ("b", "")
    assert {row.value for row in second.score.rows if row.metric == "dice"} == {1.0}


def test_rounding_of_the_spacing_is_no_remark(reference, tmp_path):
    write_volume(tmp_path / "rounded.nii.gz", heart(), spacing=(10.0, 2.0005, 1.0))
    write_volume(tmp_path / "other.nii.gz", heart(), spacing=(10.0, 2.02, 1.0))
    assert score_files("a", reference, tmp_path / "rounded.nii.gz", SETTINGS).score.remarks == []
    (remark,) = score_files("a", reference, tmp_path / "other.nii.gz", SETTINGS).score.remarks
    assert remark.endswith("spacing 10 x 2.02 x 1 mm differs from the reference's 10 x 2 x 1 mm, which was used")


@pytest.mark.parametrize(("degrees", "remarks"), [(0, 0), (40, 0), (50, 1), (180, 1)])
def test_axes_that_point_elsewhere_are_remarked(reference, tmp_path, degrees, remarks):
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    image = sitk.ReadImage(str(reference))
    image.SetDirection((cosine, -sine, 0, sine, cosine, 0, 0, 0, 1))
    sitk.WriteImage(image, str(tmp_path / "turned.nii.gz"))
    found = score_files("a", reference, tmp_path / "turned.nii.gz", SETTINGS).score.remarks
    assert len(found) == remarks
    assert all("an axis points elsewhere than in the reference" in remark for remark in found)


def test_labels_beside_those_named_are_background_only_where_that_was_asked_for(reference):
    one = {"LV": 3}
    strict = score_files("a", reference, reference, ScoringSettings(one))
    assert "expected the labels 0 (background), 3 (LV), got also 1" in strict.failure
    found = score_files("a", reference, reference, ScoringSettings(one, others_as_background=True)).score
    assert found.other_labels == (1, 2)
    assert {row.structure for row in found.rows} == {"LV"}
