"""Publishing what environment files state as ``prov.lock``, where no run was recorded.

The drop-in test and ``prov verify`` compare with it; a lock of a run says more, and replaces it.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from provenance import __version__
from provenance.operations import _baked_stated, anonymous, stated
from provenance.operations.stated import Stated
from provenance.specs.model import NAMED
from provenance.store import lockfile, project

_SHOWN = 5


class LockedStated(NamedTuple):
    """path: of the lock written. stated: what it holds. warnings: what it cannot say."""

    path: str
    stated: tuple[Stated, ...]
    warnings: tuple[str, ...]


def lock(
    cwd: str, files: tuple[str, ...], out: str | None = None, nameless: bool = False
) -> LockedStated:
    """Write what ``files`` state to ``prov.lock``, as in `lock.lock`. Raises `ProvError`."""
    place = project.find(cwd)
    top = place.repo or place.root
    path = os.path.join(cwd, out) if out else os.path.join(top, lockfile.FILE)
    folder = os.path.dirname(os.path.abspath(path))
    found = tuple(stated.of_file(os.path.join(cwd, name), folder) for name in files)
    parts = tuple(stated.to_json(one) for one in found)
    checks = _baked_stated.section(found, path, top)
    made = lockfile.Lock((), tool=__version__, stated=parts, checks=checks)
    if nameless:
        made = anonymous.lock(made, place, (), os.environ)[0]
    lockfile.write(path, made)
    return LockedStated(path, found, tuple(w for one in found for w in _warnings(one)))


def _warnings(one: Stated) -> list[str]:
    told = ["%s: %s" % (part.where, part.why) for part in one.unread]
    named = sorted({fact.name for fact in one.packages if fact.exactness == NAMED})
    if named:
        more = " ..." if len(named) > _SHOWN else ""
        text = "%s states no version of %s%s: a change of these cannot be seen."
        told.append(text % (one.path, ", ".join(named[:_SHOWN]), more))
    return told


def as_json(result: LockedStated) -> dict[str, Any]:
    """Return the ``data`` member of ``prov lock --from --json``."""
    return {
        "path": result.path,
        "runs": [],
        "stated": [stated.to_json(one) for one in result.stated],
        "warnings": list(result.warnings),
        "notes": [],
    }
