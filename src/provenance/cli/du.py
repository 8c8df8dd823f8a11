"""``prov du``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from provenance.cli import envelope, options
from provenance.cli.progress import Stages
from provenance.cli.style import plural, size
from provenance.core import runid

if TYPE_CHECKING:
    from provenance.operations.disk import Disk, RunUsage

_SHOWN = 5
"""Runs that are listed without --verbose."""


def command(verbose: options.Verbose = False, json: options.Json = False) -> None:
    """Show what takes the room: by kind and by run, and in the cache that all projects share."""
    from provenance.operations import cleaning, disk

    with Stages() as stages:
        found = disk.du(os.getcwd(), dict(os.environ), stages)
        spare = cleaning.find(os.getcwd(), dict(os.environ), progress=stages)
    if json:
        data = dict(disk.as_json(found), reclaimable=spare.usage._asdict())
        envelope.put("du", data)
        return
    for line in _lines(found, verbose):
        typer.echo(line)
    if spare.usage.bytes:
        typer.echo("next: prov gc would free %s" % size(spare.usage.bytes))


def _lines(found: Disk, verbose: bool) -> list[str]:
    from provenance.operations import disk

    left = "" if found.free is None else "; %s free on its disk" % size(found.free)
    runs = plural(len(found.runs), "run")
    lines = ["%8s  %s  (%s%s)" % (size(found.total.bytes), found.place, runs, left)]
    for kind, part in sorted(found.kinds.items(), key=lambda pair: -pair[1].bytes):
        lines.append("%8s    %-11s %s" % (size(part.bytes), kind, disk.KINDS[kind]))
    shown = found.runs if verbose else found.runs[:_SHOWN]
    if shown:
        lines.append("%s:" % ("runs" if len(shown) == len(found.runs) else "biggest runs"))
    lines += ["%8s    %s" % (size(one.total.bytes), _run(one)) for one in shown]
    total = sum(part.bytes for part in found.cached.values())
    if total:
        lines.append("%8s  %s  (cache of all projects)" % (size(total), found.cache))
    for name, part in sorted(found.cached.items(), key=lambda pair: -pair[1].bytes):
        if part.bytes * 100 >= total or verbose:
            lines.append("%8s    %s" % (size(part.bytes), name))
    return lines


def _run(one: RunUsage) -> str:
    parts = sorted(one.kinds.items(), key=lambda pair: -pair[1].bytes)
    told = ", ".join("%s %s" % (kind, size(part.bytes)) for kind, part in parts[:3])
    name = ' "%s"' % one.name if one.name else ""
    return "%s%s  %s%s" % (runid.short(one.id), name, told, "; " + one.why if one.why else "")
