"""The known behaviour changes that come with this package, read from ``entries/``."""

from __future__ import annotations

import json
import os
import re
from typing import Dict, Iterable, List, Tuple

from provenance.knowledge import entry as entries_
from provenance.knowledge.entry import Entry

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "entries")


class BadEntry(ValueError):
    """An entry cannot be read: its file and line, and what is wrong with it."""


_LOADED: List[Tuple[Entry, ...]] = []


def load(folder: str = FOLDER) -> Tuple[Entry, ...]:
    """Return all entries in ``folder``, sorted by id. Raises `BadEntry`."""
    if folder == FOLDER and _LOADED:
        return _LOADED[0]
    found = []
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        found.append(_read(os.path.join(folder, name)))
    if folder == FOLDER:
        _LOADED.append(tuple(found))
    return tuple(found)


def _read(path: str) -> Entry:
    """Return the entry in the file ``path``. Raises `BadEntry`."""
    text = ""
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        one = entries_.from_json(json.loads(text))
    except json.JSONDecodeError as error:
        raise BadEntry("%s:%d: %s" % (path, error.lineno, error.msg)) from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BadEntry("%s:%d: %s" % (path, _line(text, str(error)), error)) from error
    if one.id + ".json" != os.path.basename(path):
        why = "the entry calls itself %r" % one.id
        raise BadEntry("%s:%d: %s" % (path, _line(text, "'id'"), why))
    return one


def _line(text: str, why: str) -> int:
    """Return the line of the first member of an entry that ``why`` names, 1 for none."""
    named = set(re.findall(r"\w+", why))
    for number, line in enumerate(text.splitlines(), 1):
        member = re.match(r'\s*\{?\s*"(\w+)"\s*:', line)
        if member is not None and member.group(1) in named - {"entry"}:
            return number
    return 1


def by_package(entries: Iterable[Entry]) -> Dict[str, Tuple[Entry, ...]]:
    """Return ``entries`` by the package whose version they speak of."""
    found: Dict[str, List[Entry]] = {}
    for one in entries:
        for package in one.packages:
            found.setdefault(package, []).append(one)
    return {package: tuple(ones) for package, ones in found.items()}
