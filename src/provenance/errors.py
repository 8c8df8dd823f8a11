"""Errors that people are meant to read: one sentence, where, what to do, and an exit code.

Exit codes of ``prov`` itself (a wrapped command's own code passes through ``prov run`` untouched):

====  ===================================================================
0     done; nothing at or above ``--fail-on`` was found
1     a difference at or above ``--fail-on``; a replay's results differ
2     wrong usage of the command line
3     nothing was comparable
4     bad input: no such run, ambiguous name, corrupt or foreign file
5     the system said no: unreadable folder, full disk, missing program
6     an optional part is not installed (the message names the extra)
7     only some of the files could be had; each of the others is named
70    a bug in prov: a report with versions was written
125   ``prov run`` could not start the command: prov's own failure
126   ``prov run``: the command is not executable
127   ``prov run``: the command was not found
130   interrupted with Ctrl-C
141   whoever read the output went away before its end (``prov ls`` piped to ``head``)
====  ===================================================================
"""

from __future__ import annotations


class ProvError(Exception):
    """The root of all errors that are shown to people.

    message: one clear sentence with the place. hint: what to do, may be empty. code: a stable word
    for ``--json``. exit_code: of the process.
    """

    code = "error"
    exit_code = 4

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ProvError):
    """The command line asks for something that makes no sense."""

    code = "usage"
    exit_code = 2


class NoSuchRun(ProvError):
    """No run answers to the name given."""

    code = "no-such-run"


class NoSuchArtifact(ProvError):
    """The run has no such file, or its content is nowhere to be had."""

    code = "no-such-artifact"


class AmbiguousRun(ProvError):
    """Several runs answer to the name given."""

    code = "ambiguous-run"


class BadRecord(ProvError):
    """A record, lock or settings file is corrupt or of a form that this version cannot read."""

    code = "bad-record"


class NothingToCompare(ProvError):
    """There is no reference, or it states nothing that can be compared here."""

    code = "nothing-to-compare"
    exit_code = 3


class StillNeeded(ProvError):
    """What was to be removed is still needed: by a lock, by its owner, by a run that goes on."""

    code = "still-needed"


class SystemRefused(ProvError):
    """The operating system or a needed program refused."""

    code = "system"
    exit_code = 5


class Incomplete(ProvError):
    """Some files could not be sent, fetched or put in place; the rest was."""

    code = "incomplete"
    exit_code = 7


class Damaged(ProvError):
    """Content is not what its digest says."""

    code = "damaged"


class InTheWay(ProvError):
    """Other files are where those of a run would go; nothing was written."""

    code = "in-the-way"


class MissingExtra(ProvError):
    """An optional dependency is needed; the hint names the extra that brings it."""

    code = "missing-extra"
    exit_code = 6


def missing_extra(what: str, extra: str) -> MissingExtra:
    """Return the error for ``what`` needing the optional dependencies of ``extra``."""
    return MissingExtra(
        "%s needs the extra [%s], which is not installed." % (what, extra),
        "pip install 'prov-run[%s]'" % extra,
    )
