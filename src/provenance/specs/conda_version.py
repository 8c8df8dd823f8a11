"""Whether a version is among those that a spec of conda's allows.

As conda's documentation orders versions: parts between dots, in them numbers and words by turns,
words before numbers, ``dev`` before words and ``post`` after numbers, zeros at the end without
weight; the epoch before ``!`` first, what follows ``+`` last.
"""

from __future__ import annotations

import itertools
import re

Part = tuple[tuple[int, int, str], ...]
"""One part between dots: of each piece its rank, its number and its word."""

_LONGEST = 200
_VALID = re.compile(r"[0-9a-z_.!+-]+\Z")
_PIECE = re.compile(r"[0-9]+|[a-z_-]+")
_CLAUSE = re.compile(r"(===|==|!=|>=|<=|~=|=|<|>)?\s*([^\s<>=!~]+(?:![^\s<>=!~]+)?)\Z")
_DEV, _WORD, _NUMBER, _POST = range(4)
_ZERO = (_NUMBER, 0, "")


class _Version:
    """A version in its parts."""

    def __init__(self, text: str) -> None:
        text = text.strip().lower().rstrip(".")
        if len(text) > _LONGEST or not _VALID.match(text):
            raise ValueError("No version that conda orders.")
        epoch, mark, rest = text.rpartition("!")
        if mark and not (epoch.isdigit() and epoch.isascii()):
            raise ValueError("No version that conda orders.")
        self.epoch = int(epoch or 0)
        main, _, local = rest.partition("+")
        self.main, self.local = _parts(main), _parts(local)


def allows(specifier: str, version: str) -> bool | None:
    """Return whether ``version`` is among those of ``specifier``; None where that cannot be told.

    specifier: the version part of a spec as written ("=1.2", ">=1,<2|3.*", "1.2", "" for any).
    """
    try:
        have = _Version(version)
        return any(
            all(_holds(clause.strip(), have) for clause in way.split(","))
            for way in specifier.split("|")
        )
    except ValueError:
        return None


def compare(one: str, other: str) -> int:
    """Return -1, 0 or 1 as ``one`` is before, equal to or after ``other``; raises ValueError."""
    return _order(_Version(one), _Version(other))


def _holds(clause: str, have: _Version) -> bool:
    if clause in ("", "*", "=*", "==*"):
        return True
    found = _CLAUSE.match(clause)
    if found is None:
        raise ValueError("No clause of a spec.")
    sign, text = found[1] or "", found[2]
    open_end = text.endswith("*")
    text = text[:-1].rstrip(".") if open_end else text
    wanted = _Version(text)
    if sign == "~=":
        series = text.rpartition(".")[0]
        return _order(have, wanted) >= 0 and (
            _begins(have, _Version(series)) if series else have.epoch == wanted.epoch
        )
    if sign in (">=", "<=", ">", "<"):
        order = _order(have, wanted)
        return {">=": order >= 0, "<=": order <= 0, ">": order > 0, "<": order < 0}[sign]
    if sign == "=" or open_end or clause.endswith("."):
        same = _begins(have, wanted)
    else:
        same = _order(have, wanted) == 0
    return same != (sign == "!=")


def _parts(text: str) -> tuple[Part, ...]:
    return tuple(_part(one) for one in re.split(r"[._-]", text)) if text else ()


def _part(text: str) -> Part:
    pieces = [_ranked(one) for one in _PIECE.findall(text)] or [_ZERO]
    # A part that begins with a word has a zero before it: 1.a is 1.0a.
    return tuple(pieces if pieces[0][0] == _NUMBER else [_ZERO, *pieces])


def _ranked(piece: str) -> tuple[int, int, str]:
    if piece.isdigit():
        return _NUMBER, int(piece), ""
    return {"dev": _DEV, "post": _POST}.get(piece, _WORD), 0, piece


def _order(one: _Version, other: _Version) -> int:
    if one.epoch != other.epoch:
        return 1 if one.epoch > other.epoch else -1
    return _ordered(one.main, other.main) or _ordered(one.local, other.local)


def _ordered(one: tuple[Part, ...], other: tuple[Part, ...]) -> int:
    for left, right in itertools.zip_longest(one, other, fillvalue=(_ZERO,)):
        for a, b in itertools.zip_longest(left, right, fillvalue=_ZERO):
            if a != b:
                return 1 if a > b else -1
    return 0


def _begins(have: _Version, wanted: _Version) -> bool:
    """Return whether ``have`` is ``wanted``, or goes on from it behind a whole piece."""
    if wanted.local:
        return (
            have.epoch == wanted.epoch
            and not _ordered(have.main, wanted.main)
            and (have.local[: len(wanted.local)] == wanted.local)
        )
    if have.epoch != wanted.epoch or not wanted.main:
        return False
    depth = len(wanted.main) - 1
    if _ordered(have.main[:depth], wanted.main[:depth]):
        return False
    last = have.main[depth] if len(have.main) > depth else (_ZERO,)
    asked = wanted.main[depth]
    if asked[-1][0] == _WORD and len(last) >= len(asked):
        end = last[len(asked) - 1]
        return last[: len(asked) - 1] == asked[:-1] and end[2].startswith(asked[-1][2])
    return last[: len(asked)] == asked
