"""All commands but ``run``: their assembly, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback
from typing import NoReturn

import typer

from provenance import __version__
from provenance.cli import (
    checkout,
    claims,
    close,
    diff,
    doctor,
    du,
    env,
    envelope,
    explain,
    gc,
    init,
    lock,
    ls,
    path,
    push,
    replay,
    rm,
    session,
    share,
    show,
    trace,
    verify,
    watch,
)
from provenance.cli import run as run_command
from provenance.errors import ProvError

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


@app.command("run", help=run_command.HELP, add_help_option=False)
def _run() -> None:
    """Stand in the list of commands; the entry point sends ``prov run`` elsewhere."""


app.command("init")(init.command)
app.command("doctor", context_settings=doctor.SETTINGS)(doctor.command)
app.command("close")(close.command)
app.command("ls")(ls.command)
app.command("share")(share.share)
app.command("fetch")(share.fetch)
app.command("show")(show.command)
app.command("path")(path.command)
app.command("trace")(trace.command)
app.command("watch")(watch.command)
app.command("diff")(diff.command)
app.command("lock")(lock.command)
app.command("verify")(verify.command)
app.command("explain")(explain.command)
app.command("replay")(replay.command)
app.command("du")(du.command)
app.command("gc")(gc.command)
app.command("rm")(rm.command)
app.command("keep")(rm.keep)
app.command("push")(push.push)
app.command("pull")(push.pull)
app.command("checkout")(checkout.command)
app.add_typer(env.app, name="env")
app.add_typer(claims.app, name="claims")
app.command("session", hidden=True)(session.command)


def main(words: list[str]) -> NoReturn:
    """Run the command that ``words`` name and end the process with its exit code."""
    as_json = "--json" in words
    verb = next((word for word in words if not word.startswith("-")), "prov")
    try:
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
