"""Which subject of one payload answers to which of another."""

from __future__ import annotations

from typing import List, Tuple

from provenance.core.difference import NotCompared
from provenance.core.record import Payload, Subject

Pair = Tuple[Subject, Subject]


def pairs(facet: str, old: Payload, new: Payload) -> Tuple[List[Pair], Tuple[NotCompared, ...]]:
    """Return the subjects that belong together, by id and rank, and the recorded ones left over.

    Where both sides have a single subject these belong together whatever they are called.
    """
    if len(old.subjects) == 1 and len(new.subjects) == 1:
        return [(old.subjects[0], new.subjects[0])], ()
    here = {(one.id, one.rank): one for one in reversed(new.subjects)}
    found: List[Pair] = []
    missing = []
    for one in old.subjects:
        other = here.get((one.id, one.rank), here.get((one.id, None)))
        if other is None:
            missing.append(NotCompared(facet, one.id, "there is no such %s here" % _word(one)))
        else:
            found.append((one, other))
    return found, tuple(missing)


def _word(subject: Subject) -> str:
    return "interpreter" if subject.interpreter else "subject"
