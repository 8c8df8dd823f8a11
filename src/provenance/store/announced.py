"""What stands at a remote for a run: which blobs the files of its record are."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from provenance.core import canonical
from provenance.errors import BadRecord
from provenance.store import blobs, objects, records

SCHEMA = "prov/pushed/1"


class Announced(NamedTuple):
    """A run at a remote. name: "" for none. files: path in the record's folder, oid, size.

    author: who ran it, as the one says who sent it; "" where nobody does.
    """

    id: str
    name: str
    files: tuple[tuple[str, str, int], ...]
    started: str = ""
    author: str = ""


def to_bytes(run: Announced) -> bytes:
    """Return what is written for a run."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "id": run.id,
        "name": run.name,
        "started": run.started,
        "author": run.author,
        "files": [{"path": path, "oid": oid, "size": size} for path, oid, size in run.files],
    }
    return canonical.dumps(document).encode("utf-8")


def parse(data: bytes, run_id: str, where: str) -> Announced:
    """Return what the remote ``where`` says of a run. Raises `BadRecord`.

    No path of it leads out of the record's folder.
    """
    try:
        document = json.loads(data.decode("utf-8"))
        files = tuple(
            (str(one["path"]), str(one["oid"]), int(one["size"])) for one in document["files"]
        )
        name, started = document.get("name") or "", document.get("started") or ""
        author = document.get("author") or ""
        texts = (name, started, author)
        right = document["id"] == run_id and all(isinstance(one, str) for one in texts)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadRecord("%s at %s is not what prov wrote." % (run_id, where)) from error
    right = right and all(blobs.is_inner(path) and objects.is_oid(oid) for path, oid, _ in files)
    if not right or records.FILE not in [path for path, _, _ in files]:
        raise BadRecord("%s at %s is not what prov wrote." % (run_id, where))
    author = "".join(c if c.isprintable() else "?" for c in author)
    return Announced(run_id, name, files, started, author)
