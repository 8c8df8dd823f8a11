"""``prov gc``."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.progress import Stages
from provenance.cli.style import plural, size
from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.operations.cleaning import Cleaning, Item

_SPAN = re.compile(r"^(\d+(?:\.\d+)?)\s*(d|h|m|w)?$")
_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}
_SHOWN = 3


def command(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only told.")] = False,
    older_than: Annotated[
        str,
        typer.Option("--older-than", metavar="AGE", help="Unused for so long: 30d, 12h, 2w."),
    ] = "30d",
    keep_last: Annotated[
        int,
        typer.Option("--keep-last", metavar="N", help="Keep the newest N trees and runs whole."),
    ] = 0,
    blobs: Annotated[
        bool,
        typer.Option("--blobs", help="Also logs, series and code of old runs; records stay."),
    ] = False,
    pushed: Annotated[
        bool,
        typer.Option("--pushed", help="Also files kept by content that the remote has too."),
    ] = False,
    remote: Annotated[
        str,
        typer.Option("--remote", metavar="NAME|URL", help="Which remote; with --pushed."),
    ] = "",
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Also what all projects share.")
    ] = True,
    verbose: options.Verbose = False,
    json: options.Json = False,
) -> None:
    """Remove what can be made again; without --yes only tell what that would be.

    That is trees of replays and rehearsals, cached interfaces and calls, blobs that no record
    names, environments that were not used. Records stay, and all that a lock names or that is kept.
    """
    from provenance.operations import cleaning

    if remote and not pushed:
        raise UsageError("--remote says where to look for what was pushed: add --pushed.")
    policy = cleaning.Policy(
        _seconds(older_than), _count(keep_last), blobs, cache, remote if pushed else None
    )
    problems: tuple[str, ...] = ()
    with Stages("looking") as stages:
        found = cleaning.find(os.getcwd(), dict(os.environ), policy, stages)
        if yes:
            problems = cleaning.clean(found, stages)
    if json:
        envelope.put("gc", cleaning.as_json(found, yes, problems))
        return
    for line in _lines(found, verbose):
        typer.echo(line)
    typer.echo(_last(found, yes))
    for problem in problems:
        typer.echo("  ! %s" % problem, err=True)


def _lines(found: Cleaning, verbose: bool) -> list[str]:
    kinds: dict[str, list[Item]] = {}
    for one in found.items:
        kinds.setdefault(one.kind, []).append(one)
    lines = []
    for kind, items in sorted(kinds.items(), key=lambda pair: -sum(i.usage.bytes for i in pair[1])):
        total = size(sum(one.usage.bytes for one in items))
        lines.append("%8s  %s: %s" % (total, kind, plural(len(items), "item")))
        biggest = sorted(items, key=lambda one: -one.usage.bytes)
        for one in biggest if verbose else biggest[:_SHOWN]:
            shown = _short(found, one)
            lines.append("%8s    %s (%s)" % (size(one.usage.bytes), shown, one.why))
        more = len(items) - _SHOWN
        if more > 0 and not verbose:
            lines.append("%8s    ... and %d more: -v" % ("", more))
    for path, why in found.spared if verbose else ():
        lines.append("%8s  %s (%s)" % ("stays", os.path.relpath(path, found.place.folder), why))
    return lines


def _short(found: Cleaning, one: Item) -> str:
    return one.path if one.top == found.cache else os.path.relpath(one.path, found.place.folder)


def _last(found: Cleaning, done: bool) -> str:
    spared = len(found.spared)
    kept = "; %s needed and left" % plural(spared, "thing") if spared else ""
    if not found.items:
        return "nothing to remove%s" % kept
    total = size(found.usage.bytes)
    if done:
        return "freed %s%s" % (total, kept)
    return "would free %s%s; nothing was removed yet: prov gc --yes" % (total, kept)


def _seconds(text: str) -> float:
    match = _SPAN.match(text.strip())
    if match is None:
        raise UsageError("--older-than %r is no age." % text, "such as 30d, 12h or 2w")
    return float(match.group(1)) * _SECONDS[match.group(2) or "d"]


def _count(number: int) -> int:
    if number < 0:
        raise UsageError("--keep-last %d is below 0." % number)
    return number
