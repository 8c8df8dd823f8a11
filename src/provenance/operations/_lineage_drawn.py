"""What a drawing of runs and files shows: a box for each, many files of one run as one."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable

from provenance.core import runid
from provenance.exports._graph import (
    DOUBTFUL,
    FILE,
    MANY,
    RUN,
    SURE,
    Arrow,
    Box,
    Drawing,
)
from provenance.operations._lineage_facts import READ, WROTE
from provenance.operations._lineage_graph import AGAIN, File, Graph
from provenance.operations._lineage_told import Detail

MOST_ALIKE = 4
"""Files that the same runs wrote and read; more than these are one box."""

MOST_BOXES = 600
"""A drawing of more than that shows nothing to anybody."""

_NAMED = 20
_COMMAND = 40
"""Characters of a command that fit into a box."""

_PYTHON = re.compile(r"python[\d.]*$")


def drawing(
    graph: Graph, title: str, details: dict[str, Detail], origins: dict[str, str], asked: str = ""
) -> Drawing:
    """Return what is to be drawn of ``graph``. asked: name of the file that was asked about."""
    boxes = [_run(graph, run_id, details.get(run_id)) for run_id in graph.runs]
    stands_for: dict[str, str] = {}
    for keys in _alike(graph, origins):
        box = _many(graph, keys, origins.get(keys[0], "")) if len(keys) > MOST_ALIKE else None
        for key in keys:
            here = asked if key in graph.subject else ""
            boxes += [] if box else [_file(graph, graph.files[key], origins.get(key, ""), here)]
            stands_for[key] = box.id if box else key
        boxes += [box] if box else []
    arrows: dict[tuple[str, str], Arrow] = {}
    for edge in graph.edges:
        if edge.side != AGAIN:
            box_id = stands_for[edge.file]
            ends = (box_id, edge.run) if edge.side == READ else (edge.run, box_id)
            label = ""
            if graph.files[edge.file].names()[0] not in edge.paths:
                label = "as %s" % ", ".join(edge.paths)
            arrows.setdefault(ends, Arrow(*ends, SURE if edge.sure else DOUBTFUL, label))
    kept = boxes[:MOST_BOXES]
    if len(boxes) > len(kept):
        title += " (%d of %d runs and files)" % (len(kept), len(boxes))
    known = {one.id for one in kept}
    drawn = tuple(one for one in arrows.values() if one.begin in known and one.end in known)
    return Drawing(title, tuple(kept), drawn, " ".join(_said(graph)))


def _alike(graph: Graph, origins: dict[str, str]) -> list[list[str]]:
    """Return the files in groups that the same runs wrote and read; the subject is by itself."""
    edges: dict[str, set[tuple[str, str]]] = {key: set() for key in graph.files}
    for one in graph.edges:
        edges[one.file].add((one.run, one.side))
    groups: dict[object, list[str]] = {}
    for key, found in edges.items():
        alone = key if key in graph.subject else ""
        groups.setdefault((frozenset(found), origins.get(key, ""), alone), []).append(key)
    return list(groups.values())


def _run(graph: Graph, run_id: str, detail: Detail | None) -> Box:
    facts = graph.runs[run_id]
    title = runid.short(run_id) + (' "%s"' % facts.name if facts.name else "")
    first, *words = facts.command or ("",)
    first = os.path.basename(first)
    command = shlex.join([first, *words])
    code = facts.commit[:7] or "no commit"
    if facts.changed:
        code += " + %d uncommitted" % len(facts.changed)
    lines = [title, facts.started[:16].replace("T", " "), code]
    if facts.command:
        short = shlex.join(words) if words and _PYTHON.match(first) else command
        lines.append(short if len(short) <= _COMMAND else short[: _COMMAND - 1] + "…")
    more = ["run %s, %s, code %s, command %s" % (title, lines[1], code, command)]
    if facts.branch:
        more.append("branch %s" % facts.branch)
    if detail is not None and detail.by:
        lines.append("by %s" % detail.by.partition(",")[0])
        more.append("by %s" % detail.by)
    if detail is not None and detail.params:
        more.append("with " + ", ".join("%s=%s" % pair for pair in detail.params.items()))
    if facts.exit_code:
        lines.append("exit %d" % facts.exit_code)
    replays = len(graph.replays.get(run_id, ()))
    if replays:
        lines.append("replayed %d time%s, same bytes" % (replays, "" if replays == 1 else "s"))
    return Box(run_id, RUN, tuple(lines), "; ".join(more), run_id in graph.subject)


def _file(graph: Graph, file: File, origin: str, here: str) -> Box:
    names = file.names() or (file.key,)
    lines = [names[0]]
    asked = file.key in graph.subject
    if len(names) > 1:
        lines.append("also %s" % names[1] + (" ..." if len(names) > 2 else ""))
    if here and here not in [os.path.basename(one) for one in names]:
        lines.append("here: %s" % here)
    if not file.shown:
        lines.append("no digest")
    if origin:
        lines.append(origin)
    again = [runid.short(one.run) for one in graph.of_file(file.key, AGAIN)]
    if again:
        lines.append("written again by %s" % ", ".join(again[:2]))
    more = "file %s; %d bytes; %s" % (
        ", ".join(names[:_NAMED]), file.size, " ".join(file.shown) or "digest not known",
    )  # fmt: skip
    return Box(file.key, FILE, tuple(lines), more, asked)


def _many(graph: Graph, keys: list[str], origin: str) -> Box:
    names = sorted(name for key in keys for name in graph.files[key].names()[:1])
    folder = os.path.commonpath(names) if not any(map(os.path.isabs, names)) else ""
    lines = [
        "%d files" % len(keys),
        *((folder + "/",) if folder else ()),
        *([origin] * bool(origin)),
    ]
    more = "%d files: %s%s" % (
        len(keys), ", ".join(names[:_NAMED]), " ..." if len(names) > _NAMED else "",
    )  # fmt: skip
    return Box("many " + keys[0], MANY, tuple(lines), more)


def _said(graph: Graph) -> Iterable[str]:
    for run_id, facts in list(graph.runs.items())[:_NAMED]:
        title = runid.short(run_id) + (' "%s"' % facts.name if facts.name else "")
        read = _names(graph, run_id, READ)
        wrote = _names(graph, run_id, WROTE)
        yield "Run %s read %s and wrote %s." % (title, read or "nothing", wrote or "nothing")


def _names(graph: Graph, run_id: str, side: str) -> str:
    names = [graph.files[one.file].names()[0] for one in graph.of_run(run_id, side)]
    more = " and %d more" % (len(names) - _NAMED) if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
