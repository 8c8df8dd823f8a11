"""``prov show``."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from provenance.cli import envelope, options, summary, tables, tree
from provenance.cli.style import value
from provenance.core.record import CAPTURED, Payload, Record
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations import listing

_WIDE = 40
"""Items of a list that are shown before the rest is counted."""


def command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="id, part of one, name, @last, @-2")],
    facet: Annotated[
        str | None, typer.Argument(metavar="FACET", help="code, packages, data, metrics ...")
    ] = None,
    json: options.Json = False,
    anonymous: options.Anonymous = False,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="FORM", help="Tables for an appendix: latex or markdown."),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to FILE.")
    ] = None,
) -> None:
    """Show a record: in a few lines, one facet of it in full, or as tables for a paper."""
    from provenance.operations import appendix, listing

    if form is not None and (json or form not in appendix.FORMATS):
        known = " or ".join(sorted(appendix.FORMATS))
        raise UsageError("--format takes %s, and goes without --json." % known)
    found = listing.show(os.getcwd(), run, facet)
    if anonymous:
        found = listing.nameless(found, os.getcwd(), os.environ)
    if form is not None:
        text = appendix.render(found.record, form, facet)
    elif json:
        envelope.put("show", listing.as_json(found))
        return
    elif facet == "model" and found.record.payloads(facet):
        text = "\n".join(tables.lines(appendix.tables(found.record, facet))) + "\n"
    elif facet is None:
        text = "\n".join(_whole(found)) + "\n"
    else:
        lines = _facet(found.record, facet)
        text = "\n".join(lines + (_doubts(found) if facet == "seeds" else [])) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        appendix.save(output, text)


def _doubts(found: listing.Shown) -> list[str]:
    """Return why the run may not come out the same again, and what to do about it."""
    lines = []
    for doubt in found.doubts:
        lines.append("  ! not repeatable: %s" % str(doubt))
        if doubt.fix:
            lines.append("      fix: %s" % doubt.fix)
    return lines


def _whole(found: listing.Shown) -> list[str]:
    run, source = found.record, found.source
    lines = [
        "run %s" % summary.headline(run),
        "  id       %s" % run.id,
        *(["  from     %s" % str(found.origin)] if found.origin is not None else []),
        "  command  %s" % shlex.join(run.command),
        "  in       %s" % (run.cwd,),
        "  started  %s" % run.started,
    ]
    if run.tags or run.labels:
        labels = ["%s=%s" % pair for pair in sorted(run.labels.items())]
        lines.append("  marked   %s" % " ".join([*("#" + tag for tag in run.tags), *labels]))
    if run.replay_of:
        lines.append("  replays  %s" % run.replay_of)
    lines += summary.lines(run) + _doubts(found)
    if run.log is not None and run.log.path:
        path = os.path.join(source, run.log.path)
        told = os.path.relpath(path) if os.path.exists(path) else "was not sent along"
        lines.append("  log      %s" % (told if found.origin else os.path.relpath(path)))
    names = [name for name, answer in run.facets.items() if answer.status == CAPTURED]
    others = ["%s (%s)" % (n, a.status) for n, a in run.facets.items() if a.status != CAPTURED]
    lines.append("  facets   %s" % ", ".join(names + others))
    return lines


def _facet(run: Record, name: str) -> list[str]:
    answer: Payload = run.facets[name]
    if answer.status != CAPTURED:
        return ["%s: %s: %s" % (name, answer.status, answer.reason)]
    if name == "processes":
        return tree.lines(answer)
    lines = []
    for subject in answer.subjects:
        where = " (%s)" % subject.interpreter if subject.interpreter else ""
        lines.append("%s of %s%s" % (name, subject.id, where))
        lines += _tree(subject.payload, "  ")
    return lines + ["  ! " + note for note in answer.notes]


def _tree(item: Any, indent: str) -> list[str]:
    """Return nested JSON as indented text: one line for what fits on one."""
    pairs = list(item.items() if isinstance(item, dict) else enumerate(item))
    lines = []
    for key, part in pairs[:_WIDE]:
        label = str(key) if isinstance(item, dict) else "-"
        if isinstance(part, dict) and set(part) <= {"root", "path"} and "path" in part:
            lines.append("%s%s  %s" % (indent, label, summary.path_text(part)))
        elif isinstance(part, dict) and set(part) == {"mean", "max", "points"}:
            told = label, value(part["mean"]), value(part["max"]), len(part["points"])
            lines.append("%s%s  mean %s  max %s  (%d points)" % (indent, *told))
        elif isinstance(part, (dict, list)) and part:
            flat = _flat(part)
            if flat is None:
                lines.append(indent + label)
                lines += _tree(part, indent + "  ")
            else:
                lines.append("%s%s  %s" % (indent, label, flat))
        else:
            lines.append("%s%s  %s" % (indent, label, value(part) if part != [] else "(none)"))
    if len(pairs) > _WIDE:
        lines.append("%s... and %d more (all with --json)" % (indent, len(pairs) - _WIDE))
    return lines


def _flat(part: Any) -> str | None:
    """Return a small structure on one line, None where it is too big for that."""
    items = part.items() if isinstance(part, dict) else enumerate(part)
    words = []
    for key, item in items:
        if isinstance(item, dict) and "path" in item and set(item) <= {"root", "path"}:
            text = summary.path_text(item)
        elif key == "digests" and isinstance(item, dict):
            text = " ".join("%s:%.12s" % pair for pair in item.items())
        elif isinstance(item, (dict, list)) and item:
            return None
        else:
            text = value(item) if item not in ([], {}) else "-"
        words.append("%s=%s" % (key, text) if isinstance(part, dict) else text)
    line = "  ".join(words)
    return line if len(line) <= 140 else None
