"""What comes near to a file that no record knows: its path with other content, its name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from provenance.core.verdict import SAME
from provenance.errors import ProvError
from provenance.operations import loose
from provenance.operations._lineage_facts import CODE, WROTE, short
from provenance.operations._lineage_records import Records
from provenance.operations._lineage_subject import Finder, Subject

MOST = 5
"""Near answers of each kind."""

PATH, NAME, CONTENT = "path", "name", "content"

MOST_BYTES = 512 << 20
"""Of two files that are compared by what they say and not by their bytes."""


class Near(NamedTuple):
    """A recorded file that is not the one asked about.

    kind: content (other bytes that say the same: equal tensors in another container), path
    (recorded under the same path with other content), or name. text: a sentence.
    """

    kind: str
    run: str
    path: str
    digests: tuple[str, ...]
    text: str


def near(subject: Subject, known: Records, finder: Finder) -> tuple[Near, ...]:
    """Return what comes near to an unknown file, the most telling first."""
    if not subject.path:
        return ()
    now = short(next((one for one in subject.digests if one), "")) or "other content"
    found, seen = [], set()
    for run_id, touch in reversed(finder.recorded(subject.path)):
        if touch.side == CODE or (touch.digests, touch.side) in seen:
            continue
        seen.add((touch.digests, touch.side))
        did = "wrote" if touch.side == WROTE else "read"
        was = short(touch.digests[0]) if touch.digests else "content without digest"
        text = "run %s %s %s under this path, now %s: changed since" % (
            _title(known, run_id), did, was, now,
        )  # fmt: skip
        if not touch.digests:
            text = "run %s %s this path; its digest is %s, so that this may be the same file" % (
                _title(known, run_id), did, touch.state,
            )  # fmt: skip
        found.append(Near(PATH, run_id, touch.path, touch.digests, text))
    every = (*found[:MOST], *_named(subject, known, {one.run for one in found}))
    return (*_equal(subject, known, finder, every), *every)


def _equal(
    subject: Subject, known: Records, finder: Finder, found: tuple[Near, ...]
) -> Iterator[Near]:
    """Yield those of ``found`` that lie here as recorded and say the same as the file."""
    tried: set[str] = set()
    for one in found:
        place = finder.unchanged(one.run, one.path, one.digests)
        if not place or place in tried or place == subject.path:
            continue
        tried.add(place)
        try:
            if max(os.path.getsize(place), subject.size) > MOST_BYTES:
                continue
            result = loose.diff(loose.sides(os.path.dirname(place), place, subject.path))
        except (ProvError, OSError):
            continue
        if result.judged.verdict == SAME:
            text = "%s of run %s says the same, value by value; only the bytes differ" % (
                one.path, _title(known, one.run),
            )  # fmt: skip
            yield Near(CONTENT, one.run, one.path, one.digests, text)


def _named(subject: Subject, known: Records, but: set[str]) -> list[Near]:
    name = os.path.basename(subject.path)
    runs = sorted(known.by_name(name) - but, key=lambda one: known.facts(one).order, reverse=True)
    found: list[Near] = []
    for run_id in runs:
        for touch in known.facts(run_id).touches:
            if touch.name != name or touch.side == CODE or len(found) >= MOST:
                continue
            did = "wrote" if touch.side == WROTE else "read"
            same = touch.size == subject.size and touch.files is None
            text = "run %s %s a file of this name, %s (%s%s)" % (
                _title(known, run_id), did, touch.path,
                short(touch.digests[0]) if touch.digests else touch.state,
                ", of the same size" if same else "",
            )  # fmt: skip
            found.append(Near(NAME, run_id, touch.path, touch.digests, text))
    return found


def _title(known: Records, run_id: str) -> str:
    facts = known.facts(run_id)
    name = ' "%s"' % facts.name if facts.name else ""
    return "%s%s" % (run_id.rpartition("-")[2], name)
