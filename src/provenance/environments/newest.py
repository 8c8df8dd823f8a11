"""The newest releases that go together, as a resolver finds them today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from provenance.core.distributions import key_of
from provenance.environments import refusals, uv
from provenance.environments.wanted import LeftOut, split
from provenance.errors import SystemRefused

MOST_ROUNDS = 40
"""Distributions that may turn out to be on no index before we give up."""


class Newest(NamedTuple):
    """Versions by name, and what no index has."""

    versions: dict[str, str]
    left_out: tuple[LeftOut, ...]


def newest(
    names: Iterable[str], python: str, environ: Mapping[str, str], cwd: str, offline: bool = False
) -> Newest:
    """Return the newest releases of ``names`` that can be installed together for ``python``.

    python: "3.11" or "3.11.7". Nothing is built, so what has no wheel is left out. Raises
    `ProvError`.
    """
    todo = sorted({key_of(name) for name in names})
    left_out: list[LeftOut] = []
    words = ["pip", "compile", "-", "-q", "--no-header", "--no-annotate", "--no-build"]
    words += ["--python-version", python, *(["--offline"] if offline else [])]
    for _ in range(MOST_ROUNDS):
        done = uv.run(words, environ, cwd, "".join("%s\n" % name for name in todo))
        if done.code == 0:
            return Newest(pins_in(done.output), tuple(left_out))
        refusal = refusals.read(done.complaints, todo)
        if refusal.network:
            raise SystemRefused(refusal.reason + ".")
        if not refusal.key:
            break
        todo.remove(refusal.key)
        left_out.append(LeftOut(refusal.key, "", refusal.reason))
    raise SystemRefused("uv finds no newest versions that go together.", last_line(done.complaints))


def pins_in(text: str) -> dict[str, str]:
    """Return the versions by name that the output of ``uv pip compile`` states."""
    pins = (line.split(";")[0].strip() for line in text.splitlines() if "==" in line)
    return dict(split(pin) for pin in pins)


def last_line(complaints: str) -> str:
    """Return the last thing that uv said, shortened."""
    lines = [line.strip() for line in complaints.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
