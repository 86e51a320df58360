"""Fixtures of tests that write plans."""

import json

import pytest
from helpers.tiny_plans import tiny_plans


@pytest.fixture
def plans_file(nnunet_root):
    """The plans of an otherwise empty data set 999."""
    path = nnunet_root / "preprocessed/Dataset999_Tiny/nnUNetPlans.json"
    path.parent.mkdir()
    path.write_text(json.dumps(tiny_plans()))
    return path
