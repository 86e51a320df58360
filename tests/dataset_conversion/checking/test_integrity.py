import numpy as np
import pytest
from helpers.converted_files import check, rewrite


@pytest.mark.slow
def test_nnunets_own_check_has_its_say(converted):
    assert check(integrity=True).integrity == "passed"
    rewrite(converted / "labelsTr" / "patient001_frame01.nii.gz", lambda labels: np.full_like(labels, 9))
    found = check(integrity=True)
    assert found.integrity == "failed"
    assert "nnU-Net's integrity check:" in found.problems[-1]
