"""``prov run``: the one command that must cost next to nothing. Standard library only.

`typer` knows this command for the list of commands; parsing and help are here.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from provenance.errors import ProvError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from provenance.operations.against import Reference
    from provenance.operations.recorder import Request
    from provenance.operations.run import RunResult

_NOT_STARTED = (126, 127)
"""Exit codes that say, as in a shell, why the command could not be started."""

HELP = "Run a command exactly as if run bare, and record it."
SETTINGS = {"help": HELP, "add_help_option": False}
VALUES = {
    "--name": ("NAME", "a name to find the run by"),
    "--tag": ("TAG", "a tag; may be repeated"),
    "--label": ("KEY=VALUE", "a label; may be repeated"),
    "--data": ("PATH|URL", "a file, folder or address that it reads; may be repeated"),
    "--output": ("PATH", "a file or folder that it writes; may be repeated"),
    "--trace": ("strace", "see every file of every process, by the program strace"),
    "--against": (
        "RUN|FILE",
        "tell while it runs whether its curves are on track; may be repeated",
    ),
    "--live": ("WHEN", "tell so on stderr: auto (a terminal; default), always or never"),
    "--sample": ("SECONDS", "keep CPU, memory and GPU use at this interval"),
}
FLAGS = {
    "--no-capture": "do not keep what the command prints",
    "--no-hook": "do not observe the command's Python processes",
    "--calls": "keep a table of the calls that your Python source makes; not the default",
    "--no-calls": "keep none, also where prov.yaml asks for it",
    "--fingerprint": "keep what initial weights and first batches look like (torch, scikit-learn)",
    "--require-record": "exit 125 if the run cannot be recorded",
    "--quiet": "print no summary (also -q)",
    "--help": "show this message and exit (also -h)",
    "-q": "",
    "-h": "",
}
_DOUBTS = 4
"""Reasons to doubt that are printed after a run."""
_SHORT = {"-q": "--quiet", "-h": "--help"}

_EPILOG = """\
examples:
  prov run -- python train.py --lr 0.1
  prov run --name baseline --data data/ -- bash experiments.sh
  prov run --tag paper -- torchrun --nproc_per_node 2 train.py

The command's exit code, signals, terminal and output are its own. The record goes to
.prov/runs of the project; see it with `prov show @last`. 125, 126 and 127 mean that the command
could not be started. PROV_HOOK=0 in the environment does the same as --no-hook.
"""


class Options(NamedTuple):
    """The command line of ``prov run``, read. command: what stands after the options."""

    values: dict[str, list[str]]
    flags: frozenset[str]
    command: tuple[str, ...]

    def last(self, option: str) -> str | None:
        """Return the value given last, None where the option was not given."""
        given = self.values.get(option)
        return given[-1] if given else None

    def all(self, option: str) -> tuple[str, ...]:
        """Return all values given, in order."""
        return tuple(self.values.get(option, ()))


def parse(words: list[str]) -> Options:
    """Read the words after ``prov run``. Raises `UsageError`.

    By hand: `argparse` would cost a third of an interpreter start in each run.
    """
    values: dict[str, list[str]] = {}
    flags = set()
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] not in ("-", "--"):
        option, equals, value = rest.pop(0).partition("=")
        if option in VALUES:
            if not equals and not rest:
                raise UsageError("%s needs a value." % option, "see: prov run --help")
            values.setdefault(option, []).append(value if equals else rest.pop(0))
        elif option in FLAGS and not equals:
            flags.add(_SHORT.get(option, option))
        else:
            raise UsageError("prov run has no option %s." % option, "see: prov run --help")
    return Options(values, frozenset(flags), tuple(rest[1:] if rest[:1] == ["--"] else rest))


def help_text() -> str:
    """Return what ``prov run --help`` prints."""
    options = [("%s %s" % (name, what[0]), what[1]) for name, what in VALUES.items()]
    options += [(name, text) for name, text in FLAGS.items() if name not in _SHORT]
    width = max(len(name) for name, _ in options)
    rows = ["  %-*s  %s" % (width, name, text) for name, text in options]
    parts = ["usage: prov run [OPTIONS] -- CMD...", "", HELP, "", "options:", *rows, "", _EPILOG]
    return "\n".join(parts)


def shown() -> None:
    """Stand in the list of commands; the entry point sends ``prov run`` to `main`."""


def main(words: list[str], started: float) -> NoReturn:
    """Parse ``words``, run, print the summary to stderr, and end as the command ended."""
    gc.set_threshold(100_000)  # what is imported and captured lives as long as we do
    try:
        options = parse(words)
        if "--help" in options.flags:
            sys.stdout.write(help_text())
            sys.exit(0)
        request = _request(options)
    except ProvError as error:
        _complain(error)
        sys.exit(error.exit_code)
    _go(request, "--quiet" in options.flags, "--require-record" in options.flags, started)


def _request(options: Options) -> Request:
    from provenance.config import is_url
    from provenance.operations.recorder import Request

    if not options.command:
        raise UsageError("prov run needs a command.", "prov run -- python train.py")
    labels = {}
    for label in options.all("--label"):
        key, equals, text = label.partition("=")
        if not key or not equals:
            raise UsageError("--label %r is not KEY=VALUE." % label, "--label machine=gpu3")
        labels[key] = text
    try:
        cwd = os.getcwd()
    except OSError as error:
        raise UsageError("the working folder is gone: %s." % error.strerror) from error
    return Request(
        argv=options.command,
        cwd=cwd,
        environ=dict(os.environ),
        name=options.last("--name"),
        tags=options.all("--tag"),
        labels=labels,
        data=tuple(o if is_url(o) else os.path.abspath(o) for o in options.all("--data")),
        outputs=tuple(os.path.abspath(path) for path in options.all("--output")),
        capture="--no-capture" not in options.flags,
        trace=_trace(options.last("--trace")),
        sample=_interval(options.last("--sample")),
        calls=_switched(options, "--calls", "--no-calls"),
        fingerprint="--fingerprint" in options.flags,
        against=_references(options.all("--against"), cwd),
        live=_when(options.last("--live"), "--quiet" in options.flags),
        hook="--no-hook" not in options.flags and os.environ.get("PROV_HOOK") != "0",
    )


def _switched(options: Options, on: str, off: str) -> bool | None:
    """Return what two flags say, None where neither was given. Raises `UsageError`."""
    if {on, off} <= options.flags:
        raise UsageError("%s and %s exclude each other." % (on, off), "leave one out")
    if on in options.flags:
        return True
    return False if off in options.flags else None


def _references(names: tuple[str, ...], cwd: str) -> tuple[Reference, ...]:
    """Return what the run is to be held against, before it is started. Raises `ProvError`."""
    if not names:
        return ()
    from provenance.operations import against

    return against.resolve(names, cwd)


def _when(given: str | None, quiet: bool) -> str:
    if given not in (None, "auto", "always", "never"):
        raise UsageError("--live %r is not auto, always or never." % given, "--live always")
    return given or ("never" if quiet else "auto")


def _trace(given: str | None) -> str | None:
    if given not in (None, "strace"):
        raise UsageError("--trace %r is not known." % given, "--trace=strace")
    return given


def _interval(given: str | None) -> float | None:
    """Return seconds between samples. Raises `UsageError`."""
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0.01 <= seconds <= 3600:
        raise UsageError("--sample %r is not 0.01 to 3600 seconds." % given, "--sample 1")
    return seconds


def _go(request: Request, quiet: bool, required: bool, started: float) -> NoReturn:
    from provenance.operations import run

    try:
        finishing = _finishing if not quiet and _is_terminal() else None
        result = run.run(request, started, required, finishing)
    except ProvError as error:
        _complain(error)
        sys.exit(error.exit_code if error.exit_code in _NOT_STARTED else 125)
    for problem in result.problems:
        _say("prov: not all was recorded: %s" % problem)
    if result.record is not None and not quiet:
        _summary(result)
    _debug_modules()
    run.end_as(result.outcome)


def _is_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


def _finishing(text: Callable[[], str]) -> AbstractContextManager[object]:
    """Return a context that shows a line where finishing takes longer than people like to wait."""
    from provenance.cli.progress import Progress

    return Progress(text)


def _summary(result: RunResult) -> None:
    from provenance.cli import summary
    from provenance.cli.style import duration, plural
    from provenance.core import runid

    record = result.record
    if record is None:
        return
    used = "(prov used %s)" % duration(max(result.own_seconds, 0.0))
    _say("prov: recorded %s  %s" % (summary.headline(record), used))
    for line in summary.lines(record):
        _say(line)
    for doubt in result.doubts[:_DOUBTS]:
        _say("  ! not repeatable: %s" % doubt)
    more = len(result.doubts) - _DOUBTS
    if more > 0:
        _say("  ! and %s; prov show has all, with remedies" % plural(more, "more reason"))
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
