"""M&Ms phantoms on coarse voxels, which take a tenth of the time; in this process only."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from nnunet_cardiac_ext.phantoms import mnms


@contextmanager
def small_vendors():
    """Let every vendor image with 96 x 88 voxels of 3 mm."""
    vendors = {
        letter: replace(vendor, protocol=replace(vendor.protocol, voxels=(3.0,), rows=(96,), columns=(88,)))
        for letter, vendor in mnms.VENDORS.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mnms, "VENDORS", vendors)
        yield
