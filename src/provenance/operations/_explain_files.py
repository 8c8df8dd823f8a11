"""A script that no run knows, made into the reference of a rehearsal.

What a record would say is made up as sparingly as can be: the script runs without arguments, in the
folder that one is in; beside it lie the project's other files; its environment holds what its
source imports, in releases of the time of the old version.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import tarfile
from collections.abc import Iterator

from provenance.core import filekinds, record, versions
from provenance.core.difference import Difference
from provenance.core.distributions import scan
from provenance.core.paths import REPO, PathRef
from provenance.core.record import Record
from provenance.environments import resolve
from provenance.errors import ProvError, UsageError
from provenance.facets import code, data, packages, runtime
from provenance.facets._code import NO_GIT, Archive, Code
from provenance.facets._entries import FileEntry
from provenance.facets._installed import Installed, Packages
from provenance.facets._system import System
from provenance.facets.data import Data
from provenance.facets.runtime import Runtime
from provenance.knowledge import catalog, match
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations._explain_calls import Asked
from provenance.operations._explain_source import FILES, Source, active
from provenance.operations.references import Reference

ARCHIVE = "untracked.tar.gz"
PYTHONS = ("3.11", "3.12", "3.10", "3.13", "3.9", "3.8", "3.7")
"""Tried one after the other: for the first ones most releases have wheels."""
_TOOL, _WITHOUT = "setuptools", "3.12"
"""In every environment of a Python before that one; old releases import it without saying so."""
MOST_SOURCE, MOST_FILES = 4 << 20, 5000
"""Bytes of one source file, and files beside the script, that go into the tree."""


def reference(source: Source, changes: list[Difference], asked: Asked, cwd: str) -> Reference:
    """Return the script of ``source`` as a reference. Raises `ProvError`."""
    if len(source.paths) != 1:
        raise UsageError("%d files cannot be rehearsed as one." % len(source.paths), "name one")
    top = asked.place.repo or asked.place.root
    script = os.path.normpath(os.path.join(cwd, source.paths[0]))
    if os.path.relpath(script, top).startswith(os.pardir):
        raise UsageError("%s is outside of %s." % (source.paths[0], top), "go to its folder")
    found = list(_files(top, deep=not _is_home(top)))
    own = [path for path in found if _is_own(path)]
    others = [path for path in found if path not in set(own)]
    packed = _packed(top, own)
    digest = hashlib.sha256(packed).hexdigest()
    python, versions, used = _environment(source.record, changes, asked)
    held = {name: Installed(name, version, name in used) for name, version in versions.items()}
    kept = Archive(ARCHIVE, len(packed), digest, tuple(PathRef(REPO, path) for path in own))
    read = Data(tuple(_entry(top, path) for path in others))
    facets = {
        code.NAME: record.captured(
            code.VERSION, Code(NO_GIT, PathRef(REPO, "."), dirty=True, untracked=kept)
        ),
        data.NAME: record.captured(data.VERSION, read),
        packages.NAME: record.captured(packages.VERSION, Packages(held, complete=True), "python"),
        runtime.NAME: record.captured(
            runtime.VERSION, Runtime(System(sys.platform), python, "cpython"), "python"
        ),
    }
    below = os.path.relpath(cwd, top)
    made = Record(
        id="files-%s" % digest[:8],
        command=("python", source.paths[0]),
        cwd=PathRef(REPO, "." if below.startswith(os.pardir) else below),
        status=record.DONE,
        started="",
        facets={**source.record.facets, **facets},
        roots={"repo": top},
    )
    return Reference(made, FILES, top, lambda name: packed if name == ARCHIVE else None)


def _is_home(top: str) -> bool:
    """Return whether ``top`` is no project folder: the home folder, or above it."""
    home = os.path.expanduser("~").rstrip(os.sep)
    return os.path.dirname(top) == top or (home + os.sep).startswith(top.rstrip(os.sep) + os.sep)


def _files(top: str, deep: bool) -> Iterator[str]:
    """Yield what lies below ``top``, environments and hidden folders left out.

    Without ``deep`` only what lies in it.
    """
    count = 0
    for above, folders, names in os.walk(top):
        folders[:] = sorted(
            one
            for one in folders
            if not one.startswith(".")
            and one not in filekinds.IGNORED_FOLDERS
            and deep
            and not filekinds.is_environment_folder(os.path.join(above, one))
        )
        for name in sorted(names):
            path = os.path.join(above, name)
            if name.startswith(".") or os.path.islink(path) or not os.path.isfile(path):
                continue
            count += 1
            if count > MOST_FILES:
                return
            yield os.path.relpath(path, top)


def _is_own(path: str) -> bool:
    return filekinds.is_source(path) or filekinds.is_config(path)


def _packed(top: str, paths: list[str]) -> bytes:
    """Return ``paths`` as a tar file that is the same as long as they are."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path in paths:
            full = os.path.join(top, path)
            if os.path.getsize(full) <= MOST_SOURCE:
                archive.add(full, path, recursive=False)
    return gzip.compress(stream.getvalue(), 1, mtime=0)


def _entry(top: str, path: str) -> FileEntry:
    return FileEntry(PathRef(REPO, path), "data", os.path.getsize(os.path.join(top, path)))


def _environment(
    run: Record, changes: list[Difference], asked: Asked
) -> tuple[str, dict[str, str], set[str]]:
    """Return the Python, the versions by name, and what is imported, before ``changes``."""
    fixed = {one.name: str(one.old) for one in changes if one.name != PYTHON_ITSELF}
    stated = {one.name: one for one in changes}.get(PYTHON_ITSELF)
    before = {}
    names = set(_imported(run)) | set(fixed)
    for one in scan(active(asked.environ)):
        before[one.key] = one.version
    new = {one.name: str(one.new) for one in changes if one.name != PYTHON_ITSELF}
    goes = (asked.environ, asked.place.root, asked.offline)
    problems: list[ProvError] = []
    for python in (str(stated.old),) if stated is not None else PYTHONS:
        date = ""
        if asked.progress is not None:
            asked.progress("looking for what goes together on Python %s" % python)
        if not before:
            dates = [resolve.released(name, one, python, *goes) for name, one in fixed.items()]
            date = max(dates, default="")
        also = {_TOOL} if versions.key(python)[:2] < versions.key(_WITHOUT)[:2] else set()
        try:
            old = resolve.resolved(names | also, fixed, before, python, *goes, date, True)
            resolve.resolved(names, new, old.versions, python, *goes, "", True)
        except resolve.NotTogether as error:
            problems.append(error)
            continue
        lost = {one.name for one in old.left_out}
        return python, old.versions, (names | also) - lost
    raise problems[0]


def _imported(run: Record) -> Iterator[str]:
    """Yield the distributions that the source names, as far as that can be told."""
    known: dict[str, str] = {}
    for package, entries in catalog.by_package(catalog.load()).items():
        for entry in entries:
            if len(entry.packages) == 1:
                known.update({s.partition(".")[0]: package for s in entry.symbols})
    for use in match.uses_of(run):
        top = use.symbol.partition(".")[0]
        if top and top not in sys.stdlib_module_names and top != "?":
            yield known.get(top, top.replace("_", "-"))
