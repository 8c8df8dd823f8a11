"""Which further distributions the installed ones ask for, as their own metadata says."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from packaging.requirements import InvalidRequirement, Requirement

from provenance.core.distributions import key_of, scan

LARGEST = 1 << 20
"""Bytes of a METADATA file that are read: requirements stand before the long description."""


def asked_for(site: Sequence[str], rest: Mapping[str, str]) -> dict[str, str]:
    """Return those of ``rest`` (version by name) that a distribution in ``site`` requires.

    Markers are not evaluated, extras count: what the record had and somebody may need is taken.
    """
    names: set[str] = set()
    for one in scan(site):
        names.update(required(one.folder))
    return {key: rest[key] for key in sorted(names) if key in rest}


def required(folder: str) -> set[str]:
    """Return the names that the distribution with its metadata in ``folder`` requires."""
    try:
        with open(os.path.join(folder, "METADATA"), "rb") as stream:
            text = stream.read(LARGEST).decode("utf-8", "replace")
    except OSError:
        return set()
    found = set()
    for line in text.partition("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "requires-dist":
            try:
                found.add(key_of(Requirement(value.strip()).name))
            except InvalidRequirement:
                continue
    return found
