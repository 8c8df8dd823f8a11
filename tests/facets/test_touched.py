"""Which paths count as touched: judged per folder, with the same answer as for each by itself."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from provenance.core.context import AFTER, Context, Interpreter
from provenance.core.paths import Roots
from provenance.core.redact import Redactor
from provenance.facets._folding import below_a_root
from provenance.facets._touched import _Gathering

HOME, REPO = "/nowhere/home", "/nowhere/home/work/.tox/repo"
PARTS = (
    "home work .tox repo data .git x.npy .netrc .keras keras.json .cache pip env lib .. . "
    "site-packages usr .prov tokens"
).split()


def gathering() -> _Gathering:
    interpreter = Interpreter("python", "", "3.11", prefix=REPO + "/env")
    return _Gathering(
        Context(
            phase=AFTER,
            roots=Roots(REPO, REPO + "/data", HOME),
            command=("python",),
            environ={},
            redact=Redactor.from_environment({}),
            digest=lambda path, algorithms: {},
            interpreters=(interpreter,),
        )
    )


paths = st.lists(
    st.tuples(
        st.sampled_from(["", "/", "/usr/", "/nowhere/", HOME + "/", REPO + "/", REPO + "/env/"]),
        st.lists(st.sampled_from(PARTS), min_size=1, max_size=4),
    ).map(lambda pair: pair[0] + "/".join(pair[1])),
    max_size=12,
)


@given(paths)
def test_a_path_is_placed_and_judged_as_if_it_were_the_only_one(several: list[str]) -> None:
    shared = gathering()
    for path in several:
        full = os.path.normpath(os.path.join(REPO, "data", path))
        folder, name = os.path.split(full)
        placed = os.path.join(below_a_root(folder, shared.tops), name)
        assert shared._place(path) == placed
        assert shared._left_out(placed) == gathering()._judge(placed)
