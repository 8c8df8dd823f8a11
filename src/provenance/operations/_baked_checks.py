"""What a lock carries for the drop-in test: each question as a plain comparison, judged already.

The drop-in (`agent.check`) is short because all judging happens here, while the recorded
environment and its sources are at hand, with the very functions that ``prov verify`` judges with.
The form of the section is described in `store.lockfile`.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from provenance.core import runid
from provenance.core.difference import BROKEN, NONE, UNKNOWN
from provenance.core.interfaces import Library
from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.core.use import Use
from provenance.knowledge import match
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import _baked_changes, _baked_files
from provenance.operations._baked_changes import Package, sentences

FORM = 1
_MOST_CALLS = 1500
"""Parameters that a lock lists, about 400 bytes each; of packages after these only the names."""
_OTHERS_LOAD = re.compile(r"^(nvidia-|mkl$|intel-openmp$|tbb$|triton$|pytorch-triton|jaxlib$)")
"""Packages of shared libraries, on which results depend though no import shows."""


class Run(NamedTuple):
    """A run that is to be published, and what is still at hand of it.

    roots: where its files are. library: the recorded one, read below ``folders``; None where it is
    not at hand.
    """

    record: Record
    roots: Roots
    library: Library | None = None
    folders: tuple[str, ...] = ()


def of_runs(
    runs: Sequence[Run], surroundings: Iterable[dict[str, Any]], path: str, top: str
) -> dict[str, Any]:
    """Return the section of the lock at ``path`` that holds ``runs``.

    surroundings: which settings and cards concern them. top: of the repository.
    """
    records = [one.record for one in runs]
    uses = _distinct(use for one in records for use in match.uses_of(one))
    rows = [*_python(records), *_packages(records, uses)]
    told = [one for one in rows if one["differs"] != NONE]
    packages = {row["key"]: _package(row) for row in told}
    gpus = [known for known in map(match.has_gpu, records) if known is not None]
    entries = {
        concern.entry.id: concern.entry for one in records for concern in match.concerning(one)
    }
    gpu = any(gpus) if gpus else None
    around = list(surroundings)
    return {
        "form": FORM,
        "title": "; ".join(map(_title, records)),
        "top": relative_top(path, top),
        "packages": rows,
        "known": _baked_changes.known(entries.values(), packages, uses, gpu),
        "calls": _calls(map(_package, rows), uses, runs),
        "code": _each_path(row for one in runs for row in _baked_files.code(one.record, one.roots)),
        "data": _each_path(row for one in runs for row in _baked_files.data(one.record, one.roots)),
        "settings": _settings(records, around),
        "gpu": _gpu(records, around),
    }


def relative_top(path: str, top: str) -> str:
    """Return the way from the folder of the lock at ``path`` to the ``top`` of its repository."""
    return os.path.relpath(top, os.path.dirname(os.path.abspath(path))).replace(os.sep, "/")


def _title(run: Record) -> str:
    name = ' "%s"' % run.name if run.name else ""
    return "run %s%s, %s" % (runid.short(run.id), name, run.started[:10])


def _distinct(uses: Iterable[Use]) -> tuple[Use, ...]:
    return tuple({repr(use): use for use in uses}.values())


def _each_path(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return ``rows`` with each path once, as the first run has it."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found.setdefault(row["path"], row)
    return list(found.values())


# ---- packages


def _python(runs: Iterable[Record]) -> Iterator[dict[str, Any]]:
    recorded = [
        str(subject.payload["version"])
        for run in runs
        for subject in run.payloads("runtime")
        if subject.payload.get("version")
    ]
    if recorded:
        yield _row(PYTHON_ITSELF, "Python", recorded[0], UNKNOWN, UNKNOWN)


def _packages(runs: Iterable[Record], uses: Sequence[Use]) -> list[dict[str, Any]]:
    """Return the packages of all runs; of one that runs had in two versions, the first."""
    found: dict[str, dict[str, Any]] = {}
    imported: dict[str, bool] = {}
    for run in runs:
        for subject in run.payloads("packages"):
            sure = bool(subject.payload.get("complete"))
            for key, one in (subject.payload.get("distributions") or {}).items():
                if key not in found or (one.get("imported") and not imported[key]):
                    found[key] = _of_distribution(key, one, sure, uses)
                    imported[key] = bool(one.get("imported"))
    return [found[key] for key in sorted(found)]


def _of_distribution(
    key: str, one: Mapping[str, Any], sure: bool, uses: Sequence[Use]
) -> dict[str, Any]:
    editable = (one.get("editable") or {}).get("path") or {}
    own = editable.get("root") in ("repo", "cwd")
    matters = one.get("imported") or not sure or _OTHERS_LOAD.match(key) is not None
    differs = UNKNOWN if matters and not own else NONE
    missing = BROKEN if one.get("imported") and not own else differs
    row = _row(key, str(one.get("name", key)), str(one.get("version", "")), differs, missing)
    modules = list(one.get("modules") or ())
    tops = {use.symbol.partition(".")[0] for use in uses}
    if modules:
        row["modules"] = modules
    if missing == BROKEN and tops and not tops.intersection(modules or (key.replace("-", "_"),)):
        row["indirect"] = True
    return row


def _row(key: str, name: str, version: str, differs: str, missing: str) -> dict[str, Any]:
    python = key == PYTHON_ITSELF
    return {
        "key": key,
        "name": name,
        "version": version,
        "wanted": "the recorded run used " + version,
        "differs": differs,
        "missing": missing,
        "fix": "use Python " + version if python else "pip install %s==%s" % (name, version),
    }


def _package(row: Mapping[str, Any]) -> Package:
    modules = tuple(row.get("modules", ()))
    return Package(row["key"], row["name"], row["version"], modules)


def _calls(
    packages: Iterable[Package], uses: Sequence[Use], runs: Sequence[Run]
) -> list[dict[str, Any]]:
    """Return the signatures that the runs rely on, from the first run whose library is at hand."""
    run = next((one for one in runs if one.library is not None), runs[0])
    found: list[dict[str, Any]] = []
    for one in packages:
        library = run.library if len(found) < _MOST_CALLS else None
        found += _baked_changes.calls(one, uses, library, run.folders)
    return found


# ---- settings and cards


def _settings(
    runs: Iterable[Record], surroundings: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    recorded: dict[str, str] = {}
    for run in runs:
        for subject in run.payloads("environment"):
            for name, value in (subject.payload.get("values") or {}).items():
                recorded.setdefault(name, str(value))
    return [
        {
            "names": list(one["name"]),
            "values": {
                name: value
                for name, value in recorded.items()
                if any(fnmatch.fnmatchcase(name, pattern) for pattern in one["name"])
            },
            "text": sentences(one["text"], "", one["remedy"], ""),
        }
        for one in surroundings
        if one["facet"] == "environment"
    ]


def _gpu(runs: Iterable[Record], surroundings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    cards = (_cards(one.payload) for run in runs for one in run.payloads("hardware"))
    models = next(filter(None, cards), [])
    known = [
        {
            "asks": list(one["asks"]),
            "text": sentences(
                one["text"], "", one["remedy"].replace("{old}", ", ".join(models)), ""
            ),
        }
        for one in surroundings
        if one["facet"] == "hardware"
    ]
    return {"models": models, "known": known}


def _cards(hardware: Mapping[str, Any]) -> list[str]:
    return [str(card.get("name", "GPU")) for card in hardware.get("gpus") or ()]
