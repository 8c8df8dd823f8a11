"""``prov lock``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from provenance.cli import envelope, lockcheck, options
from provenance.cli.progress import Stages
from provenance.cli.style import flat, plural
from provenance.core import runid
from provenance.errors import UsageError

_WARNINGS = 6
"""Sentences of a reviewer's that are shown; `prov lock --check` has all of them."""


_Calls = Annotated[
    str | None,
    typer.Option(
        "--calls",
        metavar="MODE",
        help="Let it carry what the runs' own calls returned: synthetic, cut or full.",
    ),
]
_Stated = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="Without a run: lock what this environment file states (requirements.txt ...).",
    ),
]

_Locker = Annotated[
    str, typer.Option("--locker", metavar="uv|pip-tools", help="By what releases get hashes.")
]
_Tag = Annotated[
    str | None,
    typer.Option(
        "--tag", metavar="T", help="All runs of this tag, with those that their data came from."
    ),
]
_Offline = Annotated[bool, typer.Option("--offline", help="Hashes only of what uv's cache knows.")]


def command(
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN...")] = None,
    stated: _Stated = None,
    tag: _Tag = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="PATH", help="Instead of prov.lock.")
    ] = None,
    calls: _Calls = None,
    build: options.Build = False,
    locker: _Locker = "uv",
    offline: _Offline = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: list what a reviewer would trip over.")
    ] = False,
    anonymous: options.Anonymous = False,
    verbose: options.Verbose = False,
    markdown: options.Markdown = False,
    github: options.Github = False,
    json: options.Json = False,
) -> None:
    """Publish runs as the reference of this repository: write prov.lock.

    The lock is one text file that git can hold; `prov verify` and the drop-in test compare with it.
    With --calls a reader's `prov verify --calls` needs neither the recorded environment nor the
    data: synthetic carries no value of the data, cut samples of what your calls returned, full the
    data itself, cut. The recorded releases are locked with the hashes of their files, and small
    local builds put in as wheels. What a reviewer would object to is said as a warning; --check
    lists all of it for a run or a lock that is there, and exits 1 where something would stop a
    reviewer.
    """
    if check:
        lockcheck.require_alone(stated=stated, out=out, calls=calls, anonymous=anonymous)
        form = lockcheck.chosen_form(json=json, markdown=markdown, github=github)
        lockcheck.run(tuple(runs or ()), form, verbose)
    if verbose or markdown or github:
        raise UsageError("-v, --markdown and --github go with --check.", "prov lock --check")
    if stated:
        _lock_stated(tuple(stated), runs, out, anonymous, json)
        return
    from provenance.operations import hashes, lock

    names = [*(runs or ()), *(_of_tag(tag) if tag else ())]
    with Stages() as stages:
        environ = dict(os.environ)
        wish = lock.Wish(calls or "off", environ, build, stages)
        hashing = hashes.Wish(environ, locker, offline, stages)
        result = lock.lock(os.getcwd(), tuple(names), out, wish, anonymous, hashing)
    if json:
        envelope.put("lock", lock.as_json(result))
        return
    typer.echo("wrote %s (%s)" % (os.path.relpath(result.path), plural(len(result.runs), "run")))
    for note in result.notes:
        typer.echo("  %s" % note)
    for warning in result.warnings[:_WARNINGS]:
        typer.echo("  ! %s" % flat(warning))
    if len(result.warnings) > _WARNINGS:
        more = len(result.warnings) - _WARNINGS
        typer.echo("  ! and %d more, with what to do: prov lock --check" % more)
    typer.echo("next: git add %s; prov verify" % os.path.basename(result.path))


def _of_tag(tag: str) -> tuple[str, ...]:
    """Return the runs of a tag and those that their data came from; say which these are."""
    from provenance.operations import tagged

    found = tagged.runs(os.getcwd(), tag)
    for one in found.ancestors:
        typer.echo("with %s: a run of the tag read what it wrote" % runid.short(one), err=True)
    return found.ids


def _lock_stated(
    files: tuple[str, ...], runs: list[str] | None, out: str | None, nameless: bool, json: bool
) -> None:
    """Write a lock of what environment files state."""
    from provenance.operations import lock_stated

    if runs:
        raise UsageError("prov lock takes runs or --from FILE, not both.", "prov lock --from FILE")
    result = lock_stated.lock(os.getcwd(), files, out, nameless)
    if json:
        envelope.put("lock", lock_stated.as_json(result))
        return
    typer.echo("wrote %s" % os.path.relpath(result.path))
    for one in result.stated:
        typer.echo("  %s: %s" % (one.path, one.summary()))
    for warning in result.warnings:
        typer.echo("  ! %s" % flat(warning))
    typer.echo("next: git add %s; prov verify" % os.path.basename(result.path))
