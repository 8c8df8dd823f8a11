"""The story of a file for people: a few sentences, then both directions as trees."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from provenance.cli import trace_tree, trace_words
from provenance.cli.style import Style, flat, plural, size
from provenance.core import runid
from provenance.operations.lineage import Edge

if TYPE_CHECKING:
    from provenance.operations.lineage import Graph, Traced

_SENTENCES = 6
"""Of one direction; the tree has the rest."""


def lines(found: Traced, style: Style, asked: tuple[bool, bool]) -> list[str]:
    """Return the answer of ``prov trace``. asked: whether backward, and forward."""
    if not found.found:
        return _unknown(found, style)
    out = [style(_title(found), "bold")]
    out += ["  " + one for one in _story(found, asked)]
    out += ["  ! " + flat(one) for one in (*found.subject.notes, *_doubts(found), *found.notes)]
    backward = found.graph.subject and asked[0] and trace_tree.lines(found, style, True)
    forward = found.graph.subject and asked[1] and trace_tree.lines(found, style, False)
    if backward:
        out += ["", style("where it comes from", "bold"), *backward]
    if forward:
        out += ["", style("what came from it", "bold"), *forward]
    if found.graph.cut:
        out.append("  ... there are more runs behind these (--depth, --json)")
    return out


def _title(found: Traced) -> str:
    subject, graph = found.subject, found.graph
    if subject.kind == "run":
        facts = graph.runs[subject.run]
        bad = trace_words.ending(facts)
        parts = [trace_words.when(facts), *([bad] if bad else []), trace_words.command(facts)]
        return "run %s  %s" % (trace_words.run(facts), "  ".join(parts))
    files = [graph.files[key] for key in graph.subject if key in graph.files]
    title = "%s  %s" % (flat(subject.asked), plural(len(files), "known file"))
    if len(files) == 1:
        digests = files[0].digests
        value = " ".join(digests[0].split(":"))[:19] if digests else "no digest"
        shown = size(subject.size or files[0].size)
        title = "%s  %s  %s" % (flat(subject.asked), shown, value)
    names = [flat(one) for one in files[0].names()] if len(files) == 1 else []
    if not names or flat(subject.asked) in names or subject.kind == "recorded file":
        return title
    return "%s, is %s" % (title, trace_words.few(names))


def _story(found: Traced, asked: tuple[bool, bool]) -> Iterator[str]:
    graph = found.graph
    if asked[0]:
        told = list(_backward(found))
        yield from told[:_SENTENCES]
        if len(told) > _SENTENCES:
            yield "... and %s before that (below)" % plural(len(told) - _SENTENCES, "step")
    if asked[1]:
        told = list(_forward(found))
        yield from told[:_SENTENCES]
        if len(told) > _SENTENCES:
            yield "... and %s later (below)" % plural(len(told) - _SENTENCES, "run")
    if found.used_as_code:
        ids = [runid.short(one) for one in found.used_as_code]
        yield "used as source by %s: %s" % (plural(len(ids), "run"), trace_words.few(ids, 8))
    if found.subject.kind != "run" and not graph.edges and not found.used_as_code:
        yield "no run read or wrote it"


def _backward(found: Traced) -> Iterator[str]:
    """Yield a sentence per run that made something, from the subject back."""
    graph = found.graph
    if found.subject.kind == "run":
        yield _made_by(found, found.subject.run, "it ran")
        todo = [(graph.of_run(found.subject.run, "read"), "")]
    else:
        keys = [key for key in graph.subject if key in graph.files]
        edges = [Edge("", key, "read", graph.files[key].names()) for key in keys]
        todo = [(edges, "it" if len(keys) == 1 else "")]
    seen: set[str] = set()
    told: set[str] = set()
    while todo:
        edges, word = todo.pop(0)
        fresh = [one for one in edges if one.file not in seen]
        seen.update(one.file for one in fresh)
        for group in trace_words.groups(found, fresh, backward=True):
            yield from _of_group(found, group, word, told)
            for maker in graph.of_file(group[0].file, "wrote"):
                todo.append((graph.of_run(maker.run, "read"), ""))


def _of_group(found: Traced, group: tuple[Edge, ...], word: str, told: set[str]) -> Iterator[str]:
    """Yield who made files of the same makers. told: runs that were told about already."""
    graph = found.graph
    files = [graph.files[one.file] for one in group]
    head = "" if word else trace_words.together(files) + ": "
    makers = graph.of_file(group[0].file, "wrote")
    again = graph.of_file(group[0].file, "again")
    text = "" if makers else trace_words.origin(found, files[0])
    if len(makers) > 1:
        runs = " or ".join(trace_words.run(graph.runs[one.run]) for one in makers)
        yield "%sambiguous: written by run %s, which went on at the same time" % (head, runs)
    elif makers and makers[0].run in told:
        yield "%swritten by run %s too" % (head, trace_words.run(graph.runs[makers[0].run]))
    elif makers:
        yield head + _made_by(found, makers[0].run, "written by", makers[0])
    elif not found.graph.cut:
        yield "%sno recorded run wrote %s%s" % (
            head, "it" if len(files) == 1 else "them", " (%s)" % text if text else "",
        )  # fmt: skip
    told.update(one.run for one in makers)
    for one in again:
        facts = graph.runs[one.run]
        yield "the same bytes were written again by run %s on %s" % (
            trace_words.run(facts), trace_words.when(facts),
        )  # fmt: skip


def _made_by(found: Traced, run_id: str, verb: str, edge: Edge | None = None) -> str:
    facts, detail = found.graph.runs[run_id], found.details.get(run_id)
    code = trace_words.code(facts, detail)
    bad = trace_words.ending(facts)
    parts = [trace_words.when(facts), *([bad] if bad else []), "code " + code]
    text = "%s run %s (%s)" % (verb, trace_words.run(facts), "; ".join(parts))
    if verb == "it ran":
        text = "it ran on %s, with code %s" % (trace_words.when(facts), code)
    if edge is not None and not edge.sure:
        text = "perhaps " + text
    read = [found.graph.files[one.file] for one in found.graph.of_run(run_id, "read")]
    if read:
        text += ", from " + trace_words.together(read)
    if detail is not None and detail.params:
        text += ", with " + trace_words.params(detail)
    replays = found.graph.replays.get(run_id, ())
    if replays:
        text += "; replayed with the same bytes: %s" % plural(len(replays), "time")
    if facts.replay_of:
        text += "; a replay of %s" % runid.short(facts.replay_of)
    return text


def _forward(found: Traced) -> Iterator[str]:
    """Yield a sentence per run that read the subject, or what came of it."""
    graph = found.graph
    if found.subject.kind == "run":
        wrote = [graph.files[one.file] for one in graph.of_run(found.subject.run, "wrote")]
        yield "it wrote " + (trace_words.few(map(trace_words.file, wrote)) or "nothing")
        todo = [one.key for one in wrote]
    else:
        todo = [key for key in graph.subject if key in graph.files]
    seen, first = set(todo), found.subject.kind != "run"
    told: set[str] = set()
    while todo:
        key = todo.pop(0)
        for edge in graph.of_file(key, "read"):
            if edge.run in told or edge.run == found.subject.run:
                continue
            told.add(edge.run)
            made = graph.of_run(edge.run, "wrote")
            if not made and key in seen and not _follows(graph, edge.run, key):
                continue
            names = trace_words.few(trace_words.file(graph.files[one.file]) for one in made)
            what = "" if first and len(graph.subject) == 1 and key in graph.subject else (
                "%s: " % trace_words.file(graph.files[key])
            )  # fmt: skip
            text = "%slater read by run %s" % (what, trace_words.run(graph.runs[edge.run]))
            if graph.files[key].names()[0] not in edge.paths:
                text += " as %s" % trace_words.few(edge.paths)
            yield text + (", which wrote %s" % names if names else ", which wrote nothing")
            todo += [one.file for one in made if one.file not in seen]
            seen.update(one.file for one in made)


def _follows(graph: Graph, run_id: str, key: str) -> bool:
    """Return whether a run that wrote nothing belongs to what came from a file."""
    return any(one.file == key for one in graph.of_run(run_id, "read"))


def _doubts(found: Traced) -> Iterator[str]:
    for run_id, facts in found.graph.runs.items():
        for text in facts.problems:
            yield "run %s: %s" % (trace_words.run(facts), text)
        detail = found.details.get(run_id)
        if detail is not None and detail.problem:
            yield "run %s: %s" % (trace_words.run(facts), detail.problem)
        lost = [one for one in facts.touches if not one.digests and one.side != "code"]
        if lost:
            text = "run %s: %s without digest, which cannot be followed: %s"
            names = trace_words.few(one.path for one in lost)
            yield text % (trace_words.run(facts), plural(len(lost), "file"), names)


def _unknown(found: Traced, style: Style) -> list[str]:
    subject = found.subject
    value = " ".join(subject.digests[0].split(":"))[:19] if subject.digests else ""
    title = "%s  %s: no record knows it" % (flat(subject.asked), value)
    total = sum(count for _, count in found.sources)
    out = [style(title.replace("  :", ":"), "bold")]
    out.append("  looked at %s in %s" % (
        plural(total, "record"), trace_words.few(_near(place) for place, _ in found.sources)
    ))  # fmt: skip
    out += ["  ! " + flat(one) for one in found.notes]
    out.append("  for those of others: prov fetch, prov pull, or --records FOLDER")
    if found.near:
        out += ["", "what comes near:", *("  " + flat(one.text) for one in found.near)]
    return out


def _near(path: str) -> str:
    """Return a path as seen from here, where that is shorter."""
    return min(path, os.path.relpath(path), key=len)
