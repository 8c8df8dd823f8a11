"""Which Python interpreters ran, how they were built and started, and on which system.

One subject per interpreter. A run without any Python has the single subject "host" with the system
alone.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import AFTER, DURING, PRESENT, Context, Interpreter
from provenance.core.difference import NONE, UNKNOWN, Comparison, Difference, joined
from provenance.core.paths import PathRef
from provenance.core.record import CAPTURED, Payload, Record, Subject
from provenance.facets import _facet, _subjects, _system
from provenance.facets._system import System

NAME = "runtime"
VERSION = 1
PHASES = (DURING, AFTER)
SITE = _facet.TARGET

FLAGS = (
    "optimize debug bytes_warning dev_mode utf8_mode hash_randomization ignore_environment "
    "isolated no_site no_user_site safe_path gil thread_inherit_context "
    "warn_default_encoding"
).split()
"""Interpreter flags that can change what a program does; the others only change what it prints."""

RESULT_FLAGS = ("optimize", "utf8_mode", "hash_randomization", "dev_mode", "gil")
"""Of these, the ones whose change can reach a result: assertions, text decoding, set order."""

upgrade = _facet.nothing_to_upgrade


class Runtime(NamedTuple):
    """One interpreter, and the system under it.

    system: see `System`. version: "3.11.7"; "" with all that follows for a run without Python.
    implementation: "cpython", "pypy". kind: "venv", "conda" or "system" (any other that stands for
    itself). executable, prefix, base_prefix: where. build: how it was compiled (SOABI, platform
    tag, compiler ...), as it says itself. flags: those of `FLAGS` that are not 0; None for the
    present, where they would be those of our looking and not of a run. processes: how many
    processes of the run it was.
    """

    system: System
    version: str = ""
    implementation: str = ""
    kind: str = ""
    executable: Optional[PathRef] = None
    prefix: Optional[PathRef] = None
    base_prefix: Optional[PathRef] = None
    build: Dict[str, Any] = {}
    flags: Optional[Dict[str, Any]] = None
    processes: int = 0


def capture(context: Context) -> Payload:
    """Return the interpreters of the run and their system."""
    system = _system.look(dict(context.environ))
    subjects = tuple(
        Subject(one.id, codec.encode(_runtime(system, one, context)), one.executable)
        for one in context.interpreters
    )
    alone = Subject("host", codec.encode(Runtime(system)))
    return Payload(CAPTURED, VERSION, subjects or (alone,))


def _runtime(system: System, one: Interpreter, context: Context) -> Runtime:
    refer = context.roots.refer
    flags = {name: one.flags[name] for name in FLAGS if one.flags.get(name)}
    return Runtime(
        system,
        one.version,
        one.implementation,
        kind_of(one),
        refer(one.executable),
        refer(one.prefix or one.executable),
        refer(one.base_prefix or one.prefix or one.executable),
        context.redact.value("build", dict(one.build)),
        None if context.phase == PRESENT else flags,
        one.processes,
    )


def kind_of(one: Interpreter) -> str:
    """Return the kind of environment an interpreter stands for: "venv", "conda" or "system"."""
    if one.prefix and os.path.isdir(os.path.join(one.prefix, "conda-meta")):
        return "conda"
    return "venv" if one.base_prefix and one.prefix != one.base_prefix else "system"


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare versions, implementations, flags, and the systems under them."""
    pairs, missing = _subjects.pairs(NAME, old, new)
    parts = [Comparison(unit="facts", not_compared=missing)]
    for place, (before, after) in enumerate(pairs):
        was, now = codec.decode(Runtime, before.payload), codec.decode(Runtime, after.payload)
        if place == 0:
            parts.append(_compared(before.id, _system_facts(was.system), _system_facts(now.system)))
        if was.version and now.version:
            flags = was.flags is not None and now.flags is not None
            facts = [_python_facts(one, flags) for one in (was, now)]
            parts.append(_compared(before.id, *facts))
    return joined(tuple(parts), "facts")


Fact = Tuple[Any, str]
"""A value, and the effect of its having changed."""


def _system_facts(system: System) -> Dict[str, Fact]:
    release = " ".join(word for word in (system.name, system.release) if word)
    return {
        "operating system": (release, UNKNOWN),
        "C library": (system.libc, UNKNOWN),
        "machine": (system.machine, UNKNOWN),
        "kernel": (system.kernel, NONE),
    }


def _python_facts(python: Runtime, with_flags: bool) -> Dict[str, Fact]:
    facts: Dict[str, Fact] = {
        "python": (python.version, UNKNOWN),
        "implementation": (python.implementation, UNKNOWN),
        "kind of environment": (python.kind, NONE),
    }
    if with_flags:
        flags = python.flags or {}
        facts.update({"flag " + name: (flags.get(name, 0), UNKNOWN) for name in RESULT_FLAGS})
    return facts


def _compared(subject: str, old: Dict[str, Fact], new: Dict[str, Fact]) -> Comparison:
    found: List[Difference] = []
    for name, (was, effect) in old.items():
        now = new[name][0]
        if was == now:
            continue
        if name == "python":
            found.append(_version_difference(subject, was, now))
        else:
            found.append(Difference(NAME, subject, "changed", name, effect, was, now))
    return Comparison(tuple(found), len(old) - len(found), len(old), "facts")


def _version_difference(subject: str, old: str, new: str) -> Difference:
    """Return another Python version as a difference: a bug-fix release changes little."""
    effect, text = UNKNOWN, ""
    if old.split(".")[:2] == new.split(".")[:2]:
        effect, text = NONE, "a bug-fix release of the same Python"
    return Difference(NAME, subject, "version", "python", effect, old, new, (), text)


def of(record: Record) -> Optional[Dict[str, Runtime]]:
    """Return the interpreters by id; None where the record has none."""
    found = record.payloads(NAME)
    return {s.id: codec.decode(Runtime, s.payload) for s in found} if found else None
