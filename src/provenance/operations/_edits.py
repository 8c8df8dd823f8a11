"""What was edited in a file, in one line: where it begins, the old line and the new one."""

from __future__ import annotations

import difflib

LONGEST = 100
"""Letters of a line that are shown."""
MOST_BYTES = 1 << 20
"""Of a file whose lines are compared."""


def told(original: str, edited: str) -> str:
    """Return the first edit and how many lines it is of, "" where that cannot be said."""
    try:
        old, new = _lines(original), _lines(edited)
    except (OSError, ValueError):
        return ""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    blocks = [one for one in matcher.get_opcodes() if one[0] != "equal"]
    if not blocks:
        return ""
    _, start, end, first, last = blocks[0]
    count = sum(max(one[2] - one[1], one[4] - one[3]) for one in blocks)
    was = repr(_short(old[start])) if end > start else "nothing"
    now = repr(_short(new[first])) if last > first else "nothing"
    more = " (and %d more lines)" % (count - 1) if count > 1 else ""
    return "line %d: %s -> %s%s" % (first + 1, was, now, more)


def _lines(path: str) -> list[str]:
    with open(path, encoding="utf-8") as stream:
        text = stream.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise ValueError("too long to compare")
    return text.splitlines()


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."
