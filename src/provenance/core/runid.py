"""Identifiers of runs: ``YYYYMMDDTHHMMSSZ-xxxxxxxx``, UTC time and eight random hex digits.

They sort by time as text; uniqueness comes from making the run's folder exclusively.
"""

from __future__ import annotations

import binascii
import os
import re
import time
from typing import Iterable, List

LEAST = 4
"""Characters of an id that are hardly a name by chance: of 65,536 runs one ends in ``cafe``."""

PATTERN = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{8}\Z")


def new_id(now: float) -> str:
    """Return a new identifier for a run that starts at ``now`` (seconds since the epoch)."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return stamp + "-" + binascii.hexlify(os.urandom(4)).decode("ascii")


def is_id(text: str) -> bool:
    """Return whether ``text`` has the form of a whole run identifier."""
    return PATTERN.match(text) is not None


def is_part(word: str, run_id: str) -> bool:
    """Return whether ``word`` is how people type ``run_id``: its start or end, or the tail's."""
    if not word:  # a variable of a shell that was never set: it means no run
        return False
    return run_id.startswith(word) or short(run_id).startswith(word) or run_id.endswith(word)


def short(run_id: str) -> str:
    """Return the tail that people type: the random digits."""
    return run_id.rsplit("-", 1)[-1]


def meant(name: str, known: Iterable[str]) -> List[str]:
    """Return the ids in ``known`` that ``name`` may mean: the one that it is, or is part of."""
    every = list(known)
    return [name] if name in every else [one for one in every if is_part(name, one)]
