import numpy as np

from nnunet_cardiac_ext.evaluation.heart.aha import SEGMENTS
from nnunet_cardiac_ext.regions import Region


def test_numbers_and_names_of_the_standard():
    names = [segment.name for segment in SEGMENTS]
    assert names == [
        "basal anterior", "basal anteroseptal", "basal inferoseptal", "basal inferior", "basal inferolateral",
        "basal anterolateral", "mid anterior", "mid anteroseptal", "mid inferoseptal", "mid inferior",
        "mid inferolateral", "mid anterolateral", "apical anterior", "apical septal", "apical inferior",
        "apical lateral",
    ]  # fmt: skip
    assert [segment.number for segment in SEGMENTS] == list(range(1, 17))


def test_every_angle_of_a_ring_belongs_to_one_segment():
    angles = np.deg2rad(np.arange(0, 360, 0.5))
    for ring in (Region.BASE, Region.MIDDLE, Region.APEX):
        held = sum(segment.contains(angles).astype(int) for segment in SEGMENTS if segment.ring == ring)
        assert (held == 1).all()


def test_middles_of_the_walls():
    degrees = {
        "basal anterior": 90, "basal anteroseptal": 30, "basal inferoseptal": 330, "basal inferior": 270,
        "mid inferolateral": 210, "mid anterolateral": 150, "apical septal": 0, "apical anterior": 90,
        "apical lateral": 180, "apical inferior": 270,
    }  # fmt: skip
    for segment in SEGMENTS:
        if segment.name in degrees:
            assert segment.contains(np.deg2rad([degrees[segment.name]])).all()
            assert (segment.start + segment.width / 2) % 360 == degrees[segment.name]


def test_sectors_of_the_image_are_named_by_their_angles():
    names = {segment.number: segment.image_name for segment in SEGMENTS}
    assert names[2] == "basal, image 0 to 60 degrees"
    assert names[14] == "apical, image 315 to 45 degrees"
