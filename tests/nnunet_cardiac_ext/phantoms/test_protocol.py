from dataclasses import replace

import pytest

from nnunet_cardiac_ext.phantoms.protocol import ACDC_PROTOCOL
from nnunet_cardiac_ext.phantoms.subject import draw_subject

NARROW = replace(ACDC_PROTOCOL, spacings=(7.0,), voxels=(1.25,), rows=(200,), columns=(180,))


@pytest.mark.parametrize("number", range(3))
def test_a_subject_is_imaged_as_its_hospital_images(number):
    stack = draw_subject("NOR", (0, number), protocol=NARROW).stack
    assert (stack.spacing, stack.voxel, stack.shape) == (7.0, 1.25, (200, 180))


def test_stacks_that_go_further_show_more_than_the_heart():
    beyond = replace(NARROW, beyond=(3, 3))
    plain = [len(draw_subject("NOR", (0, n), protocol=NARROW).stack.depths) for n in range(4)]
    longer = [len(draw_subject("NOR", (0, n), protocol=beyond).stack.depths) for n in range(4)]
    assert sum(longer) > sum(plain)
