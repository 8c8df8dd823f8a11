"""Making a rerun use the restored tree and nothing else of the user's working copy.

The restored tree's own package must be the one that is imported, also where the user has it
installed editable: entries of the interpreter's path that lie in the user's repository are put
first on PYTHONPATH as they are in the restored tree.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from provenance.core import filekinds
from provenance.core.paths import PathRef, is_inside
from provenance.core.record import Record
from provenance.operations import settle
from provenance.operations.plan import Plan
from provenance.store.project import Project

DETERMINING = ("PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG", "TF_DETERMINISTIC_OPS")
"""Variables that decide results and mean the same on every machine; thread counts join them."""

_SHOWN = 3


def environment(
    environ: Mapping[str, str], run: Record, place: Project, tree: str
) -> dict[str, str]:
    """Return ``environ`` for a rerun of ``run`` in ``tree``."""
    adapted = dict(environ)
    for subject in run.payloads("environment"):
        values = subject.payload.get("values", {})
        for name, value in values.items():
            determines = name in DETERMINING or name.endswith("_NUM_THREADS")
            if determines and isinstance(value, str):
                adapted[name] = value
    entries = list(dict.fromkeys(_entries(run, place, tree)))
    if environ.get("PYTHONPATH"):
        old = environ["PYTHONPATH"].split(os.pathsep)
        entries += [_moved(entry, place, tree) or entry for entry in old]
    if entries:
        adapted["PYTHONPATH"] = os.pathsep.join(entries)
    return adapted


def _entries(run: Record, place: Project, tree: str) -> Iterator[str]:
    """Yield the folders of the restored tree that the recorded run imported its own code from."""
    roots = settle.recorded_roots(place, run)
    for subject in run.payloads("packages"):
        for folder in subject.payload.get("sys_path", []):
            moved = _moved(roots.locate(PathRef.from_json(folder)), place, tree)
            if moved:
                yield moved
        for one in subject.payload.get("distributions", {}).values():
            editable = one.get("editable")
            if not editable:
                continue
            moved = _moved(roots.locate(PathRef.from_json(editable["path"])), place, tree)
            if moved:
                source = os.path.join(moved, "src")
                yield source if os.path.isdir(source) else moved


def _moved(folder: str | None, place: Project, tree: str) -> str | None:
    """Return where ``folder`` of the user's repository is in ``tree``, None for other folders."""
    repo = place.repo or place.root
    if folder is None or not is_inside(folder, repo) or is_inside(folder, place.folder):
        return None
    if "site-packages" in folder.split(os.sep):
        return None
    moved = os.path.normpath(os.path.join(tree, os.path.relpath(folder, repo)))
    return moved if os.path.isdir(moved) else None


def command(planned: Plan, tree: str) -> tuple[str, ...]:
    """Return the command to run in ``tree``: paths of the user's repository moved there."""
    return moved(planned.command, planned.reference.record, planned.place, tree)


def moved(words: Sequence[str], run: Record, place: Project, tree: str) -> tuple[str, ...]:
    """Return ``words`` of a command of ``run`` with paths of the user's repository in ``tree``."""
    repo = run.roots.get("repo") or place.repo or place.root
    found = []
    for word in words:
        inside = os.path.isabs(word) and is_inside(word, repo)
        there = os.path.join(tree, os.path.relpath(word, repo)) if inside else word
        found.append(there if os.path.exists(there) else word)
    return tuple(found)


def strays(run: Record, place: Project) -> tuple[str, ...]:
    """Return a sentence where the rerun used source files of the user's own tree."""
    repo = place.repo or place.root
    roots = place.roots(place.root)._replace(repo=run.roots.get("repo"))
    found = []
    for subject in run.payloads("code"):
        for entry in subject.payload.get("used", []):
            path = roots.locate(PathRef.from_json(entry["path"])) or ""
            inside = is_inside(path, repo) and not is_inside(path, place.folder)
            if inside and filekinds.is_source(path):
                found.append(os.path.relpath(path, repo))
    if not found:
        return ()
    shown = ", ".join(found[:_SHOWN]) + (" ..." if len(found) > _SHOWN else "")
    return ("the rerun used %d files of your own tree: %s" % (len(found), shown),)
