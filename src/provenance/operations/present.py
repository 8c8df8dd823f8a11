"""Capturing today's state as a record, so that verifying is comparing two records."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from provenance import __version__
from provenance.agent import inventory
from provenance.core import context, record
from provenance.core.context import Context, Interpreter
from provenance.core.paths import REPO, PathRef, Roots
from provenance.core.record import Record, Subject
from provenance.core.redact import Redactor
from provenance.errors import ProvError, SystemRefused
from provenance.operations import clock, facts
from provenance.operations._dvc_asked import with_dvc
from provenance.operations._hashing import Trees, tell
from provenance.operations.recorder import CACHE
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project

SESSION = ("%load_ext",)
"""How the command of a live session begins (`operations.session`)."""


class Present(NamedTuple):
    """Today's state.

    record: with the facets that need no run. interpreters: those looked at, the main one first.
    notes: what could not be looked at.
    """

    record: Record
    interpreters: tuple[Interpreter, ...]
    notes: tuple[str, ...]


class Here(NamedTuple):
    """Where the present is looked at: environment, project, roots, interpreter asked for.

    progress: told how far the digesting of data is.
    """

    environ: Mapping[str, str]
    place: Project
    roots: Roots
    python: str | None = None
    progress: Callable[[str], None] | None = None


def capture(reference: Record, here: Here) -> Present:
    """Return the present as far as ``reference`` can be compared with it. Raises `ProvError`."""
    interpreters, notes = _interpreters(reference, here)
    cache = DigestCache(os.path.join(here.place.folder, CACHE))
    tell(with_dvc(cache, here.environ), here.progress)
    now = time.time()
    looked_at = Context(
        phase=context.PRESENT,
        roots=here.roots,
        command=reference.command,
        environ=here.environ,
        redact=Redactor.from_environment(here.environ),
        digest=cache.digest,
        started=now,
        interpreters=interpreters,
        reference=reference,
        ahead=Trees(cache),
    )
    try:
        answers = facts.capture(looked_at, {})
    finally:  # what was digested before Ctrl-C is not read again
        if os.path.isdir(here.place.folder):
            cache.save()
    today = Record(
        id="present",
        command=reference.command,
        cwd=reference.cwd,
        status=record.DONE,
        started=clock.stamp(now),
        tool=__version__,
        facets=answers,
    )
    return Present(today, interpreters, notes)


def _interpreters(reference: Record, here: Here) -> tuple[tuple[Interpreter, ...], tuple[str, ...]]:
    """Probe the interpreters that stand for the recorded ones; no run without Python needs any."""
    recorded = [one for one in reference.payloads("runtime") if one.interpreter]
    if not recorded and here.python is None:
        return (), ()
    folder = here.roots.cwd if os.path.isdir(here.roots.cwd) else here.place.root
    own = _own_environment(reference, recorded, here)
    main = here.python or own or choose_python(reference, here.environ, folder)
    found = [inventory.probe(main, here.environ, folder)._replace(id="python")]
    notes = []
    for subject in recorded[1:]:
        path = subject.interpreter or ""
        try:
            one = inventory.probe(path, here.environ, folder)
        except ProvError as error:
            notes.append("interpreter %s (%s) was not looked at: %s" % (subject.id, path, error))
            continue
        found.append(one._replace(id=subject.id))
    return tuple(found), tuple(notes)


def _own_environment(reference: Record, recorded: Sequence[Subject], here: Here) -> str | None:
    """Return the interpreter of the repository's environment if the run used it and none is active.

    A command that says ``python`` meant that one then, whatever is first on PATH of a reader who
    made the environment and did not activate it.
    """
    active = here.environ.get("VIRTUAL_ENV") or here.environ.get("CONDA_PREFIX")
    if active or not recorded or not reference.command or os.sep in reference.command[0]:
        return None
    try:
        used = PathRef.from_json(recorded[0].payload["executable"])
    except (KeyError, TypeError, ValueError):
        return None
    path = here.roots.locate(used) if used.root == REPO else None
    return _executable(path) if path else None


def choose_python(reference: Record, environ: Mapping[str, str], cwd: str) -> str:
    """Return the interpreter that the recorded command would use today.

    The recorded command itself where it names a Python or a script of one, or the one that the
    steps of a shell script name by its whole path if it is here; else the active virtual or conda
    environment, else ``python`` on PATH. Raises `SystemRefused` where there is none.
    """
    path = environ.get("PATH", os.defpath)
    candidates = [of_command(reference.command, path, cwd), _of_session(reference)]
    candidates.append(_of_steps(reference))
    active = [environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX")]
    candidates += [_executable(os.path.join(one, "bin", "python")) for one in active if one]
    candidates += [shutil.which("python", path=path), shutil.which("python3", path=path)]
    for one in candidates:
        if one:
            return one
    raise SystemRefused("no python was found on PATH.", "name one: prov verify --python PATH")


def is_python(word: str) -> bool:
    """Return whether ``word`` names a Python interpreter, by its last part."""
    name = os.path.basename(word)
    return name.startswith(("python", "pypy")) and not name.endswith((".py", ".sh"))


def of_command(command: tuple[str, ...], path: str, cwd: str) -> str | None:
    """Return the interpreter that ``command`` names, or whose script it is; None for neither."""
    if not command:
        return None
    word = command[0]
    found = (
        _executable(os.path.normpath(os.path.join(cwd, word)))
        if os.sep in word
        else shutil.which(word, path=path)
    )
    if found is None or is_python(word):
        return found
    return _shebang_python(found)


def _of_session(reference: Record) -> str | None:
    """Return the interpreter of the kernel whose live session was recorded, if it is here."""
    if reference.command[:1] != SESSION:
        return None
    kernels = [one.interpreter for one in reference.payloads("runtime") if one.interpreter]
    return _executable(kernels[0]) if kernels else None


def _of_steps(reference: Record) -> str | None:
    """Return the interpreter that the first Python process was started as, by its whole path."""
    for subject in reference.payloads("processes"):
        for one in subject.payload.get("listed", [])[:1]:
            word = str(one.get("command", "")).partition(" ")[0]
            if os.path.isabs(word) and is_python(word):
                return _executable(word)
    return None


def _shebang_python(script: str) -> str | None:
    """Return the interpreter of a console script (torchrun, accelerate ...), None for others."""
    try:
        with open(script, "rb") as stream:
            first = stream.readline(500)
    except OSError:
        return None
    if not first.startswith(b"#!"):
        return None
    words = os.fsdecode(first[2:]).split()
    return _executable(words[0]) if words and is_python(words[0]) else None


def _executable(path: str) -> str | None:
    return path if os.path.isfile(path) and os.access(path, os.X_OK) else None
