"""Text and logs, line by line as a terminal would show them in the end."""

from __future__ import annotations

import difflib
from collections import Counter
from itertools import islice, zip_longest

from provenance.compare.judged import Judged, Part
from provenance.compare.kinds.base import Pair, open_text
from provenance.compare.values import Tally, counted, shown
from provenance.compare.volatile import masked
from provenance.core.verdict import DIFFERENT, WITHIN

KIND = "text"
MOST_ALIGNED = 20_000
"""Lines up to which inserted and left out lines are told apart from changed ones."""
MOST_COUNTED = 2_000_000
"""Lines up to which it is found whether only their order differs."""
_SIMILAR = 0.4


class _Lines(Tally):
    unit = "line"


def compare(pair: Pair) -> Judged:
    """Compare two texts; lines that one has more are told apart from lines that changed."""
    with open_text(pair.old, pair.old_name) as old, open_text(pair.new, pair.new_name) as new:
        tally = _Lines(pair.tolerance)
        tally.lines(old, new)
    if not tally.different:
        return tally.judged(KIND)
    with open_text(pair.old, pair.old_name) as old, open_text(pair.new, pair.new_name) as new:
        first, second = (list(islice(shown(one), MOST_COUNTED + 1)) for one in (old, new))
    if max(len(first), len(second)) > MOST_COUNTED:
        return tally.judged(KIND)
    if Counter(map(masked, first)) == Counter(map(masked, second)):
        moved = sum(1 for one, other in zip(first, second, strict=True) if one != other)
        detail = "the same lines in another order (%d of %d moved)" % (moved, len(first))
        figures = {"moved": moved, "lines": [len(first), len(second)]}
        part = Part("line %s" % tally.first.removeprefix("line "), DIFFERENT, tally.parts[0].detail)
        return Judged(DIFFERENT, detail, KIND, len(first), (part,), figures)
    if max(len(first), len(second)) > MOST_ALIGNED or tally.different < 2:
        return tally.judged(KIND)
    return _aligned(pair, first, second, tally)


def _aligned(pair: Pair, old: list[str], new: list[str], before: Tally) -> Judged:
    """Compare with inserted and left out lines set apart, where that leaves fewer differences."""
    plain = [masked(one) for one in old], [masked(one) for one in new]
    tally = _Lines(pair.tolerance)
    added = gone = 0
    matcher = difflib.SequenceMatcher(None, *plain)
    if matcher.quick_ratio() < _SIMILAR:
        return before.judged(KIND)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            for one, other in zip(old[a:b], new[c:d], strict=True):
                tally.text("", one, other)
            continue
        for at, (one, other) in enumerate(zip_longest(old[a:b], new[c:d])):
            added += one is None
            gone += other is None
            place = "line %d" % (c + at + 1 if one is None else a + at + 1)
            if one is None or other is None:
                text = "only in the %s: %.60s" % (
                    "second" if one is None else "first",
                    one or other,
                )
                tally.leaf(place, None, text)
                if tally.parts:
                    tally.parts[-1] = Part(place, DIFFERENT, text)
            else:
                tally.text(place, one, other)
    if not tally.different:
        return tally.judged(KIND)
    judged = tally.judged(KIND)
    words = ["%s only in the %s" % (counted(n, "line"), side)
             for n, side in ((gone, "first"), (added, "second")) if n]  # fmt: skip
    changed = tally.different - added - gone
    words = [*(["%s changed" % counted(changed, "line")] if changed else []), *words]
    detail = "%s; the first at %s" % (", ".join(words), tally.first)
    figures = {**judged.figures, "only_first": gone, "only_second": added}
    return judged._replace(detail=detail, figures=figures)


def unordered(pair: Pair, what: str) -> Judged | None:
    """Return "within tolerance" where only the order of the lines differs, and may; else None.

    what: why order does not matter in this form, as a clause.
    """
    with open_text(pair.old, pair.old_name) as old, open_text(pair.new, pair.new_name) as new:
        first, second = (Counter(shown(one)) for one in (old, new))
    if first != second:
        return None
    text = "the same lines in another order: " + what
    return Judged(WITHIN, text, KIND, sum(first.values()))
