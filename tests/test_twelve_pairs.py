"""Twelve pairs with known answers: what ``docs/twelve-pairs.md`` says of them is what is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import pairs_made
from tests.conftest import Prov

PAGE = Path(__file__).parent.parent / "docs" / "twelve-pairs.md"
ROW = re.compile(r"^\| (?P<pair>[^|]+) \| (?P<verdict>[a-z ]+) \| `+(?P<said>.+?)`+ \|$", re.M)
TABLE = {
    row["pair"]: (row["verdict"], row["said"].strip()) for row in ROW.finditer(PAGE.read_text())
}


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> pairs_made.Both:
    return pairs_made.Both(tmp_path_factory.mktemp("pairs") / "project")


def test_the_table_is_of_all_twelve() -> None:
    assert list(TABLE) == [*pairs_made.TRAINED, *pairs_made.STORED]
    assert len(TABLE) == 12


@pytest.mark.parametrize("pair", pairs_made.TRAINED)
def test_two_trainings_are_told_apart(trainings: pairs_made.Both, pair: str) -> None:
    verdict, sentence = pairs_made.told(trainings.prov, pairs_made.TRAINED[pair](trainings))
    assert verdict == TABLE[pair][0]
    assert TABLE[pair][1] in sentence


@pytest.mark.parametrize("pair", pairs_made.STORED)
def test_two_files_are_told_apart(tmp_path: Path, pair: str) -> None:
    names = pairs_made.STORED[pair](tmp_path)
    verdict, sentence = pairs_made.told(Prov(tmp_path), names)
    assert verdict == TABLE[pair][0]
    assert TABLE[pair][1] in sentence
