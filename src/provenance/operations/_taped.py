"""Tapes of rehearsals, kept in ``.prov/tapes`` under what they depend on."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from typing import Any

from provenance.compare import tape
from provenance.compare.tape import Tape
from provenance.core.redact import Redactor
from provenance.store import files

FOLDER = "tapes"
MOST_TAPES = 60
"""Tapes that are kept; the oldest go first."""


def key(facts: Any) -> str:
    """Return the name under which a tape is kept that depends on ``facts`` (plain JSON) alone."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def path(folder: str, name: str) -> str:
    """Return where the tape ``name`` is kept in ``folder``."""
    return os.path.join(folder, name + ".tape.gz")


def load(folder: str, name: str) -> Tape | None:
    """Return the tape kept in ``folder`` under ``name``, None where there is none."""
    try:
        with gzip.open(path(folder, name), "rt", encoding="utf-8") as stream:
            return tape.read(stream)
    except (OSError, EOFError, ValueError):
        return None


def keep(folder: str, name: str, text: str, redact: Redactor) -> None:
    """Keep the tape ``text`` in ``folder`` under ``name``, secrets replaced."""
    os.makedirs(folder, exist_ok=True)
    packed = gzip.compress(clean(text, redact).encode(), 5, mtime=0)
    try:
        files.write_atomic(path(folder, name), packed)
        _sweep(folder)
    except OSError:
        return  # the next one rehearses again


def clean(text: str, redact: Redactor) -> str:
    """Return ``text`` with the secrets in it replaced, line by line."""
    return "\n".join(redact.text(line) for line in text.splitlines()) + "\n"


def _sweep(folder: str) -> None:
    paths = [os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".tape.gz")]
    if len(paths) <= MOST_TAPES:
        return
    for path in sorted(paths, key=os.path.getmtime)[: len(paths) - MOST_TAPES]:
        os.unlink(path)
