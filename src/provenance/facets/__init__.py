"""One question about a run per file. Portable at import; see ``_facet`` for the contract.

The registry is explicit: a facet exists when it stands here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Tuple

if TYPE_CHECKING:
    from provenance.facets._facet import Facet

NAMES: Tuple[str, ...] = (
    "code",
    "notebooks",
    "packages",
    "runtime",
    "hardware",
    "environment",
    "data",
    "params",
    "seeds",
    "model",
    "metrics",
    "outputs",
    "artifacts",
    "fingerprints",
    "processes",
    "resources",
    "behaviour",
)
"""Every facet, in the order in which they are captured within a phase and shown."""

EARLY: Tuple[str, ...] = ("code",)
"""The facets that have something to capture before the command starts. It stands here, and not only
in their ``PHASES``, so that the others need not be imported before the command starts."""


def load(name: str) -> Facet:
    """Return the facet called ``name``, importing its module. Raises KeyError for no such facet."""
    if name not in NAMES:
        raise KeyError(name)
    module: Facet = importlib.import_module("provenance.facets." + name)
    return module
