"""The known behaviour changes that come with this package, read from ``entries/``."""

from __future__ import annotations

import json
import os
from typing import Dict, Iterable, List, Tuple

from provenance.knowledge import entry as entries_
from provenance.knowledge.entry import Entry

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "entries")

_LOADED: List[Tuple[Entry, ...]] = []


def load(folder: str = FOLDER) -> Tuple[Entry, ...]:
    """Return all entries in ``folder``, sorted by id. Raises ValueError naming a broken file."""
    if folder == FOLDER and _LOADED:
        return _LOADED[0]
    found = []
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as stream:
                one = entries_.from_json(json.load(stream))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError("%s: %s" % (name, error)) from error
        if one.id + ".json" != name:
            raise ValueError("%s: the entry calls itself %r" % (name, one.id))
        found.append(one)
    if folder == FOLDER:
        _LOADED.append(tuple(found))
    return tuple(found)


def by_package(entries: Iterable[Entry]) -> Dict[str, Tuple[Entry, ...]]:
    """Return ``entries`` by the package whose version they speak of."""
    found: Dict[str, List[Entry]] = {}
    for one in entries:
        for package in one.packages:
            found.setdefault(package, []).append(one)
    return {package: tuple(ones) for package, ones in found.items()}
