"""Records with just what the matcher looks at."""

from __future__ import annotations

import textwrap
from typing import Any

from provenance.core.difference import UNKNOWN, Difference
from provenance.core.distributions import key_of
from provenance.core.paths import PathRef
from provenance.core.record import DONE, Payload, Record, captured
from provenance.core.uses import uses


def a_record(
    source: str = "", path: str = "fit.py", gpus: int | None = None, **packages: str
) -> Record:
    """Return a record of a run of ``source`` with ``packages`` (``_`` stands for ``-``)."""
    sites = [use.to_json() for use in uses(textwrap.dedent(source), path)]
    installed = {
        key_of(name): {"name": key_of(name), "version": version, "imported": True}
        for name, version in packages.items()
    }
    facets: dict[str, Payload] = {
        "packages": captured(1, {"distributions": installed}, "python"),
        "behaviour": captured(1, {"sites": sites, "files": 1, "left_out": 0}),
    }
    if gpus is not None:
        facets["hardware"] = captured(1, {"gpus": [{"name": "A100"}] * gpus}, "host")
    return Record(
        id="20260101T000000Z-00000001",
        command=("python", path),
        cwd=PathRef("repo", "."),
        status=DONE,
        started="2026-01-01T00:00:00+00:00",
        facets=facets,
    )


def moved(name: str, old: str, new: str, effect: str = UNKNOWN, **rest: Any) -> Difference:
    """Return the difference of a package that went from ``old`` to ``new``."""
    return Difference("packages", "python", "version", name, effect, old, new, **rest)
