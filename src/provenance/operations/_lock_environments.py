"""What ``prov.lock`` carries of the environments of its runs: hashes, and what no index has."""

from __future__ import annotations

from collections.abc import Sequence

from provenance.operations import hashes, wheels
from provenance.operations.references import Reference
from provenance.store.lockfile import Lock
from provenance.store.project import Project


def added(
    made: Lock,
    chosen: Sequence[Reference],
    place: Project,
    wish: hashes.Wish | None,
    nameless: bool = False,
) -> tuple[Lock, tuple[str, ...], tuple[str, ...]]:
    """Return ``made`` with the environments of its runs, notes, and sentences on what is doubtful.

    wish: None for nothing. nameless: without wheels, whose metadata have names.
    """
    if wish is None:
        return made, (), ()
    hashed = hashes.carried(made.runs, place, wish)
    notes, problems = [*hashed.notes], [*hashed.problems]
    kept = {}
    for one in () if nameless else chosen:
        found = wheels.carried(one.record, place, hashes.unknown(hashed, one.record.id))
        notes += found.notes
        problems += found.problems
        if found.wheels:
            kept[one.record.id] = found.wheels
    made = made._replace(requirements=hashed.requirements, wheels=kept)
    return made, tuple(dict.fromkeys(notes)), tuple(dict.fromkeys(problems))
