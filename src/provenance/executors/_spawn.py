"""Starting the command: found as a shell finds it, with nothing of ours left in it.

``posix_spawn`` is used rather than fork and exec: it does not copy our memory, and it reports why
a program could not be started. What the child inherits is what we inherited ourselves: descriptors
that were open for inheritance (ours are all close-on-exec), the signal mask from before we blocked
anything, and the dispositions, but for the two signals that Python ignores for its own use.
"""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections.abc import Mapping, Sequence

from provenance.errors import ProvError
from provenance.executors import _trace

NOT_FOUND, NOT_EXECUTABLE, NOT_STARTED = 127, 126, 125
_OUR_TROUBLE = frozenset((errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE))
"""Errors of making a process, as opposed to errors of the program that it should run."""
_PYTHON_IGNORES = tuple(
    getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ", "SIGXFZ") if hasattr(signal, name)
)
SHELL = "/bin/sh"

Redirections = Sequence[tuple[int, int]]
"""Pairs ``(ours, theirs)``: the child gets our descriptor ``ours`` as its ``theirs``."""


class NotStarted(ProvError):
    """The command could not be started; ``exit_code`` is what a shell would give (127, 126)."""

    code = "not-started"

    def __init__(self, message: str, exit_code: int, hint: str = "") -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code


def start(
    argv: Sequence[str],
    environ: Mapping[str, str],
    cwd: str,
    redirections: Redirections,
    mask: set[int],
    tracer: _trace.Tracer | None = None,
) -> int:
    """Start ``argv`` in ``cwd`` and return its process id; `NotStarted` says why it could not be.

    mask: the signals that the child is to have blocked. tracer: what is to trace it.
    """
    if not argv:
        raise NotStarted("no command was given", NOT_FOUND)
    program = find(argv[0], environ.get("PATH"), cwd)
    back = _enter(cwd)
    try:
        traced = _trace.wrapped(tracer, program, argv, "PATH" in environ) if tracer else None
        if tracer is not None and traced is not None:
            return _start(tracer.program, traced, dict(environ), redirections, mask)
        return _start(program, list(argv), dict(environ), redirections, mask)
    finally:
        if back is not None:
            os.fchdir(back)
            os.close(back)


def find(name: str, path: str | None, cwd: str) -> str:
    """Return the file that a shell in ``cwd`` would run for ``name``, given a PATH.

    A name with a slash is that file; it need not exist. Relative entries of PATH, of which the
    empty one is the commonest, count from ``cwd``. Raises `NotStarted`.
    """
    if "/" in name:
        return name
    if path is None:
        path = os.confstr("CS_PATH") or os.defpath
    refused = ""
    for folder in path.split(":") if name else ():
        candidate = os.path.join(folder or ".", name)
        there = os.path.join(cwd, candidate)
        if os.path.isfile(there):
            if os.access(there, os.X_OK):
                return candidate
            refused = refused or candidate
    if refused:
        raise NotStarted("%s: Permission denied" % refused, NOT_EXECUTABLE)
    raise NotStarted("%s: command not found" % name, NOT_FOUND)


def _enter(cwd: str) -> int | None:
    """Go to ``cwd`` unless we are there; return a descriptor of the folder to come back to."""
    try:
        if os.path.samestat(os.stat("."), os.stat(cwd)):
            return None
        back = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise NotStarted("%s: %s" % (cwd, error.strerror), NOT_STARTED) from None
    try:
        os.chdir(cwd)
    except OSError as error:
        os.close(back)
        raise NotStarted("%s: %s" % (cwd, error.strerror), NOT_STARTED) from None
    return back


def _start(
    program: str,
    argv: list[str],
    environ: dict[str, str],
    redirections: Redirections,
    mask: set[int],
) -> int:
    actions = [(os.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in redirections]

    def spawn(file: str, words: list[str]) -> int:
        return os.posix_spawn(
            file,
            words,
            environ,
            file_actions=actions,
            setsigmask=mask,
            setsigdef=_PYTHON_IGNORES,
        )

    try:
        try:
            return spawn(program, argv)
        except OSError as error:
            if error.errno != errno.ENOEXEC or _is_binary(program):
                raise
            return spawn(SHELL, [SHELL, program, *argv[1:]])  # as execvp does
    except OSError as error:
        raise _explained(program, error) from None
    except ValueError as error:  # a NUL in the command or its environment
        raise NotStarted("%s: %s" % (argv[0], error), NOT_STARTED) from None


def _is_binary(program: str) -> bool:
    """Return whether the first line of ``program`` holds a NUL: then no shell runs it as a script.

    The rule is the one of POSIX for what a shell may refuse as "not a script".
    """
    try:
        with open(program, "rb", buffering=0) as file:
            return b"\0" in file.read(256).split(b"\n", 1)[0]
    except OSError:
        return False


def _explained(program: str, error: OSError) -> NotStarted:
    number = error.errno or 0
    reason = os.strerror(number)
    try:
        found: os.stat_result | None = os.stat(program)
    except OSError:
        found = None
    if number in _OUR_TROUBLE:
        return NotStarted("%s: cannot make a process: %s" % (program, reason), NOT_STARTED)
    if number == errno.ENOENT and found is None:
        return NotStarted("%s: %s" % (program, reason), NOT_FOUND)
    if number == errno.ENOENT:
        reason = "its interpreter (first line) or loader does not exist"
        return NotStarted("%s: cannot execute: %s" % (program, reason), NOT_FOUND)
    if found is not None and stat.S_ISDIR(found.st_mode):
        reason = os.strerror(errno.EISDIR)
    elif number == errno.ENOEXEC:
        reason = "cannot execute binary file: %s" % reason
    return NotStarted("%s: %s" % (program, reason), NOT_EXECUTABLE)
