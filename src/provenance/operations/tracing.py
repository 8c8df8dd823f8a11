"""Seeing every file of every process with strace, where that was asked for and can be had."""

from __future__ import annotations

import os
from collections.abc import Mapping

from provenance.agent.traced import Traced
from provenance.core.context import Interpreter, Observations
from provenance.core.paths import Roots
from provenance.core.redact import Redactor
from provenance.executors import local

LOG = "strace"
"""The log in the run's agent folder; ``*.log`` there are the hook's."""
_PATIENCE_S = 10.0


class Tracing:
    """One run under strace. tracer: for starting it; None with a sentence in ``refused``."""

    def __init__(
        self, environ: Mapping[str, str], agent_dir: str, roots: Roots, redact: Redactor
    ) -> None:
        path = os.path.join(agent_dir, LOG)
        self.tracer, reason = local.tracer(environ, path)
        self.refused = "" if self.tracer else "--trace=strace is not in effect: %s." % reason
        self._missed: tuple[str, ...] = ()
        began = os.stat(agent_dir).st_ctime_ns
        self._traced = _reader(path, roots, redact, began) if self.tracer else None

    def poll(self) -> tuple[str, ...]:
        """Return the paths that were read for the first time since the last call."""
        return self._traced.poll() if self._traced is not None else ()

    def joined(self, seen: Observations, interpreters: tuple[Interpreter, ...]) -> Observations:
        """Return what the hook has ``seen`` with what strace saw, at the end of the run."""
        if self._traced is None:
            return seen
        self._missed = self._traced.finish(_PATIENCE_S)
        return self._traced.joined(seen, interpreters)

    def notes(self) -> tuple[str, ...]:
        """Return, when the run has ended, what could not be seen."""
        return (self.refused,) if self.refused else self._missed


def left(
    agent_dir: str,
    roots: Roots,
    redact: Redactor,
    seen: Observations,
    interpreters: tuple[Interpreter, ...],
) -> Observations:
    """Return ``seen`` with what a log tells that was left behind, where there is one."""
    path = os.path.join(agent_dir, LOG)
    if not os.path.exists(path):
        return seen
    traced = _reader(path, roots, redact, None)
    traced.finish(0.0)
    return traced.joined(seen, interpreters)


def _reader(path: str, roots: Roots, redact: Redactor, began: int | None) -> Traced:
    tops = tuple(dict.fromkeys(top for top in (roots.repo, roots.cwd) if top))
    return Traced(path, roots.cwd, tops, redact, began)
