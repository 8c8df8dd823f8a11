"""What no index has, kept as wheels: repacked while it is installed, put back when it is rebuilt.

Kept in ``.prov/objects/wheels``, in a folder named for the distribution and the digest of what its
RECORD says, so that any run that had the same install finds it. A lock carries small ones.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import pathlib
import re
import zipfile
from collections.abc import Sequence
from typing import Any, NamedTuple

from provenance.core.distributions import Distribution, key_of, scan
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.environments import repack
from provenance.environments.wanted import Layer, LeftOut
from provenance.errors import ProvError
from provenance.facets import packages, runtime
from provenance.facets._installed import Installed, Packages
from provenance.operations import deep, settle
from provenance.operations.references import Reference
from provenance.store import files
from provenance.store.project import Project, ensure

FOLDER = os.path.join("objects", "wheels")
MOST_BYTES = 256 * 1024
"""Bytes of wheels that a lock carries for a run: people read it and git keeps each version."""
MOST_KEPT = 500 * 1024 * 1024
"""Bytes of one distribution from which on it is not repacked."""
_NAME = re.compile(r"^[A-Za-z0-9._+!-]+\.whl$")


class Kept(NamedTuple):
    """A wheel that is kept. path: in ``.prov``. carried: whether a lock has room for it."""

    name: str
    version: str
    path: str
    size: int
    note: str = ""


class Carried(NamedTuple):
    """wheels: what the lock carries, by distribution. notes, problems: sentences."""

    wheels: dict[str, Any]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def carried(run: Record, place: Project, unknown: Sequence[str]) -> Carried:
    """Keep what no index has of ``run``; return what a lock carries of it.

    unknown: names that an index was asked for and does not have.
    """
    found: dict[str, Any] = {}
    notes, problems = [], []
    room = MOST_BYTES
    for one in _local(run, unknown):
        try:
            kept = _keep(one, run, place)
        except (ValueError, OSError, ProvError) as error:
            why = getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
            text = "%s %s is on no index and could not be kept: %s."
            problems.append(text % (one.name, one.version, str(why).rstrip(".")))
            continue
        if kept.note:
            problems.append(kept.note)
        content = pathlib.Path(kept.path).read_bytes()
        entry: dict[str, Any] = {
            "file": os.path.basename(kept.path),
            "version": one.version,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": kept.size,
        }
        if kept.size <= room and _has_secret(content):
            text = "%s %s is on no index; its wheel is not in the lock: it seems to hold a secret."
            problems.append(text % (one.name, one.version))
        elif kept.size > room:
            text = "%s %s is on no index; its wheel (%.1f MB) is too big for the lock: publish %s."
            shown = os.path.relpath(kept.path, place.root)
            problems.append(text % (one.name, one.version, kept.size / 1e6, shown))
        else:
            room -= kept.size
            entry["base64"] = base64.b64encode(content).decode("ascii")
            text = "%s %s is on no index: its wheel is in the lock (%.0f kB)"
            notes.append(text % (one.name, one.version, kept.size / 1000 or 1))
        found[key_of(one.name)] = entry
    return Carried(found, tuple(notes), (*problems, *edited(run, place)))


def _has_secret(content: bytes) -> bool:
    """Return whether a file of a wheel holds what a record would mask."""
    redact = Redactor.from_environment(os.environ)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return any(redact.holds_secret(archive.read(name)) for name in archive.namelist())


def layers(reference: Reference, place: Project, cache: str) -> tuple[Layer, ...]:
    """Return the wheels that are at hand of what no index has of a run.

    cache: the folder into which those that a lock carries are written. One whose digest is not the
    stated one is not taken.
    """
    found = []
    for one in _local(reference.record, tuple(reference.wheels)):
        path = _kept_path(one, place) or _from_lock(reference.wheels.get(key_of(one.name)), cache)
        if path is None and not reference.wheels:
            try:
                path = _keep(one, reference.record, place).path
            except (ValueError, OSError, ProvError):
                continue
        if path is not None:
            found.append(Layer(one.name, one.version, pathlib.Path(path).as_uri()))
    return tuple(found)


def _local(run: Record, unknown: Sequence[str]) -> list[Installed]:
    """Return what a wheel must stand for: no index has it, and no address either."""
    installed = _packages(run)
    if installed is None:
        return []
    found = []
    for key, one in installed.distributions.items():
        if one.editable is not None or not one.record_sha256:
            continue
        by_address = one.origin == "archive" and str(one.direct_url.get("url", "")).startswith(
            "http"
        )
        if key in unknown or one.origin == "folder" or (one.origin == "archive" and not by_address):
            found.append(one)
    return found


def _packages(run: Record) -> Packages | None:
    return next(iter((packages.of(run) or {}).values()), None)


def _folder(one: Installed, place: Project) -> str:
    name = kept_name(key_of(one.name), one.version, one.record_sha256[:16])
    return os.path.join(place.folder, FOLDER, name)


def kept_name(key: str, version: str, record: str) -> str:
    """Return the name of a kept wheel's folder; ``record``: how its RECORD's digest starts."""
    return re.sub(r"[^A-Za-z0-9._+!-]", "_", "%s-%s-%s" % (key, version, record))


def _kept_path(one: Installed, place: Project) -> str | None:
    try:
        names = [name for name in os.listdir(_folder(one, place)) if name.endswith(".whl")]
    except OSError:
        return None
    return os.path.join(_folder(one, place), names[0]) if names else None


def _keep(one: Installed, run: Record, place: Project) -> Kept:
    """Keep the wheel of ``one``. Raises ValueError and OSError where that cannot be."""
    path = _kept_path(one, place)
    if path is not None:
        return Kept(one.name, one.version, path, os.path.getsize(path))
    dist, prefix = _still_installed(one, run, place)
    size = sum(_size(dist.location, line) for line in _lines(dist))
    if size > MOST_KEPT:
        raise ValueError("it has %.0f MB, more than %.0f" % (size / 1e6, MOST_KEPT / 1e6))
    made = repack.repack(dist.location, os.path.basename(dist.folder), prefix)
    ensure(place)
    folder = _folder(one, place)
    files.make_folder(folder)
    path = os.path.join(folder, made.name)
    files.write_atomic(path, made.content)
    note = ""
    if made.edited:
        text = "%s %s was edited after it was installed (%s): kept as it is now"
        note = text % (one.name, one.version, ", ".join(made.edited[:3]))
    return Kept(one.name, one.version, path, len(made.content), note)


def _still_installed(one: Installed, run: Record, place: Project) -> tuple[Distribution, str]:
    """Return the install of ``one`` as it was recorded, and its prefix. Raises ValueError."""
    installed = _packages(run)
    roots = settle.recorded_roots(place, run)
    ran = next(iter((runtime.of(run) or {}).values()), None)
    prefix = roots.locate(ran.prefix) if ran is not None and ran.prefix else None
    path = (
        installed.sys_path[one.site] if installed and one.site < len(installed.sys_path) else None
    )
    site = roots.locate(path) if path is not None else None
    if site is None or prefix is None or not os.path.isdir(site):
        raise ValueError("the recorded environment is gone")
    for dist in scan([site]):
        if dist.key == key_of(one.name):
            if dist.record_sha256 != one.record_sha256:
                raise ValueError("another build of it is installed now")
            return dist, prefix
    raise ValueError("it is not installed any more")


def _lines(dist: Distribution) -> list[str]:
    with open(os.path.join(dist.folder, "RECORD"), encoding="utf-8") as stream:
        return [line.partition(",")[0].strip('"') for line in stream]


def _size(site: str, path: str) -> int:
    try:
        return os.path.getsize(os.path.join(site, path))
    except OSError:
        return 0


def _from_lock(entry: Any, cache: str) -> str | None:
    """Write the wheel that a lock carries into ``cache``; None where it carries none that is whole.

    The name of the file is the lock's, which may come from anywhere: it must be a plain one.
    """
    try:
        content = base64.b64decode(entry["base64"], validate=True)
        name, digest = str(entry["file"]), hashlib.sha256(content).hexdigest()
        if digest != entry["sha256"] or not _NAME.match(name):
            return None
    except (KeyError, TypeError, ValueError):
        return None
    folder = os.path.join(cache, digest)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        files.make_folder(folder)
        files.write_atomic(path, content)
    return path


def edited(run: Record, place: Project) -> tuple[str, ...]:
    """Return a sentence for each index release that was edited where the run used it."""
    installed = _packages(run)
    if installed is None:
        return ()
    roots = settle.recorded_roots(place, run)
    folders = [roots.locate(path) for path in installed.sys_path]
    found = []
    for dist in scan([folder for folder in folders if folder]):
        was = installed.distributions.get(dist.key)
        if was is None or not was.imported or was.record_sha256 != dist.record_sha256:
            continue
        names = deep.edited_since(dist, was) if was.origin == "index" else ()
        if names:
            more = " and %d more files" % (len(names) - 1) if len(names) > 1 else ""
            text = "%s %s was edited after it was installed (%s%s): whoever rebuilds it gets the"
            text += " index's; prov verify --deep shows what was edited."
            found.append(text % (dist.name, dist.version, names[0], more))
    return tuple(found)


def left_out(reference: Reference) -> tuple[LeftOut, ...]:
    """Return what a lock names and does not carry."""
    found = []
    for name, entry in reference.wheels.items():
        if isinstance(entry, dict) and "base64" not in entry:
            size = float(entry.get("size", 0)) / 1e6
            why = "its wheel (%.1f MB) was too big for the lock: ask the author for %s"
            found.append(LeftOut(name, str(entry.get("version")), why % (size, entry.get("file"))))
    return tuple(found)
