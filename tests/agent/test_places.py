"""Recorded uses are found again in a file that was edited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.agent._places import moved
from provenance.core.use import Use
from provenance.core.uses import uses

SOURCE = """\
import numpy as np
from sklearn.cluster import KMeans as Clusters
np.random.seed(3)
a = Clusters(8, random_state=0)
b = Clusters(n_clusters=9, **more)
c = np.sort(a.fit_predict(b))
"""


def recorded() -> list[Use]:
    return list(uses(SOURCE, "fit.py"))


def as_read(source: str) -> set[str]:
    return {repr(use) for use in uses(source, "fit.py") if use.kind == "call"}


def as_moved(source: str) -> set[str]:
    return {repr(use) for use in moved(recorded(), source) if use.kind == "call"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("import numpy", "# one\n\n# two\nimport numpy"),
        ("Clusters(8,", "Clusters(8, n_init=10, algorithm='lloyd', weights=[1, None],"),
        ("seed(3)", "seed(4)  # other"),
        ("Clusters(8, random_state=0)", "Clusters()"),
        ("Clusters(8, random_state=0)", "Clusters(*args)"),
        ("c = np.sort(", "d = Clusters(2)\nc = np.sort("),
        ("np.random.seed(3)\n", ""),
    ],
)
def test_an_edited_file_gives_what_a_full_reading_gives(old: str, new: str) -> None:
    source = SOURCE.replace(old, new, 1) if old else SOURCE
    assert as_moved(source) == as_read(source)


def test_what_is_no_python_leaves_the_uses_as_they_were() -> None:
    assert moved(recorded(), "def broken(:\n") == tuple(recorded())


def test_a_name_that_stands_for_several_things_is_only_moved() -> None:
    source = "import a, b\na.fit(1)\nb.fit(2)\n"
    before = list(uses(source, "x.py"))
    after = moved(before, "# more\n" + source.replace("a.fit(1)\n", "a.fit(1)\na.fit(3)\n"))
    assert [use.symbol for use in after if use.kind == "call"] == ["a.fit", "b.fit"]


@given(st.text(alphabet="abK()=,.\n 1*'#", max_size=80))
def test_any_text_is_survived(text: str) -> None:
    assert isinstance(moved(recorded(), text), tuple)
