"""What people type for a run."""

import pytest

from provenance.core import runid

ONE, TWO = "20260314T091500Z-1a2b3c4d", "20260315T091500Z-9f8e7d6c"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (ONE, [ONE]),
        ("1a2b", [ONE]),
        ("3c4d", [ONE]),
        ("20260315", [TWO]),
        ("2026", [ONE, TWO]),
        ("2b3c", []),
        ("", []),
    ],
)
def test_a_part_of_an_id(name, found):
    assert runid.meant(name, [ONE, TWO]) == found


def test_nothing_is_no_part_of_the_only_run():
    assert runid.meant("", [ONE]) == []


def test_an_id_has_no_line_end():
    assert not runid.is_id(ONE + "\n")
