"""Which run made a file, from what, and what came from it: ``prov trace``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance.core import runid
from provenance.operations import _lineage_graph as walking
from provenance.operations._lineage_facts import CODE, RunFacts
from provenance.operations._lineage_graph import Edge, File, Graph, Walk
from provenance.operations._lineage_near import Near, near
from provenance.operations._lineage_origins import origins
from provenance.operations._lineage_records import Records, Told, gather
from provenance.operations._lineage_subject import FILE, RUN, Finder, Subject
from provenance.operations._lineage_told import Detail, detail
from provenance.operations.recorder import CACHE
from provenance.store import files, project

if TYPE_CHECKING:
    from provenance.exports._graph import Drawing

__all__ = [
    "Detail", "Edge", "File", "Graph", "RunFacts", "Traced", "Wish", "as_json", "mermaid",
    "trace", "write_svg",
]  # fmt: skip

MOST_DETAILS = 200
"""Runs whose whole records are read to be told about."""

MOST_FILES = 200
"""Known files of a folder that are followed."""


class Wish(NamedTuple):
    """What is asked for. depth: how many runs far, None for all. others: see `gather`."""

    backward: bool = True
    forward: bool = True
    depth: int | None = None
    replays: bool = False
    others: tuple[str, ...] = ()


_ALL = Wish()


class Traced(NamedTuple):
    """The answer. found: whether any record knows it. near: what comes near to it where none does.

    used_as_code: ids of the runs that used the file as source. details: of runs, from their
    records. origins: of files, where they come from if no run made them. sources: where the records
    lie and how many there are.
    """

    subject: Subject
    found: bool
    graph: Graph
    near: tuple[Near, ...] = ()
    used_as_code: tuple[str, ...] = ()
    details: dict[str, Detail] = {}
    origins: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    sources: tuple[tuple[str, int], ...] = ()

    @property
    def exit_code(self) -> int:
        """0 where it is known, 3 where not."""
        return 0 if self.found else 3


def trace(cwd: str, asked: str, wish: Wish = _ALL, told: Told | None = None) -> Traced:
    """Return what is known of ``asked`` (a file, digest, run or RUN:PATH). Raises `ProvError`."""
    place = project.find(cwd)
    known = gather(place, cwd, wish.others, told)
    finder = Finder(known, place, cwd, os.path.join(place.folder, CACHE))
    try:
        subject = finder.subject(asked)
    finally:
        finder.save()
    walk = Walk(known, wish.replays)
    keys = _walked(walk, subject, wish)
    graph = walking.graph(walk, keys)
    code = _as_code(graph)
    found = bool(graph.edges or code or subject.kind == RUN)
    return Traced(
        subject,
        found,
        graph,
        () if found else near(subject, known, finder),
        code,
        _details(known, graph),
        origins(graph, place, cwd, os.environ),
        tuple(known.problems),
        tuple(known.sources),
    )


def _walked(walk: Walk, subject: Subject, wish: Wish) -> tuple[str, ...]:
    """Follow the subject in the directions asked for; return what stands for it in the graph."""
    if subject.kind == RUN:
        walk.runs[subject.run] = walk.facts(subject.run)
        read, wrote = walking.inputs(walk, subject.run), walking.outputs(walk, subject.run)
        if wish.backward:
            walking.backward(walk, read, wish.depth)
        if wish.forward:
            walking.forward(walk, wrote, wish.depth)
        return (subject.run,)
    files = []
    for digests, touch in subject.touches[:MOST_FILES]:
        lone = not digests and subject.run
        files.append(walk.lone(subject.run, touch) if lone else walk.file(digests, touch))
    if wish.backward:
        walking.backward(walk, files, wish.depth)
    if wish.forward:
        walking.forward(walk, files, wish.depth)
    return tuple(dict.fromkeys(one.key for one in files))


def _as_code(graph: Graph) -> tuple[str, ...]:
    """Return the runs that used the subject as their source, oldest first."""
    places = [one for key in graph.subject if key in graph.files for one in graph.files[key].places]
    return tuple(dict.fromkeys(one.run for one in places if one.touch.side == CODE))


def _details(known: Records, graph: Graph) -> dict[str, Detail]:
    """Return what is told of the runs, from their records."""
    return {run_id: detail(known, run_id) for run_id in list(graph.runs)[:MOST_DETAILS]}


def as_json(found: Traced) -> dict[str, Any]:
    """Return the ``data`` member of ``prov trace --json``."""
    graph = found.graph
    return {
        "asked": found.subject.asked,
        "kind": found.subject.kind,
        "found": found.found,
        "digests": list(found.subject.digests),
        "subject": list(graph.subject),
        "runs": [
            dict(
                _run(found, run_id),
                **(found.details[run_id].to_json() if run_id in found.details else {}),
            )
            for run_id in graph.runs
        ],
        "files": [
            {
                "key": one.key,
                "digests": list(one.shown),
                "size": one.size,
                "paths": list(one.names()),
                "origin": found.origins.get(one.key, ""),
                "states": sorted({place.touch.state for place in one.places}),
            }
            for one in graph.files.values()
        ],
        "edges": [
            {
                "run": one.run,
                "file": one.file,
                "side": one.side,
                "paths": list(one.paths),
                "sure": one.sure,
            }
            for one in graph.edges
        ],
        "used_as_code": list(found.used_as_code),
        "near": [one._asdict() for one in found.near],
        "cut": graph.cut,
        "notes": [*found.subject.notes, *found.notes],
        "sources": [{"place": place, "runs": count} for place, count in found.sources],
    }


def mermaid(found: Traced) -> str:
    """Return the graph as a Mermaid flowchart."""
    from provenance.exports import graph_mermaid

    return graph_mermaid.document(_drawing(found))


def write_svg(found: Traced, path: str) -> None:
    """Draw the graph into the file ``path``. Raises `SystemRefused`."""
    from provenance.exports import graph_svg

    files.write_atomic(path, graph_svg.document(_drawing(found)).encode("utf-8"))


def _drawing(found: Traced) -> Drawing:
    from provenance.operations import _lineage_drawn

    subject = found.subject
    title = os.path.basename(subject.asked)
    if subject.kind == RUN:
        facts = found.graph.runs[subject.run]
        title = "run %s" % runid.short(facts.id) + (' "%s"' % facts.name if facts.name else "")
    title = "Where %s comes from, and what came from it" % title
    asked = os.path.basename(subject.asked.rstrip("/")) if subject.kind == FILE else ""
    return _lineage_drawn.drawing(found.graph, title, found.details, found.origins, asked)


def _run(found: Traced, run_id: str) -> dict[str, Any]:
    facts = found.graph.runs[run_id]
    return {
        "id": run_id,
        "name": facts.name or None,
        "started": facts.started,
        "status": facts.status,
        "exit_code": facts.exit_code,
        "command": list(facts.command),
        "replay_of": facts.replay_of or None,
        "replays": list(found.graph.replays.get(run_id, ())),
        "commit": facts.commit or None,
        "branch": facts.branch or None,
        "uncommitted": list(facts.changed),
        "remotes": list(facts.remotes),
        "problems": list(facts.problems),
    }
