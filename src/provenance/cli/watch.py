"""``prov watch``."""

from __future__ import annotations

import json as text_json
import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options
from provenance.core import canonical, runid

if TYPE_CHECKING:
    from provenance.operations.watching import Seen

_LEAST_S = 2.0
"""How long a terminal's table stands at least."""


def command(
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="id, part of one, name, @last (default), @-2")
    ] = "@last",
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="RUN|FILE",
            help="Hold it against this; may be repeated. Default: what it was started with.",
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    json: options.Json = False,
) -> None:
    """Tell whether the curves of a run that goes on are on track with recorded ones.

    On a terminal a table that is renewed until the run ends; elsewhere a line for each change; with
    --json one document per look, each on a line of its own. Exits 1 where a curve has parted.
    """
    from provenance.operations import watching
    from provenance.operations._live_texts import News

    watch = watching.Watch(os.getcwd(), run, tuple(against or ()))
    seen = watch.look()
    news = News(seen.label, seen.runs)
    table = sys.stdout.isatty() or once
    shown = 0
    while True:
        last = once or not seen.running
        if json:
            _put_json(watching.as_json(seen), once)
        elif table:
            shown = _show(seen, shown)
        else:
            text = news.text(seen.tracks)
            if text:
                typer.echo(text)
                sys.stdout.flush()
        if last:
            break
        time.sleep(max(seen.wait_s, _LEAST_S if table else 0.0))
        seen = watch.look()
    if not json and not table:
        typer.echo("%s  %s" % (runid.short(seen.run.id), seen.status))
    if any(one.state in ("parted", "not finite") for one in seen.tracks.values()):
        raise typer.Exit(1)


def _put_json(data: dict[str, object], once: bool) -> None:
    if once:
        envelope.put("watch", data)
        return
    document = {"schema": "prov/watch/1", "data": canonical.plain(data), "errors": []}
    sys.stdout.write(text_json.dumps(document, sort_keys=True) + "\n")
    sys.stdout.flush()


def _show(seen: Seen, shown: int) -> int:
    """Print the table over the one that was printed, of so many lines; return how many it has."""
    if shown:
        sys.stdout.write("\x1b[%dA\x1b[J" % shown)
    found = lines(seen)
    sys.stdout.write("\n".join(found) + "\n")
    sys.stdout.flush()
    return len(found)


def lines(seen: Seen) -> list[str]:
    """Return one look as a table."""
    from provenance.operations._live_texts import number, paced, state

    name = ' "%s"' % seen.run.name if seen.run.name else ""
    head = "%s%s  %s  against %s" % (runid.short(seen.run.id), name, seen.status, seen.label)
    if not seen.tracks:
        return [head, "  no metric yet that both have"]
    rows: list[tuple[str, ...]] = [("metric", "state", "step", "now", "recorded", "allowed", "")]
    for key, one in seen.tracks.items():
        room = "%s to %s" % (number(one.low), number(one.high)) if one.low is not None else "-"
        now = tuple(number(part) for part in (one.step, one.value, one.recorded))
        rows.append((key, state(one), *now, room, paced(one).lstrip("; ")))
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [head] + [
        (
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
