"""All commands but ``run``: their assembly, and the one place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import tempfile
import traceback
from typing import NoReturn

import typer

from provenance import __version__
from provenance.cli import envelope
from provenance.errors import ProvError

COMMANDS = {
    "run": "run:shown",
    "init": "init:command",
    "doctor": "doctor:command",
    "close": "close:command",
    "ls": "ls:command",
    "share": "share:share",
    "fetch": "share:fetch",
    "show": "show:command",
    "path": "path:command",
    "trace": "trace:command",
    "watch": "watch:command",
    "diff": "diff:command",
    "lock": "lock:command",
    "verify": "verify:command",
    "explain": "explain:command",
    "replay": "replay:command",
    "du": "du:command",
    "gc": "gc:command",
    "rm": "rm:command",
    "keep": "rm:keep",
    "push": "push:push",
    "pull": "push:pull",
    "checkout": "checkout:command",
    "env": "env:app",
    "claims": "claims:app",
    "session": "session:command",
}
"""Module of this room and function, or group of commands, by what is typed; in this order.

A module's ``SETTINGS`` are those of typer's ``command``.
"""

app = typer.Typer(
    name="prov",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "Record an experiment, verify it later, and be told which change matters before you "
        "rerun it.\n\n"
        "The usual order: prov run -- CMD, prov show @last, prov lock @last, prov verify, "
        "prov replay. RUN is an id, a unique part of one, a name, @last or @-2."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo("prov %s" % __version__)
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    pass


def _assemble(words: list[str]) -> None:
    """Add the command that is asked for, or all: each costs its imports and its options."""
    verbs = words[:1] if words and words[0] in COMMANDS else list(COMMANDS)
    for verb in verbs:
        name, _, attribute = COMMANDS[verb].partition(":")
        module = importlib.import_module("provenance.cli." + name)
        found = getattr(module, attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            settings = getattr(module, "SETTINGS", {})
            app.command(verb, **settings)(found)


def main(words: list[str]) -> NoReturn:
    """Run the command that ``words`` name and end the process with its exit code."""
    as_json = "--json" in words
    verb = next((word for word in words if not word.startswith("-")), "prov")
    try:
        _assemble(words)
        app(args=words, prog_name="prov")
    except ProvError as error:
        _complain(error, verb, as_json)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:  # noqa: BLE001  # a bug of ours: say where the report is
        _report(error)
        sys.exit(70)
    sys.exit(0)


def _complain(error: ProvError, verb: str, as_json: bool) -> None:
    if as_json:
        envelope.put(verb, None, (error,))
    typer.echo("prov: %s" % error.message, err=True)
    if error.hint:
        typer.echo("  %s" % error.hint, err=True)


def _report(error: Exception) -> None:
    with tempfile.NamedTemporaryFile(
        "w", prefix="prov-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as stream:
        stream.write("prov %s, Python %s\n" % (__version__, platform.python_version()))
        stream.write("%s\n\n" % platform.platform())
        traceback.print_exception(type(error), error, error.__traceback__, file=stream)
    typer.echo("prov: this is a bug in prov (%s)." % type(error).__name__, err=True)
    typer.echo("  please send us %s" % stream.name, err=True)
