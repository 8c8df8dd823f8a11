"""What `doctor` says of one thing that recording needs or can use."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

OK, LIMITED, NOT_POSSIBLE = "ok", "limited", "not possible"


class Check(NamedTuple):
    """One thing that was looked at.

    name: what. status: "ok", "limited" or "not possible". says: what was found, and why where it
    is not ok. remedy: what can be done, "" for nothing. essential: without it nothing can be
    recorded, or not what a Python program does.
    """

    name: str
    status: str
    says: str
    remedy: str = ""
    essential: bool = False


class Subject(NamedTuple):
    """What is looked at: the command (may be empty) in its folder and environment."""

    command: tuple[str, ...]
    cwd: str
    environ: Mapping[str, str]


class Done(NamedTuple):
    """How a program ended. code: None where it could not be started or did not end in time."""

    code: int | None
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line that it complained with, or how it ended."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        return lines[-1][:300] if lines else "it ended with %s" % self.code


def run(words: Sequence[str], cwd: str, environ: Mapping[str, str], seconds: float) -> Done:
    """Return how the program ``words`` ended within ``seconds``."""
    try:
        done = subprocess.run(
            list(words),
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Done(None, "", "it did not answer in %g s" % seconds)
    except OSError as error:
        return Done(None, "", "it cannot be started: %s" % (error.strerror or error))
    return Done(done.returncode, _text(done.stdout), _text(done.stderr))


def _text(raw: bytes) -> str:
    return os.fsdecode(raw).encode("utf-8", "replace").decode("utf-8")


def listed(words: Sequence[str], most: int = 4) -> str:
    """Return a few words with commas, and how many more there are."""
    more = len(words) - most
    return ", ".join(words[:most]) + (" and %d more" % more if more > 0 else "")
