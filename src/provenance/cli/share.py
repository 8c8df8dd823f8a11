"""``prov share`` and ``prov fetch``: records of a team through the repository's git remote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from provenance.cli import envelope, options
from provenance.cli.style import duration, plural, value
from provenance.core import runid

if TYPE_CHECKING:
    from provenance.operations import fetching, sharing

_SHOWN = 3
_WIDE = 60


def share(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="id, part of one, name, @last")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All runs that have ended and are not there yet.")
    ] = False,
    to: Annotated[
        str | None, typer.Option("--to", metavar="REMOTE", help="A git remote, or its address.")
    ] = None,
    branches: Annotated[
        bool,
        typer.Option(
            "--branches", help="As branches prov/ID, for a server that takes nothing else."
        ),
    ] = False,
    json: options.Json = False,
) -> None:
    """Put records on the repository's git remote, one ref per run: refs/prov/runs/ID."""
    from provenance.operations import sharing

    done = sharing.share(os.getcwd(), tuple(runs or ()), everything, to, branches)
    if json:
        envelope.put("share", done._asdict())
    else:
        if done.sent or not (done.same or done.problems):
            typer.echo("shared %s with %s" % (plural(len(done.sent), "run"), _where(done)))
        if done.same:
            typer.echo("%s there already" % plural(len(done.same), "run"))
        _complain(done.problems)
    _end(bool(done.problems), bool(done.sent or done.same))


def fetch(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN...]", help="id, part of one, or name")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="REMOTE", help="A git remote, or its address.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Fetch the records that others shared, all without RUN; every verb then takes them."""
    from provenance.operations import fetching

    done = fetching.fetch(os.getcwd(), tuple(runs or ()), source)
    if json:
        envelope.put("fetch", done._asdict())
    else:
        typer.echo("fetched %s from %s" % (plural(len(done.runs), "run"), _where(done)))
        if done.same:
            typer.echo("%s here already" % plural(len(done.same), "run"))
        _complain(done.problems)
    _end(bool(done.problems), bool(done.runs or done.same))


def _end(problems: bool, anything: bool) -> None:
    """End as bad input does where there were problems and nothing else."""
    if problems and not anything:
        raise typer.Exit(4)


def _where(done: sharing.Shared | fetching.Fetched) -> str:
    return done.remote if done.remote == done.url else "%s (%s)" % (done.remote, done.url)


def _complain(problems: tuple[str, ...]) -> None:
    for problem in problems:
        typer.echo("prov: left out: %s" % problem, err=True)


def listing(remote: str | None, tags: tuple[str, ...], name: str | None, json: bool) -> None:
    """Print the runs on a remote: what ``prov ls --remote`` does."""
    from provenance.operations import fetching

    found = fetching.seen(os.getcwd(), remote)
    rows = [fetching.entry_json(one) for one in found.runs]
    rows = [
        row
        for row in rows
        if set(tags) <= set(map(str, row.get("tags") or ())) and name in (None, row.get("name"))
    ]
    if json:
        problems = list(found.problems)
        data = {"remote": found.remote, "url": found.url, "runs": rows, "problems": problems}
        envelope.put("ls-remote", data)
        return
    if not rows:
        typer.echo("no runs at %s; share some with: prov share --all" % found.remote)
    else:
        head = ("run", "started", "who", "machine", "status", "took", "here", "name and results")
        typer.echo(_FORM % head)
    for row in rows:
        typer.echo(_row(row))
    _complain(found.problems)


_FORM = "%-8s  %-16s  %-14s  %-12s  %-11s  %8s  %-7s  %s"


def _row(row: dict[str, object]) -> str:
    """Return one line for a run of a remote, whose members may be anything at all."""
    code, took, metrics = row.get("exit_code"), row.get("duration_s"), row.get("metrics")
    status = "exit %d" % code if isinstance(code, int) and code else _text(row.get("status"), 11)
    told = ['"%s"' % _text(row["name"], _WIDE)] if row.get("name") else []
    pairs = list(metrics.items()) if isinstance(metrics, dict) else []
    told += ["%s %s" % (_text(key, _WIDE), _text(value(item), 60)) for key, item in pairs[:_SHOWN]]
    count = row.get("metrics_count")
    if isinstance(count, int) and count > _SHOWN:
        told.append("(+%d)" % (count - _SHOWN))
    if not pairs:
        command = row.get("command")
        told.append(_text(" ".join(map(str, command)) if isinstance(command, list) else "", _WIDE))
    return _FORM % (
        runid.short(_text(row.get("id"), 40)),
        _text(str(row.get("started"))[:16], 16).replace("T", " "),
        _text(row.get("author"), 14),
        _text(row.get("machine") or "?", 12),
        status,
        duration(took) if isinstance(took, (int, float)) else "?",
        _text(row.get("here"), 7),
        "  ".join(told),
    )


def _text(item: object, most: int) -> str:
    """Return ``item`` as printable text of at most ``most`` letters."""
    text = "".join(c if c.isprintable() else "?" for c in str(item))
    return text if len(text) <= most else text[: most - 1] + "~"
