"""Which source files a run used, and what they contained."""

from __future__ import annotations

import os
import re
import time
from typing import Callable, Dict, Iterator, List, Optional, Tuple

from provenance.core import filekinds
from provenance.core.context import Context
from provenance.core.digest import SHA256, Digests
from provenance.core.distributions import scan
from provenance.core.paths import ABS, HOME, PathRef, is_inside
from provenance.facets._code import IMPORTED, NAMED, READ, UsedFile
from provenance.facets._named import in_text

_BYTECODE = re.compile(r"^(.*?)/__pycache__/([^/]+?)\.[^/.]+(?:\.opt-[12])?\.pyc$")
_DRIVERS = {
    "make": ("GNUmakefile", "makefile", "Makefile"),
    "gmake": ("GNUmakefile", "makefile", "Makefile"),
    "snakemake": ("Snakefile", "workflow/Snakefile"),
    "just": ("justfile", "Justfile"),
    "dvc": ("dvc.yaml",),
}
"""Programs that read a file of a fixed name which the command line does not give."""
_MOST = 5000


AtStart = Callable[[str], Optional[bytes]]
"""Gives the content that a file had when the run began, None where it is not known."""


def during_run(context: Context, at_start: AtStart) -> Tuple[Tuple[UsedFile, ...], List[str]]:
    """Return the source files that the run used, sorted, with their digests, and notes."""
    notes: List[str] = []
    written = {use.path for use in context.observed.files if use.written}
    found = sorted(_paths(context).items())
    if len(found) > _MOST:
        notes.append("%d source files were used; %d are kept" % (len(found), _MOST))
    used = []
    for path, how in found[:_MOST]:
        one = _file(path, how, context, path in written, at_start)
        if one is not None:
            used.append(one)
    changed = [str(one.path) for one in used if one.changed_during]
    if changed:
        shown = ", ".join(changed[:3]) + (" ..." if len(changed) > 3 else "")
        notes.append("edited while the run went on: %s" % shown)
    late = sum(1 for one in used if not one.digests)
    if late:
        notes.append("%d used source files have no digest: there was no time" % late)
    return tuple(used), notes


def _file(
    path: str, how: str, context: Context, written: bool, at_start: AtStart
) -> Optional[UsedFile]:
    try:
        status = os.stat(path)
    except OSError:
        return None
    ref = context.roots.refer(path)
    module = _module(path, context) if ref.root in (HOME, ABS) else ""
    marker = context.marker_ns
    changed = marker is not None and status.st_ctime_ns > marker and not written
    before = at_start(path) if changed else None
    if changed and before is not None:
        digests = _of_bytes(path, before)
        try:
            changed = context.digest(path, (SHA256,))[SHA256] != digests[SHA256]
        except OSError:
            pass
    else:
        digests = digests_of(path, context)
    return UsedFile(ref, digests, how, module, changed)


def digests_of(path: str, context: Context, more: bool = True) -> Digests:
    """Return the digests of the file at ``path``, empty where it is unreadable or time is up.

    more: also the digest of the code alone.
    """
    if context.deadline is not None and time.monotonic() > context.deadline:
        return {}
    try:
        found = dict(context.digest(path, (SHA256,)))
        if more:
            found.update(_code_digests(path))
    except OSError:
        return {}
    return found


def _code_digests(path: str) -> Digests:
    if not path.endswith((".py", ".pyi", ".ipynb")):
        return {}
    from provenance.core import sourcedigest

    with open(path, "rb") as stream:
        return sourcedigest.digests(path, stream.read(sourcedigest.LARGEST + 1))


def _of_bytes(path: str, data: bytes) -> Digests:
    from provenance.core import sourcedigest
    from provenance.core.digest import bytes_digest

    return dict(sourcedigest.digests(path, data), **{SHA256: bytes_digest(data)})


def _paths(context: Context) -> Dict[str, str]:
    """Return the absolute paths of the source files used, and how each is known."""
    folders = filekinds.environment_folders(context.interpreters)
    tops = context.roots.tops()
    found: Dict[str, str] = {}

    def add(path: str, how: str) -> None:
        full = os.path.normpath(os.path.join(context.roots.cwd, path))
        if filekinds.is_source(full) and not filekinds.is_ignored(full, folders, tops):
            found.setdefault(full, how)

    for use in context.observed.files:
        if use.read and use.first == "r":
            source = _source_of(use.path)
            if filekinds.is_source(source):  # most of many files are data: no more for these
                add(source, READ)
    for one in context.interpreters:
        for file in one.modules.values():
            if file:
                add(_source_of(file), IMPORTED)
    made = {use.path for use in context.observed.files if use.first == "w"}
    for path in _named(context):
        if os.path.normpath(os.path.join(context.roots.cwd, path)) not in made:
            add(path, NAMED)
    return {path: how for path, how in found.items() if os.path.isfile(path)}


def _source_of(path: str) -> str:
    """Return the source of a compiled module; Python opens nothing else where that is fresh."""
    match = _BYTECODE.match(path) if path.endswith(".pyc") else None
    return "%s/%s.py" % match.groups() if match else path


def _named(context: Context) -> Iterator[str]:
    """Yield source files that command lines name, the command's own and those it started."""
    argvs = [context.command] + [one.argv for one in context.observed.commands]
    for argv in argvs:
        for word in [*argv, *in_text(argv)]:
            name = word.rpartition("=")[2]
            if filekinds.is_source(name) and "\n" not in name:
                yield name
        program = os.path.basename(argv[0]) if argv else ""
        for name in _DRIVERS.get(program, ()):
            path = os.path.join(context.roots.cwd, name)
            if os.path.isfile(path):
                yield path
                break
        if len(argv) > 2 and "-m" in argv and program.startswith("python"):
            for path in _of_module(argv, context.roots.cwd):
                yield path


def _of_module(argv: Tuple[str, ...], cwd: str) -> Iterator[str]:
    """Yield the files that ``python -m NAME`` begins with, where they are below ``cwd``."""
    at = argv.index("-m") + 1
    if at < len(argv):
        base = os.path.join(cwd, *argv[at].split("."))
        for path in (base + ".py", os.path.join(base, "__main__.py")):
            if os.path.isfile(path):
                yield path


def _module(path: str, context: Context) -> str:
    """Return ``path`` below the folder of ``sys.path`` that it was imported from, "" for none."""
    folders = {f for one in context.interpreters for f in one.sys_path if is_inside(path, f)}
    folder = max(folders, key=len, default="")
    return os.path.relpath(path, folder).replace(os.sep, "/") if folder else ""


def now(context: Context, reference: Tuple[UsedFile, ...]) -> Tuple[UsedFile, ...]:
    """Return the state of the same files today."""
    outside = any(one.path.root in (HOME, ABS) for one in reference)
    moved = _moved(context) if outside else []
    return tuple(_now(one, context, moved) for one in reference)


def _moved(context: Context) -> List[Tuple[PathRef, str]]:
    """Return where editable installs were recorded, and where those of their names are now."""
    recorded: Dict[str, PathRef] = {}
    for subject in context.reference.payloads("packages") if context.reference else ():
        for key, one in subject.payload.get("distributions", {}).items():
            if one.get("editable"):
                recorded[key] = PathRef.from_json(one["editable"]["path"])
    found: List[Tuple[PathRef, str]] = []
    if any(ref.root in (HOME, ABS) for ref in recorded.values()):
        for interpreter in context.interpreters:
            here = {one.key: one.editable_root for one in scan(interpreter.sys_path)}
            found.extend((ref, here[key]) for key, ref in recorded.items() if here.get(key))
    return found


def _now(one: UsedFile, context: Context, moved: List[Tuple[PathRef, str]]) -> UsedFile:
    path = _locate(one, context, moved)
    if path is None:
        return one._replace(digests={}, missing=True, changed_during=False)
    digests = digests_of(path, context, more=False)
    if digests.get(SHA256) != one.digests.get(SHA256):
        try:
            digests.update(_code_digests(path))
        except OSError:
            pass
    elif digests:
        digests = dict(one.digests)  # the same bytes have the same digests
    return one._replace(digests=digests, changed_during=False)


def _locate(one: UsedFile, context: Context, moved: List[Tuple[PathRef, str]]) -> Optional[str]:
    """Return where the file is that a run would use today: not where it was, if that moved."""
    for was, root in moved:
        if one.path.root == was.root and is_inside(one.path.path, was.path):
            below = os.path.relpath(one.path.path, was.path)
            here = os.path.normpath(os.path.join(root, below))
            if os.path.isfile(here):
                return here
    path = context.roots.locate(one.path)
    if path is not None and os.path.isfile(path):
        return path
    if one.module and os.pardir not in one.module.split("/"):
        for interpreter in context.interpreters:
            for folder in interpreter.sys_path:
                path = os.path.join(folder, one.module)
                if os.path.isfile(path):
                    return path
    return None
