"""Fixtures of the region cascade: tiny models once per file, and a classifier that sees a heart in every stack."""

import pytest
from helpers.tiny_cascade import answer, heart_answer, write_tiny_cascade

from inference_pipelines.cascade_models import load_models


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of the five models by name."""
    return write_tiny_cascade(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def models(trained):
    """The five models in memory."""
    return load_models(trained)


@pytest.fixture
def classifier(monkeypatch):
    """The classifier answers as `heart_answer` does."""
    answer(monkeypatch, heart_answer)
