"""All readers on anything: they end soon, say what they could not read, and run nothing.

One file for all of them, so that a new reader is held to it from its first day: what is not in
`SEEDS` fails a test.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from provenance.specs import find
from tests.specs.seeds import SEEDS
from tests.specs.soundness import is_printable, module_of, sound

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
ALL = pytest.mark.parametrize("path", list(SEEDS))


def test_every_reader_has_a_file_here() -> None:
    assert {module_of(path) for path in SEEDS} == set(find.RANKS)


@ALL
def test_the_files_themselves_are_understood(path: str) -> None:
    for text in SEEDS[path]:
        assert sound(path, text.encode()).facts


@ALL
@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_codings_and_line_ends_state_the_same(path: str, coding: str) -> None:
    for text in SEEDS[path]:
        plain = sound(path, text.encode())
        for end in ("\n", "\r\n"):
            assert sound(path, text.replace("\n", end).encode(coding)) == plain


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("setup.cfg", "[options]\ninstall_requires = file: a\x02b\n"),
        ("requirements.txt", "-r a\x1b[31mb\nnumpy==1\x7f\n"),
        ("README.md", "## Install\n    conda install -c \x1b[31mx pytorch=1.7\n"),
        ("uv.lock", 'version = 1\n[[package]]\nname = "a\\u202e"\nversion = "1"\n'),
        ("renv.lock", '{"Packages": {"": {"Version": "1"}, "a\\u0000": {"Version": "1"}}}'),
    ],
)
def test_what_would_steer_a_terminal_is_no_fact_and_is_not_shown(path: str, text: str) -> None:
    spec = sound(path, text.encode())
    assert spec.unread
    assert not spec.complete


@ALL
def test_files_that_end_early(path: str) -> None:
    for text in SEEDS[path]:
        for size in range(0, len(text), 1 + len(text) // 40):
            sound(path, text[:size].encode())


@ALL
@QUICK
@given(data=st.binary(max_size=300))
@example(data=b"")
@example(data=b"\0")
@example(data="\udc80\ud800".encode("utf-8", "surrogatepass"))
@example(data=b"PK\x03\x04" + b"\0" * 100)
@example(data=b"\x1f\x8b\x08" + b"\0" * 100)
def test_any_bytes(path: str, data: bytes) -> None:
    sound(path, data)


ODD = """\
\\ ' " ''' $ ${ $( ` { } [ ] ( ) < > << | || & && ; # : - == >= = => , . * ^ ~ @ [[ !! <<: &a *a
FROM RUN ENV ARG COPY --from= pip install conda -c -r -e git+ file:// python 3.6 or later (https://
![ ``` ~~~ {{x}} {%if%} :: null true 1e999 open( if then fi for %post Bootstrap: md5: path: package
version name dependencies 9999999999999999999999 1. é"""
PIECES = st.sampled_from(
    [
        *ODD.split(),
        *("", " ", "  ", "\n", "\n\n", "\t", "\r\n", "\0", "\x0c", "\x85", "\x1b[31m", "\ufeff"),
        *("\u2028", "\u202e", "\ue000", "\udc80", '"""', "<<EOF\n", "EOF\n", "|\n", "if x:\n "),
        *("9" * 5000, "1" * 10000),
    ]
)


@ALL
@settings(QUICK, max_examples=40)
@given(
    which=st.integers(0, 9),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), PIECES), min_size=1, max_size=8),
    coding=st.sampled_from(["utf-8"] * 5 + ["utf-8-sig", "utf-16", "latin-1"]),
)
def test_files_that_were_changed(
    path: str, which: int, cuts: list[tuple[float, int, str]], coding: str
) -> None:
    text = SEEDS[path][which % len(SEEDS[path])]
    for place, length, piece in cuts:
        at = int(place * len(text))
        text = text[:at] + piece + text[at + length :]
    sound(path, text.encode(coding, "surrogatepass" if coding == "utf-8" else "replace"))


def loaded(path: str, text: str) -> Any:
    """Return the tables that a file holds, None where it is no such file."""
    if module_of(path) in ("packrat_lock", "description", "setup_cfg", "setup_py"):
        return None
    for loads in (json.loads, tomllib.loads, yaml.safe_load):
        try:
            value = loads(text)
        except (ValueError, yaml.YAMLError):
            continue
        if isinstance(value, dict):
            return value
    return None


def as_toml(value: Any) -> str:
    """Return a value in TOML, all of it inline."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join(
            "%s = %s" % (json.dumps(str(k)), as_toml(v)) for k, v in value.items()
        )
    if isinstance(value, list):
        return "[%s]" % ", ".join(map(as_toml, value))
    if value is None:
        return '""'
    if isinstance(value, float):
        return str(value)
    return json.dumps(value if isinstance(value, bool | int | str) else str(value))


STRUCTURED = {
    path: [one for one in (loaded(path, text) for text in texts) if one]
    for path, texts in SEEDS.items()
}
STRUCTURED = {path: ones for path, ones in STRUCTURED.items() if ones}

WRONG = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 3),
        st.sampled_from([10**30, 1e308, 1.5, -0.0]),
        st.sampled_from(
            ["", " ", "*", "1.0", "x", "\x1b", "a\nb", "==", "https://h/x-1.0.zip", "../x"]
        ),
        st.text(max_size=5).filter(is_printable),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "version", "url", "git", "path", "md5", ""]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)  # fmt: skip


def changed(value: Any, draw: Any, chance: int) -> Any:
    """Return the value with parts replaced by others of any kind; keys stay."""
    if draw(st.integers(0, chance)) == 0:
        return draw(WRONG)
    if isinstance(value, dict):
        return {key: changed(one, draw, chance) for key, one in value.items()}
    if isinstance(value, list):
        return [changed(one, draw, chance) for one in value]
    return value


@pytest.mark.parametrize("path", list(STRUCTURED))
@settings(QUICK, max_examples=30)
@given(data=st.data())
def test_right_keys_with_wrong_values(path: str, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(STRUCTURED[path]))
    chance = data.draw(st.sampled_from([3, 10, 30]))
    made = {key: changed(one, data.draw, chance) for key, one in whole.items()}
    if path.endswith((".toml", "Pipfile")) or module_of(path) in (
        "uv_lock",
        "poetry_lock",
        "pdm_lock",
    ):
        text = "".join("%s = %s\n" % (json.dumps(key), as_toml(one)) for key, one in made.items())
    else:
        text = json.dumps(made, default=str)
    sound(path, text.encode())
