"""Lines of notebook cells, as a kernel names them, as places in the notebook."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterable

from provenance.core import notebooks
from provenance.core.context import Observations

JOURNAL = "cells.jsonl"
"""The cells of a live session, one a line: ``{"count": 3, "source": "...", ...}``."""

_MOST = 200


def placed(told: Observations, folder: str) -> Observations:
    """Return ``told`` with places in the notebooks that were read or written, or in a session.

    folder: of the logs, with the session's journal where there is one.
    """
    names = _names(told, folder)
    if not names:
        return told
    seeds = [one._replace(where=notebooks.placed(one.where, names)) for one in told.seeds]
    noted = [one._replace(value=_within(one.value, names)) for one in told.noted]
    return told._replace(seeds=tuple(seeds), noted=tuple(noted), cells=names)


def _names(told: Observations, folder: str) -> Dict[str, str]:
    """Return the names of cells; those of notebooks that were read before those of written ones."""
    names: Dict[str, str] = {}
    for line in _journal(folder):
        name = "%s In[%s]" % (line.get("notebook") or "session", line.get("count"))
        names[str(notebooks.cell_hash(str(line.get("source", ""))))] = name
    files = [use for use in told.files if use.path.endswith(".ipynb")]
    for use in sorted(files[:_MOST], key=lambda use: use.first != "r"):
        try:
            found = notebooks.read(use.path)
        except (OSError, ValueError):
            continue
        for key, name in notebooks.names(use.path, found).items():
            names.setdefault(key, name)
    return names


def _journal(folder: str) -> Iterable[Dict[str, Any]]:
    try:
        with open(os.path.join(folder, JOURNAL), encoding="utf-8") as stream:
            for line in stream:
                try:
                    found = json.loads(line)
                except ValueError:
                    continue
                if isinstance(found, dict):
                    yield found
    except OSError:
        return


def _within(value: Any, names: Dict[str, str]) -> Any:
    if isinstance(value, str):
        return notebooks.placed(value, names)
    if isinstance(value, dict):
        return {key: _within(one, names) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_within(one, names) for one in value]
    return value
