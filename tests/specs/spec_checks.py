"""What must hold of every reader, whatever it is given."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from provenance.specs._text import decoded
from provenance.specs.model import (
    EXACT,
    EXACTNESS,
    PACKAGE,
    PLATFORM,
    Fact,
    Source,
    Spec,
    Unreadable,
)

Reader = Callable[[Source], Spec]


def read(reader: Reader, text: str | bytes, path: str = "f") -> Spec:
    data = text.encode() if isinstance(text, str) else text
    return reader(Source(path, data))


def rows(spec: Spec) -> list[tuple[int, str, str, str]]:
    """Return line, name, exactness and version (or specifier) of the packages."""
    return [
        (int(one.where.rpartition(":")[2]), one.name, one.exactness, one.version or one.specifier)
        for one in spec.facts
        if one.kind != PLATFORM
    ]


def platforms(spec: Spec) -> list[tuple[str, str]]:
    return [(one.name, one.where) for one in spec.facts if one.kind == PLATFORM]


def fact(spec: Spec, name: str, kind: str = PACKAGE) -> Fact:
    (one,) = (one for one in spec.facts if one.name == name and one.kind == kind)
    return one


def unread(spec: Spec) -> list[tuple[str, str]]:
    return [(one.where, one.text) for one in spec.unread]


def holds(reader: Reader, data: bytes) -> None:
    """Assert that nothing but Unreadable comes of ``data`` and that all lines are in it."""
    last, wrong = 0, None
    try:
        last = decoded(data).count("\n") + 1
    except Unreadable as error:
        last, wrong = max(error.line, 1), error
    try:
        spec = reader(Source("some/f", data))
    except Unreadable as error:
        wrong = error
    else:
        assert wrong is None
        _stands(spec, last)
    if wrong is not None:
        assert 0 <= wrong.line <= last
        assert wrong.why.endswith(".")
        assert "\n" not in wrong.why


def _stands(spec: Spec, last: int) -> None:
    assert spec.facts or spec.unread
    for place in [one.where for one in spec.facts] + [one.where for one in spec.unread]:
        path, _, line = place.rpartition(":")
        assert path == "some/f"
        assert 1 <= int(line) <= last
    for one in spec.facts:
        assert one.exactness in EXACTNESS
        assert bool(one.version) == (one.exactness == EXACT) or one.kind == "data"
        assert one.name
    for miss in spec.unread:
        assert miss.why.endswith(".")
        assert len(miss.text) <= 100


def mutated(*files: str) -> st.SearchStrategy[bytes]:
    """Return files that look like ``files`` but for some pieces put in, cut out or doubled."""
    odd = st.sampled_from(
        ["", "\n", " ", ":", "- ", "=", "[", "{", "]", "#", "&a ", "*a", "'", "\ufeff", "\0", "\r",
         "\t", "!!", "|\n", "<<: ", "9" * 5000, "\u2028", "{{ x }}", "{% if %}", "::", "@", ",",
         "1", "git+", "%", "null", "~", "-e .", "\ud7ff", "  "]
    )  # fmt: skip
    cut = st.tuples(st.integers(0, 3000), st.integers(0, 40), odd)

    def made(file: str, cuts: list[tuple[int, int, str]]) -> bytes:
        for at, length, put in cuts:
            at %= len(file) + 1  # noqa: PLW2901
            file = file[:at] + put + file[at + length :]
        return file.encode("utf-8", "replace")

    whole = st.builds(made, st.sampled_from(files), st.lists(cut, min_size=1, max_size=6))
    bad = st.builds(lambda data, more: data[: len(data) // 2] + more, whole, st.binary())
    return st.one_of(whole, bad, st.binary())
