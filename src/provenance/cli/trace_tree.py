"""What a file comes from, and what came from it, as a tree in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance.cli import trace_words
from provenance.cli.style import Style, flat, plural, size

if TYPE_CHECKING:
    from provenance.operations.lineage import Edge, Traced

_MOST = 400
"""Lines of one tree."""

Branch = tuple[str, list[Any]]
"""A line, and the branches below it."""


class _Tree:
    def __init__(self, found: Traced, style: Style, backward: bool) -> None:
        self.found, self.graph, self.style = found, found.graph, style
        self.backward = backward
        self.shown: set[str] = set()

    def file(self, key: str, head: str = "", say: bool = True) -> Branch:
        """Return a file, and below it the runs that made it or read it."""
        one = self.graph.files[key]
        line = head or "%s  %s" % (trace_words.file(one), size(one.size))
        edges = self.graph.of_file(key, "wrote" if self.backward else "read")
        if not edges and self.backward and say:
            text = trace_words.origin(self.found, one)
            line += "  (%s)" % text if text else ""
        below = [self.run(edge) for edge in edges if self._leads(edge)]
        return line, below

    def _leads(self, edge: Edge) -> bool:
        return self.backward or edge.run != self.found.subject.run

    def run(self, edge: Edge) -> Branch:
        """Return a run, and below it what it read or wrote."""
        facts = self.graph.runs[edge.run]
        parts = [self.style(trace_words.run(facts), "cyan"), trace_words.when(facts)]
        bad = trace_words.ending(facts)
        parts += [self.style(bad, "yellow")] if bad else []
        parts.append(trace_words.command(facts))
        if not edge.sure:
            parts.append("(not certain)")
        if facts.replay_of:
            parts.append("(a replay)")
        if edge.run in self.shown:
            return "  ".join([parts[0], "(above)"]), []
        self.shown.add(edge.run)
        return "  ".join(parts), self.below(edge.run)

    def below(self, run_id: str) -> list[Branch]:
        """Return the facts of a run, then its files."""
        lines = self._facts(run_id) if self.backward else self._beside(run_id)
        edges = self.graph.of_run(run_id, "read" if self.backward else "wrote")
        return [*((text, []) for text in lines), *map(self._files, self._groups(edges))]

    def _groups(self, edges: list[Edge]) -> list[tuple[Edge, ...]]:
        return trace_words.groups(self.found, edges, self.backward)

    def _files(self, group: tuple[Edge, ...]) -> Branch:
        """Return files that come from the same runs, or lead to the same, as one line."""
        if len(group) == 1:
            return self.file(group[0].file)
        files = [self.graph.files[one.file] for one in group]
        total = size(sum(one.size for one in files))
        head = "%s  %s" % (trace_words.together(files), total)
        text = trace_words.origin(self.found, files[0]) if self.backward else ""
        if text and not self.graph.of_file(group[0].file, "wrote"):
            head += "  (%s)" % text
        return self.file(group[0].file, head, say=False)

    def _beside(self, run_id: str) -> list[str]:
        """Return what a run read beside, and what it wrote that was there already."""
        out = []
        others = self._others(run_id)
        if others:
            out.append("also read  " + trace_words.few(others))
        again = [self.graph.files[one.file] for one in self.graph.of_run(run_id, "again")]
        if again:
            out.append("wrote again, the same bytes  " + trace_words.together(again))
        return out

    def _others(self, run_id: str) -> list[str]:
        """Return what a run read beside the files that lead to it here."""
        known = {path for one in self.graph.of_run(run_id, "read") for path in one.paths}
        facts = self.graph.runs[run_id]
        return [one.path for one in facts.touches if one.side == "read" and one.path not in known]

    def _facts(self, run_id: str) -> list[str]:
        facts, detail = self.graph.runs[run_id], self.found.details.get(run_id)
        told = [("code", trace_words.code(facts, detail))]
        if detail is not None:
            told += [
                ("by", detail.by),
                ("params", trace_words.params(detail)),
                ("env", trace_words.environment(detail)),
                ("result", trace_words.metrics(detail)),
            ]
        inside = {path for one in self.graph.of_run(run_id, "wrote") for path in one.paths}
        also = [t.path for t in facts.touches if t.side == "wrote" and t.path not in inside]
        told.append(("also wrote", trace_words.few(also)))
        return ["%s  %s" % (self.style(name, "dim"), text) for name, text in told if text]


def lines(found: Traced, style: Style, backward: bool) -> list[str]:
    """Return the tree of one direction; empty where there is nothing in it."""
    tree = _Tree(found, style, backward)
    if found.subject.kind == "run":
        branches = tree.below(found.subject.run)
        tops = [("run %s" % trace_words.run(found.graph.runs[found.subject.run]), branches)]
    else:
        keys = [key for key in found.graph.subject if key in found.graph.files]
        one = len(keys) == 1
        tops = [tree.file(key, flat(found.subject.asked) if one else "") for key in keys]
    out: list[str] = []
    for line, below in tops:
        if below:
            out.append("  " + line)
            _draw(below, "  ", out)
    if len(out) > _MOST:
        return [*out[:_MOST], "  ... %s (--depth, --json)" % plural(len(out) - _MOST, "line")]
    return out


def _draw(branches: list[Branch], indent: str, out: list[str]) -> None:
    for place, (line, below) in enumerate(branches):
        last = place == len(branches) - 1
        out.append("%s%s %s" % (indent, "└─" if last else "├─", line))
        if len(out) > _MOST * 2:
            return
        _draw(below, indent + ("   " if last else "│  "), out)
