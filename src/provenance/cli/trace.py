"""``prov trace``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from provenance.cli import envelope, options, progress
from provenance.errors import UsageError


def command(
    what: Annotated[str, typer.Argument(metavar="FILE|DIGEST|RUN|RUN:PATH", help="What to trace.")],
    backward: Annotated[bool, typer.Option("--backward", help="Only where it comes from.")] = False,
    forward: Annotated[bool, typer.Option("--forward", help="Only what came from it.")] = False,
    depth: Annotated[
        int | None, typer.Option("--depth", metavar="N", min=0, help="At most N runs far.")
    ] = None,
    replays: Annotated[
        bool, typer.Option("--replays", help="Show replays like other runs.")
    ] = False,
    records: Annotated[
        list[str] | None,
        typer.Option(
            "--records",
            metavar="DIR",
            help="Records of others too: a folder of run folders, a project, a lock; repeatable.",
        ),
    ] = None,
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print a Mermaid flowchart, for Markdown pages.")
    ] = False,
    svg: Annotated[
        str | None, typer.Option("--svg", metavar="FILE", help="Draw it into an SVG file.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Say which run made a file, from what code, data and parameters, and what came from it.

    A file is known by its content, so that a copied or renamed one is found too. Exits 3 where no
    record knows it.
    """
    from provenance.cli import trace_story
    from provenance.cli.style import Style
    from provenance.operations import lineage

    if json and mermaid:
        raise UsageError("--json and --mermaid exclude each other.", "ask twice")
    both = forward == backward
    wish = lineage.Wish(backward or both, forward or both, depth, replays, tuple(records or ()))
    stages = progress.Stages()

    def reading(done: int, total: int) -> None:
        stages("reading record %d of %d" % (done + 1, total))

    with stages:
        found = lineage.trace(os.getcwd(), what, wish, reading)
    if svg is not None and found.found:
        lineage.write_svg(found, os.path.join(os.getcwd(), svg))
    if json:
        envelope.put("trace", lineage.as_json(found))
    elif mermaid and found.found:
        typer.echo(lineage.mermaid(found), nl=False)
    else:
        for line in trace_story.lines(found, Style(sys.stdout), (wish.backward, wish.forward)):
            typer.echo(line)
        if svg is not None and found.found:
            typer.echo("wrote %s" % svg)
    raise typer.Exit(found.exit_code)
