"""``prov run``: the one command that must cost next to nothing. Standard library only.

`typer` knows this command for the list of commands; parsing and help are here.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from provenance.errors import ProvError, UsageError

if TYPE_CHECKING:
    from provenance.operations.recorder import Request
    from provenance.operations.run import RunResult

_NOT_STARTED = (126, 127)
"""Exit codes that say, as in a shell, why the command could not be started."""

HELP = "Run a command exactly as if run bare, and record it."
_EPILOG = """\
examples:
  prov run -- python train.py --lr 0.1
  prov run --name baseline --data data/ -- bash experiments.sh
  prov run --tag paper -- torchrun --nproc_per_node 2 train.py

The command's exit code, signals, terminal and output are its own. The record goes to
.prov/runs of the project; see it with `prov show @last`. 125, 126 and 127 mean that the command
could not be started. PROV_HOOK=0 in the environment does the same as --no-hook.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``prov run``."""
    made = argparse.ArgumentParser(
        prog="prov run",
        description=HELP,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="prov run [OPTIONS] -- CMD...",
        allow_abbrev=False,
    )
    add = made.add_argument
    add("--name", metavar="NAME", help="a name to find the run by")
    add("--tag", action="append", default=[], metavar="TAG", help="a tag; may be repeated")
    add("--label", action="append", default=[], metavar="KEY=VALUE", help="a label; repeatable")
    add("--data", action="append", default=[], metavar="PATH", help="a file or folder it reads")
    add("--output", action="append", default=[], metavar="PATH", help="a file or folder it writes")
    add("--no-capture", action="store_true", help="do not keep what the command prints")
    add("--no-hook", action="store_true", help="do not observe the command's Python processes")
    add("--require-record", action="store_true", help="exit 125 if the run cannot be recorded")
    add("-q", "--quiet", action="store_true", help="print no summary")
    add("command", nargs=argparse.REMAINDER, metavar="CMD", help=argparse.SUPPRESS)
    return made


def main(words: list[str], started: float) -> NoReturn:
    """Parse ``words``, run, print the summary to stderr, and end as the command ended."""
    options = parser().parse_args(words)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    try:
        request = _request(options, tuple(command))
    except ProvError as error:
        _complain(error)
        sys.exit(error.exit_code)
    _go(request, options.quiet, options.require_record, started)


def _request(options: argparse.Namespace, command: tuple[str, ...]) -> Request:
    from provenance.operations.recorder import Request

    if not command:
        raise UsageError("prov run needs a command.", "prov run -- python train.py")
    labels = {}
    for label in options.label:
        key, equals, text = label.partition("=")
        if not key or not equals:
            raise UsageError("--label %r is not KEY=VALUE." % label, "--label machine=gpu3")
        labels[key] = text
    try:
        cwd = os.getcwd()
    except OSError as error:
        raise UsageError("the working folder is gone: %s." % error.strerror) from error
    return Request(
        argv=command,
        cwd=cwd,
        environ=dict(os.environ),
        name=options.name,
        tags=tuple(options.tag),
        labels=labels,
        data=tuple(os.path.abspath(path) for path in options.data),
        outputs=tuple(os.path.abspath(path) for path in options.output),
        capture=not options.no_capture,
        hook=not options.no_hook and os.environ.get("PROV_HOOK") != "0",
    )


def _go(request: Request, quiet: bool, required: bool, started: float) -> NoReturn:
    from provenance.operations import run

    try:
        result = run.run(request, started, required)
    except ProvError as error:
        _complain(error)
        sys.exit(error.exit_code if error.exit_code in _NOT_STARTED else 125)
    for problem in result.problems:
        _say("prov: not all was recorded: %s" % problem)
    if result.record is not None and not quiet:
        _summary(result)
    _debug_modules()
    run.end_as(result.outcome)


def _summary(result: RunResult) -> None:
    from provenance.cli import summary
    from provenance.cli.style import duration
    from provenance.core import runid

    record = result.record
    if record is None:
        return
    used = "(prov used %s)" % duration(max(result.own_seconds, 0.0))
    _say("prov: recorded %s  %s" % (summary.headline(record), used))
    for line in summary.lines(record):
        _say(line)
    for doubt in result.doubts:
        _say("  ! not repeatable: %s" % doubt)
    _say("  next: prov show %s" % runid.short(record.id))


def _complain(error: ProvError) -> None:
    _say("prov: %s" % error.message)
    if error.hint:
        _say("  %s" % error.hint)


def _say(text: str) -> None:
    """Print to stderr; a closed or full stderr is nobody's business here."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def _debug_modules() -> None:
    """Write the modules loaded by this run to $PROV_DEBUG_MODULES: a test holds them small."""
    path = os.environ.get("PROV_DEBUG_MODULES")
    if path:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("\n".join(sorted(sys.modules)))
