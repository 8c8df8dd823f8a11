"""What must hold of the answer to any file, whichever reader gives it."""

from __future__ import annotations

import time
import unicodedata

from provenance.specs import formats
from provenance.specs.model import EXACT, EXACTNESS, PLACED, Source, Spec
from tests.specs.seeds import MODULES

BUDGET_S = 10.0
"""Of processor time. The slowest real file takes 0.1 s here; what explodes never ends."""

FOLDER = "a:b/"
"""A folder with a colon: places are split at the last one."""


def module_of(path: str) -> str:
    return MODULES.get(path) or formats.module_of(path)


def sound(path: str, data: bytes) -> Spec:
    """Read ``data`` as the file ``path``, and assert all that must hold of any answer."""
    asked: list[str] = []

    def sibling(name: str) -> bytes | None:
        asked.append(name)
        return b"b==1\n-r other.txt\n" if name.endswith(".txt") else None

    begin = time.process_time()
    spec = formats.read(Source(FOLDER + path, data, sibling), module_of(path))
    took = time.process_time() - begin
    assert took < BUDGET_S, "%s took %.1f s" % (path, took)
    assert len(asked) <= 1000
    lines = data.replace(b"\r\n", b"\n").count(b"\n") + data.count(b"\r") + 1
    for one in (*spec.facts, *spec.unread):
        name, _, line = one.where.rpartition(":")
        assert name == FOLDER + path or name in spec.included, one
        assert 1 <= int(line) <= max(lines, 3), one
    for unread in spec.unread:
        assert not unread.why.startswith(("Reading it failed", "There is no reader")), unread
        assert unread.why.endswith("."), unread
        assert len(unread.why) > 8
        assert len(unread.text) <= 200
        assert is_printable(unread.why + unread.text), unread
    for fact in spec.facts:
        assert fact.exactness in EXACTNESS
        assert fact.name
        assert fact.exactness != EXACT or fact.version or fact.digest, fact
        assert not fact.version or fact.exactness in (EXACT, PLACED), fact
        for value in fact:
            assert is_printable(value if isinstance(value, str) else repr(value)), fact
    for note in spec.notes:
        assert is_printable(note), note
    assert spec.facts or spec.unread or spec.notes
    return spec


def is_printable(text: str) -> bool:
    """Return whether no character of a text would steer a terminal or fail to be encoded."""
    turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return not any(unicodedata.category(one) in ("Cc", "Cs") or one in turning for one in text)
