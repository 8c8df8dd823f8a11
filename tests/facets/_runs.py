"""Runs that really take place, as contexts of what a hook would have seen of them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from provenance.core import context, record
from provenance.core.context import Context, FileUse, Observations, Outcome
from provenance.core.record import Payload
from tests.facet_contract import a_context, a_record


def ran(folder: Path, program: str = "", *uses: FileUse, **rest: Any) -> Context:
    """Run ``program`` (Python) in ``folder``; return the context of its end.

    uses: what the hook is said to have seen; ``rest`` goes into the context or, where it has such
    members, into the observations.
    """
    run_dir = folder / ".prov" / "runs" / "r"
    run_dir.mkdir(parents=True, exist_ok=True)
    marker = run_dir / "marker"
    marker.write_text(str(time.time_ns()))
    time.sleep(0.02)
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)
    seen = {name: rest.pop(name) for name in Observations._fields if name in rest}
    given = {
        "marker_ns": marker.stat().st_ctime_ns,
        "run_dir": str(run_dir),
        "outcome": Outcome(0, None, 1.5, 1.0, 0.25, 1 << 20),
        "observed": Observations(files=uses, **seen),
        "command": (sys.executable, "train.py"),
    }
    return a_context(folder, context.AFTER, **{**given, **rest})


def read(path: Path | str) -> FileUse:
    return FileUse(str(path), "r", True, False)


def wrote(path: Path | str) -> FileUse:
    return FileUse(str(path), "w", False, True)


def read_then_wrote(path: Path | str) -> FileUse:
    return FileUse(str(path), "r", True, True)


def wrote_then_read(path: Path | str) -> FileUse:
    return FileUse(str(path), "w", True, True)


def files(answer: Payload) -> dict[str, dict[str, Any]]:
    """Return the entries of an answer by the text of their path."""
    assert answer.status == record.CAPTURED, answer.reason
    found = answer.subjects[0].payload["files"]
    return {one["path"].get("path", "?"): one for one in found}


def today(folder: Path, name: str, answer: Payload, **rest: Any) -> Context:
    """Return a context of the present whose reference has ``answer`` for the facet ``name``."""
    return a_context(folder, reference=a_record(folder, {name: answer}), **rest)
