"""Receipts: small files that say how somebody's replay of a published run came out.

They lie in ``prov-receipts/`` beside ``prov.lock``, one file per replay, so that two people who
publish theirs never meet in one. Schema ``prov/receipt/1``, sealed like a record. A receipt is what
its author says: nothing proves that the replay took place.
"""

from __future__ import annotations

import os
from typing import Any

from provenance.core import canonical
from provenance.errors import BadRecord
from provenance.store import files, records

FOLDER = "prov-receipts"
SCHEMA = "prov/receipt/1"
MOST = 1000
"""Receipts of a repository that are read."""


def write(top: str, receipt: dict[str, Any]) -> str:
    """Write ``receipt`` (without seal) below ``top``; return its path. Raises `SystemRefused`."""
    folder = os.path.join(top, FOLDER)
    files.make_folder(folder)
    path = os.path.join(folder, "%s.json" % receipt["replay"])
    document = canonical.seal(canonical.plain(dict(receipt, schema=SCHEMA)))
    files.write_atomic(path, canonical.dumps(document).encode("utf-8"))
    return path


def read_all(top: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the sound receipts below ``top`` by name, and a sentence for each of the others."""
    folder = os.path.join(top, FOLDER)
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))[:MOST]
    except OSError:
        return [], []
    found, problems = [], []
    for name in names:
        try:
            document = records.read_json(os.path.join(folder, name))
        except BadRecord as error:
            problems.append(error.message)
            continue
        if document.get("schema") != SCHEMA or not canonical.seal_holds(document):
            problems.append("%s/%s is no sound receipt and does not count." % (FOLDER, name))
        else:
            found.append(document)
    return found, problems
