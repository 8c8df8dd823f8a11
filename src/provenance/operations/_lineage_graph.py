"""The graph of runs and files: who wrote what, who read it, and how the two are joined.

A file is what its digests say, wherever it lies: a copy or a renamed one is the same file. Edges
lead from a file to the run that read it, and from a run to the file that it made. The same bytes
can be written more than once; then the first run that wrote them is their maker, unless somebody
had read them before. All other writers are kept as such ("again") and are not walked, so that the
graph never has a loop. Pure functions of `RunFacts`; the order in which records are found makes no
difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from provenance.facets import _entries
from provenance.operations import _lineage_addresses as addresses
from provenance.operations._lineage_addresses import Known
from provenance.operations._lineage_facts import (
    CODE,
    READ,
    WROTE,
    RunFacts,
    Touch,
    is_content,
    is_of_bytes,
)

AGAIN = "again"
"""An edge of a run that wrote bytes that were there already."""

MOST_RUNS = 2000
"""Runs that one answer goes through; what lies behind them is said to be left out."""


class Place(NamedTuple):
    """Where and how a run touched a file."""

    run: str
    touch: Touch


class File(NamedTuple):
    """A file by content. key: stands for it in edges. places: in the order of the runs."""

    key: str
    digests: tuple[str, ...] = ()
    size: int = 0
    places: tuple[Place, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """Return what its content is known by."""
        return tuple(one for one in self.digests if is_content(one))

    def names(self) -> tuple[str, ...]:
        """Return the paths under which it was written, then those under which it was read."""
        sides = sorted(self.places, key=lambda one: one.touch.side != WROTE)
        return tuple(dict.fromkeys(one.touch.path for one in sides))


class Edge(NamedTuple):
    """side: read (file to run), wrote or again (run to file). sure: False where the record is not.

    paths: under which names.
    """

    run: str
    file: str
    side: str
    paths: tuple[str, ...] = ()
    sure: bool = True


class Graph(NamedTuple):
    """Runs by id and files by key. replays: ids of folded replays by the run that they repeat.

    subject: keys of the files, or the id of the run, that was asked about. cut: whether runs lie
    beyond what was walked. by_run, by_file: the edges by end and side.
    """

    runs: dict[str, RunFacts] = {}
    files: dict[str, File] = {}
    edges: tuple[Edge, ...] = ()
    subject: tuple[str, ...] = ()
    replays: dict[str, tuple[str, ...]] = {}
    cut: bool = False
    by_run: dict[tuple[str, str], list[Edge]] = {}
    by_file: dict[tuple[str, str], list[Edge]] = {}

    def of_run(self, run_id: str, side: str) -> list[Edge]:
        """Return the edges of a run on one side."""
        return list(self.by_run.get((run_id, side), ()))

    def of_file(self, key: str, side: str) -> list[Edge]:
        """Return the edges of a file on one side."""
        return list(self.by_file.get((key, side), ()))


class Makers(NamedTuple):
    """Who wrote a file: the makers (several where that is ambiguous), and who did so again."""

    first: tuple[str, ...] = ()
    again: tuple[str, ...] = ()


class Walk:
    """Builds a graph from what is known, file by file. replays: show them like other runs."""

    def __init__(self, known: Known, replays: bool = False) -> None:
        self._known = known
        self._with_replays = replays
        self._by_digest: dict[str, str] = {}
        self._places: dict[str, dict[tuple[str, str], list[Touch]]] = {}
        self.files: dict[str, File] = {}
        self.runs: dict[str, RunFacts] = {}
        self.replays: dict[str, set[str]] = {}
        self.edges: set[Edge] = set()
        self.cut = False

    def file(self, digests: Sequence[str], touch: Touch | None = None) -> File:
        """Return the file with any of ``digests``, and with what else is known to be the same.

        touch: of an empty file, which stands for itself only under its own path.
        """
        known = next((self._by_digest[one] for one in digests if one in self._by_digest), None)
        empty = touch is not None and touch.size == 0 and touch.files is None
        empty = empty and any(is_of_bytes(one) for one in digests)
        if known is not None and not empty:
            return self.files[known]
        found = self._gathered(tuple(digests), touch if empty else None)
        self.files[found.key] = found
        if not empty:
            self._by_digest.update(dict.fromkeys(found.digests, found.key))
        return found

    def _gathered(self, digests: tuple[str, ...], only: Touch | None) -> File:
        same, todo = set(digests), list(digests)
        for value in digests:
            todo += addresses.digests(self._known, value)
        same.update(todo)
        places: set[Place] = set()
        while todo:
            value = todo.pop()
            for run_id in self._known.by_digest(value.partition(":")[2]):
                for touch in self._known.facts(run_id).touches:
                    if value not in touch.digests or (
                        only is not None and (touch.root, touch.path) != (only.root, only.path)
                    ):
                        continue
                    places.add(Place(run_id, touch))
                    more = [*touch.digests, *addresses.of(self._known, run_id, touch)]
                    more += [
                        v for one in touch.digests for v in addresses.digests(self._known, one)
                    ]
                    todo += [one for one in dict.fromkeys(more) if one not in same]
                    same.update(more)
        ordered = sorted(places, key=lambda one: (self.facts(one.run).order, one.touch[:2]))
        key = min(same) if only is None else "%s %s" % (min(same), only.path)
        size = max((one.touch.size for one in ordered), default=0)
        return File(key, tuple(sorted(same)), size, tuple(ordered))

    def facts(self, run_id: str) -> RunFacts:
        """Return the facts of a run."""
        return self._known.facts(run_id)

    def lone(self, run_id: str, touch: Touch) -> File:
        """Return the file of a touch whose digest is not known: nothing can be joined to it."""
        key = "?%s %s %s" % (run_id, touch.side, touch.path)
        return self.files.setdefault(key, File(key, (), touch.size, (Place(run_id, touch),)))

    def of_touch(self, run_id: str, touch: Touch) -> File:
        """Return the file that a run touched."""
        return self.file(touch.digests, touch) if touch.digests else self.lone(run_id, touch)

    def makers(self, file: File) -> Makers:
        """Return who wrote ``file`` first, and who again."""
        writers = self._writers(file)
        before = {one.run for one in file.places if one.touch.side == READ}
        reads = [self.facts(run_id) for run_id in sorted(before)]
        able = [
            one
            for one in writers
            if one not in before and not any(r.end() < self.facts(one).started for r in reads)
        ]
        if not able:
            return Makers((), tuple(writers))
        sure = [one for one in able if not self._ambiguous(file, one)]
        first = able[0]
        if first in sure:
            chosen: tuple[str, ...] = (first,)
        else:
            end = self.facts(first).end()
            beside = [one for one in able if self.facts(one).started <= end]
            chosen = tuple(one for one in beside if one in sure)[:1] or tuple(beside)
        return Makers(chosen, tuple(one for one in writers if one not in chosen))

    def _writers(self, file: File) -> list[str]:
        """Return the runs that wrote it, oldest first; a replay only where no other run did."""
        found = {one.run for one in file.places if one.touch.side == WROTE}
        found = set(self._folded(found))
        return sorted(found, key=lambda one: self.facts(one).order)

    def readers(self, file: File) -> list[str]:
        """Return the runs that read it as data, oldest first."""
        found = self._folded({one.run for one in file.places if one.touch.side == READ})
        return sorted(found, key=lambda one: self.facts(one).order)

    def _folded(self, found: set[str]) -> Iterable[str]:
        """Return ``found`` without replays of runs that are in it too, and note these."""
        if self._with_replays:
            return found
        kept = set()
        for one in found:
            origin = self.facts(one).replay_of
            if origin in found:
                self.replays.setdefault(origin, set()).add(one)
            else:
                kept.add(one)
        return kept

    def _ambiguous(self, file: File, run_id: str) -> bool:
        states = {
            one.touch.state for one in file.places if one.run == run_id and one.touch.side == WROTE
        }
        return states == {_entries.AMBIGUOUS}

    def join(self, run_id: str, file: File, side: str) -> None:
        """Add a run and an edge between it and ``file``."""
        self.runs[run_id] = self.facts(run_id)
        of_side = WROTE if side == AGAIN else side
        touches = self._touches(file).get((run_id, of_side), [])
        doubtful = (_entries.AMBIGUOUS, _entries.CHANGED)
        sure = any(one.state not in doubtful for one in touches)
        paths = tuple(dict.fromkeys(one.path for one in touches))
        self.edges.add(Edge(run_id, file.key, side, paths, sure))

    def _touches(self, file: File) -> dict[tuple[str, str], list[Touch]]:
        """Return how each run touched ``file``, by run and side; made once for each file."""
        found = self._places.get(file.key)
        if found is None:
            found = self._places[file.key] = {}
            for one in file.places:
                found.setdefault((one.run, one.touch.side), []).append(one.touch)
        return found

    def full(self) -> bool:
        """Return whether no more runs are to be added; then the graph is cut."""
        self.cut = self.cut or len(self.runs) >= MOST_RUNS
        return self.cut and len(self.runs) >= MOST_RUNS


def backward(walk: Walk, files: Iterable[File], depth: int | None) -> None:
    """Follow ``files`` to the runs that made them, and to what those read, and so on."""
    todo = [(one, 0) for one in files]
    seen = {one.key for one, _ in todo}
    while todo:
        file, far = todo.pop(0)
        made = walk.makers(file)
        for run_id in made.again:
            if far == 0 or run_id in walk.runs:
                walk.join(run_id, file, AGAIN)
        if not made.first:
            continue
        if (depth is not None and far >= depth) or walk.full():
            walk.cut = True
            continue
        for run_id in made.first:
            fresh = run_id not in walk.runs
            walk.join(run_id, file, WROTE)
            for one in inputs(walk, run_id) if fresh else ():
                if one.key not in seen:
                    seen.add(one.key)
                    todo.append((one, far + 1))


def inputs(walk: Walk, run_id: str) -> list[File]:
    """Join a run to what it read, and return that."""
    return _touched(walk, run_id, READ)


def outputs(walk: Walk, run_id: str) -> list[File]:
    """Join a run to what it wrote; return the files that it made, and not only wrote again."""
    return [one for one in _touched(walk, run_id, WROTE) if run_id in walk.makers(one).first]


def _touched(walk: Walk, run_id: str, side: str) -> list[File]:
    found: dict[str, File] = {}
    for touch in walk.facts(run_id).touches:
        if touch.side != side:
            continue
        file = walk.of_touch(run_id, touch)
        found[file.key] = file
        made = side == READ or not touch.digests or run_id in walk.makers(file).first
        walk.join(run_id, file, side if made else AGAIN)
    return [found[key] for key in sorted(found)]


def forward(walk: Walk, files: Iterable[File], depth: int | None) -> None:
    """Follow ``files`` to the runs that read them, and to what those made, and so on."""
    todo = [(one, 0) for one in files]
    seen = {one.key for one, _ in todo}
    while todo:
        file, far = todo.pop(0)
        readers = walk.readers(file)
        if readers and ((depth is not None and far >= depth) or walk.full()):
            walk.cut = True
            continue
        for run_id in readers:
            walk.join(run_id, file, READ)
            for one in outputs(walk, run_id):
                if one.key not in seen:
                    seen.add(one.key)
                    todo.append((one, far + 1))


def graph(walk: Walk, subject: Sequence[str]) -> Graph:
    """Return what was walked, without loops; nothing in it depends on the order of finding."""
    edges = _without_loops(walk)
    used = {one.file for one in edges} | set(subject)
    files = {key: walk.files[key] for key in sorted(used) if key in walk.files}
    runs = dict(sorted(walk.runs.items(), key=lambda pair: pair[1].order))
    folded = {
        run_id: tuple(sorted(found)) for run_id, found in walk.replays.items() if run_id in runs
    }
    by_run: dict[tuple[str, str], list[Edge]] = {}
    by_file: dict[tuple[str, str], list[Edge]] = {}
    for one in edges:
        by_run.setdefault((one.run, one.side), []).append(one)
        by_file.setdefault((one.file, one.side), []).append(one)
    told = dict(sorted(folded.items()))
    return Graph(runs, files, tuple(edges), tuple(subject), told, walk.cut, by_run, by_file)


def _without_loops(walk: Walk) -> list[Edge]:
    """Return the edges sorted; one that would close a loop says "again".

    Loops come only from runs that went on at the same time and handed files to and fro.
    """
    order = {run_id: facts.order for run_id, facts in walk.runs.items()}
    edges = sorted(walk.edges, key=lambda one: (order[one.run], one.side, one.file))
    waiting: dict[str, set[str]] = {}
    after: dict[str, list[str]] = {}
    for one in edges:
        if one.side in (READ, CODE):
            begin, end = "f" + one.file, "r" + one.run
        elif one.side == WROTE:
            begin, end = "r" + one.run, "f" + one.file
        else:
            continue
        waiting.setdefault(begin, set())
        waiting.setdefault(end, set()).add(begin)
        after.setdefault(begin, []).append(end)
    looping: set[tuple[str, str]] = set()
    ready = [node for node, before in waiting.items() if not before]
    while waiting:
        while ready:
            node = ready.pop()
            del waiting[node]
            for then in after.get(node, ()):
                if then in waiting and node in waiting[then]:
                    waiting[then].discard(node)
                    if not waiting[then]:
                        ready.append(then)
        if waiting:
            stuck = [
                (order[maker[1:]], node, maker)
                for node, before in waiting.items()
                if node[0] == "f"
                for maker in before
            ]
            _, node, maker = max(stuck)
            looping.add((maker[1:], node[1:]))
            waiting[node].discard(maker)
            if not waiting[node]:
                ready.append(node)
    return [
        one._replace(side=AGAIN) if one.side == WROTE and (one.run, one.file) in looping else one
        for one in edges
    ]
