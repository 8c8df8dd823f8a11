"""How runs and files are named in the story, the tree and the drawings of ``prov trace``."""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from provenance.cli.style import flat, plural, value
from provenance.core import runid

if TYPE_CHECKING:
    from provenance.operations.lineage import Detail, Edge, File, RunFacts, Traced

_FILES, _PARAMS, _METRICS, _WIDE = 4, 6, 3, 72

STATES = {
    "pending": "digest pending: prov close",
    "missing": "not there when recorded",
    "unreadable": "could not be read",
    "overwritten": "overwritten by the same run; what it read is lost",
    "changed": "changed while the run went on: not certain",
    "ambiguous": "may be another run's: several went on at the same time",
}


def run(facts: RunFacts) -> str:
    """Return a run in few characters: ``1a2b3c4d "train"``."""
    name = ' "%s"' % flat(facts.name) if facts.name else ""
    return runid.short(facts.id) + name


def when(facts: RunFacts) -> str:
    """Return when a run began, to the minute."""
    return facts.started[:16].replace("T", " ")


def ending(facts: RunFacts) -> str:
    """Return how a run ended where that was not well, else ""."""
    if facts.exit_code == 0:
        return ""
    return str(facts.status) if facts.exit_code is None else "exit %d" % facts.exit_code


def command(facts: RunFacts) -> str:
    """Return the command of a run on one line, its program without folders."""
    first, *words = facts.command or ("",)
    text = flat(shlex.join([os.path.basename(first), *words]))
    return text if len(text) <= _WIDE else text[: _WIDE - 3] + "..."


def code(facts: RunFacts, detail: Detail | None) -> str:
    """Return the code of a run: commit, files, uncommitted changes."""
    parts = [facts.commit[:7] or "no commit"]
    if facts.branch:
        parts[0] += " (%s)" % flat(facts.branch)
    if detail is not None and detail.used:
        parts.append(few(detail.used))
    if facts.changed:
        text = plural(len(facts.changed), "uncommitted file")
        parts.append("%s: %s" % (text, few(facts.changed)))
    return ", ".join(parts)


def params(detail: Detail) -> str:
    """Return the parameters of a run, those that were given first."""
    shown = list(detail.given) or list(detail.params)
    text = " ".join("%s=%s" % (flat(n), value(detail.params[n])) for n in shown[:_PARAMS])
    more = len(detail.params) - len(shown[:_PARAMS])
    return text + (" (+%d)" % more if text and more else "")


def environment(detail: Detail) -> str:
    """Return the environment of a run."""
    parts = ["python %s, %s" % (detail.python, plural(detail.packages, "package"))]
    return "; ".join([*(parts if detail.python else []), *(flat(one) for one in detail.hardware)])


def metrics(detail: Detail) -> str:
    """Return the final values of a run."""
    items = list(detail.metrics.items())
    text = "  ".join("%s %s" % (flat(name), value(one)) for name, one in items[:_METRICS])
    return text + ("  (+%d)" % (len(items) - _METRICS) if len(items) > _METRICS else "")


def few(names: Iterable[str], most: int = _FILES) -> str:
    """Return some of ``names``, and how many more there are."""
    found = [flat(one) for one in names]
    more = " and %d more" % (len(found) - most) if len(found) > most else ""
    return ", ".join(found[:most]) + more


def file(one: File) -> str:
    """Return a file by the first path under which it was written, else read."""
    names = one.names()
    if not names:
        return "blake3 " + one.key[:12]
    touch = one.places[0].touch
    files = next((p.touch.files for p in one.places if p.touch.files is not None), None)
    label = ' "%s"' % flat(touch.label) if touch.label else ""
    return flat(names[0]) + ("/ (%s)" % plural(files, "file") if files is not None else "") + label


def together(files: Sequence[File]) -> str:
    """Return several files as one phrase; many of one folder by its name."""
    ordered = sorted(files, key=lambda one: one.names()[:1])
    if len(ordered) <= _FILES:
        return ", ".join(file(one) for one in ordered)
    folders = {posixpath.dirname((one.names() or ("",))[0]) for one in ordered}
    if len(folders) == 1 and "" not in folders:
        return "%d files in %s/" % (len(ordered), flat(folders.pop()))
    return few(file(one) for one in ordered)


def groups(found: Traced, edges: Iterable[Edge], backward: bool) -> list[tuple[Edge, ...]]:
    """Return ``edges`` of one run grouped by what their files come from, or lead to.

    Files that lead to no other run are one group for each thing that is said of them. Sorted by
    path, those that lead on first.
    """
    graph = found.graph
    side = "wrote" if backward else "read"
    made: dict[object, list[Edge]] = {}
    for one in edges:
        on = tuple(sorted(each.run for each in graph.of_file(one.file, side)))
        again = tuple(sorted(each.run for each in graph.of_file(one.file, "again")))
        text = "" if on else origin(found, graph.files[one.file])
        made.setdefault((on, again, text), []).append(one)
    ordered = [tuple(sorted(group, key=lambda e: e.paths)) for group in made.values()]

    def place(group: tuple[Edge, ...]) -> tuple[bool, tuple[str, ...]]:
        return not graph.of_file(group[0].file, side), group[0].paths

    return sorted(ordered, key=place)


def origin(found: Traced, one: File) -> str:
    """Return where a file comes from that no run made; what is not known of it."""
    told = found.origins.get(one.key)
    if told:
        return str(told)
    states = {place.touch.state for place in one.places}
    return STATES.get(min(states), "") if len(states) == 1 else ""
