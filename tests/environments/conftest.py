"""The index of one test."""

import pytest

from tests.environments._index import Index


@pytest.fixture
def index(tmp_path):
    return Index(tmp_path)
