"""A small converted data set to check."""

import pytest
from helpers.acdc_files import write_database

from dataset_conversion.acdc import convert


@pytest.fixture
def converted(nnunet_root, tmp_path):
    source = write_database(tmp_path / "database", training=3, testing=1, cine=True)
    return convert(source, 27, frames="all", workers=1, quiet=True).folder
