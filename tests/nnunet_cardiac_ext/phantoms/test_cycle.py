import numpy as np
import pytest

from nnunet_cardiac_ext.phantoms.cycle import cycle, end_systole


@pytest.mark.parametrize("frames", [3, 4, 12, 30])
def test_cycle_starts_relaxed_and_peaks_once(frames):
    phases = cycle(frames)
    assert phases[0] == 0
    assert phases[end_systole(frames)] == 1
    assert (phases >= 0).all()
    assert np.argmax(phases) == end_systole(frames)
    assert phases[-1] < 0.6
