"""All readers of tables on anything: they end, and raise nothing but `Unreadable`."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.specs import (
    description,
    julia_manifest,
    julia_project,
    packrat_lock,
    pdm_lock,
    pipfile,
    pipfile_lock,
    poetry_lock,
    pylock,
    pyproject,
    renv_lock,
    setup_cfg,
    setup_py,
    uv_lock,
)

from ._said import holds
from .test_julia import PROJECT as JULIA_PROJECT
from .test_julia import TWO as JULIA_MANIFEST
from .test_pdm_lock import PDM, PYLOCK
from .test_pipfile import LOCK as PIPFILE_LOCK
from .test_pipfile import PIPFILE
from .test_poetry_lock import OLD, TWO
from .test_pyproject import PEP621, POETRY
from .test_r_files import DESCRIPTION, PACKRAT, RENV
from .test_setup_cfg import TEXT as SETUP_CFG
from .test_setup_py import LITERAL as SETUP_PY
from .test_uv_lock import LOCK as UV

FILES = {
    "pipfile": (pipfile.read, PIPFILE),
    "pipfile_lock": (pipfile_lock.read, json.dumps(PIPFILE_LOCK, indent=1)),
    "poetry_lock 1": (poetry_lock.read, OLD),
    "poetry_lock 2": (poetry_lock.read, TWO),
    "pyproject": (pyproject.read, PEP621),
    "pyproject poetry": (pyproject.read, POETRY),
    "uv_lock": (uv_lock.read, UV),
    "pdm_lock": (pdm_lock.read, PDM),
    "pylock": (pylock.read, PYLOCK),
    "setup_cfg": (setup_cfg.read, SETUP_CFG),
    "setup_py": (setup_py.read, SETUP_PY),
    "renv_lock": (renv_lock.read, json.dumps(RENV, indent=1)),
    "description": (description.read, DESCRIPTION),
    "packrat_lock": (packrat_lock.read, PACKRAT),
    "julia_project": (julia_project.read, JULIA_PROJECT),
    "julia_manifest": (julia_manifest.read, JULIA_MANIFEST),
}
READERS = pytest.mark.parametrize("name", FILES)

PIECES = st.sampled_from(
    [
        *("\n \r \t \0 \x0c \ufeff \u2028 é \\ ' \" ''' \"\"\"".split(" ")),
        *("[ ] [[ { } ( ) = , . # ; : - * ^ || == x true 1e999 null".split()),
        *("package version name dependencies open( 999999999999999999999999999".split()),
        *("", " ", "if x:\n "),
    ]
)


@READERS
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes(name, data):
    holds(FILES[name][0], data)


@READERS
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_changed_files(name, data):
    read, text = FILES[name]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 30))
        text = text[:start] + data.draw(PIECES) + text[end:]
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    holds(read, text.encode(encoding, "replace"))


@READERS
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_changed_values(name, data):
    """A value of another kind, which leaves a file of tables valid."""
    read, text = FILES[name]
    lines = text.split("\n")
    number = data.draw(st.integers(0, len(lines) - 1))
    for sign in ("=", ":"):
        before, found, after = lines[number].partition(sign)
        if found:
            value = data.draw(
                st.sampled_from(["1", "1.5", '"x"', "[]", "{}", '[1, "x"]', '""', "[[1]]"])
            )
            comma = "," if after.endswith(",") else ""
            lines[number] = before + sign + " " + value + comma
            break
    holds(read, "\n".join(lines).encode())


@READERS
@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "{",
        "(",
        "a.",
        "'",
        '"',
        "\\",
        "x = 1\n",
        "a=",
        "- ",
        "\n",
        " ",
        ";",
        ",",
        "[[a]]\n",
        "é",
    ],
)
def test_the_same_again_and_again(name, piece):
    """No piece, however often repeated, takes long or breaks a reader."""
    read, text = FILES[name]
    started = time.perf_counter()
    again = piece * (60_000 // len(piece))
    holds(read, again.encode())
    holds(read, (text + again).encode())
    holds(read, ('x = "' + again + '"').encode())
    assert time.perf_counter() - started < 10


@READERS
def test_every_line_cut_short(name):
    read, text = FILES[name]
    for size in range(0, len(text), 37):
        holds(read, text[:size].encode())


@READERS
def test_the_whole_file(name):
    read, text = FILES[name]
    spec = holds(read, text.encode())
    assert spec.facts
    crlf = holds(read, text.replace("\n", "\r\n").encode("utf-16"))
    assert (crlf.facts, crlf.unread) == (spec.facts, spec.unread)
