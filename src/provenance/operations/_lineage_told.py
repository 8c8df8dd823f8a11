"""What is told of a run in the story of a file: code, parameters, environment, results."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from provenance.core.record import Record
from provenance.errors import ProvError
from provenance.operations._lineage_facts import CODE
from provenance.operations._lineage_records import Records
from provenance.store import team

_SHOWN = 40


class Detail(NamedTuple):
    """params: value by name, those given on the command line first. given: their names.

    python, packages, hardware: of the environment. metrics: final values by name. used: source
    files of the project. by: of a run that was fetched, whose it is and from where. record: file in
    which the record lies. problem: why it cannot be read.
    """

    params: dict[str, Any] = {}
    given: tuple[str, ...] = ()
    python: str = ""
    packages: int = 0
    hardware: tuple[str, ...] = ()
    metrics: dict[str, Any] = {}
    used: tuple[str, ...] = ()
    by: str = ""
    record: str = ""
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the members as JSON."""
        return dict(
            self._asdict(),
            given=list(self.given),
            hardware=list(self.hardware),
            used=list(self.used),
        )


def detail(known: Records, run_id: str) -> Detail:
    """Return what the record of a run tells; a record that is damaged says so."""
    used = [one.path for one in known.facts(run_id).touches if one.side == CODE]
    source = known.source(run_id)
    origin = team.origin(os.path.dirname(source))
    by = str(origin) if origin is not None else ""
    made = Detail(used=tuple(used[:_SHOWN]), by=by, record=source)
    try:
        return _told(known.record(run_id), made)
    except ProvError as error:
        return made._replace(problem=error.message)


def _told(run: Record, made: Detail) -> Detail:
    values = _first(run, "params").get("values") or {}
    given = [name for name, one in values.items() if one.get("given")]
    ordered = [*given, *(name for name in values if name not in given)]
    hardware = _first(run, "hardware")
    cpu = hardware.get("cpu") or {}
    parts = [str(cpu.get("model") or "")] if isinstance(cpu, dict) else []
    parts += [str(one.get("name") or "") for one in hardware.get("gpus") or ()]
    final = _first(run, "metrics").get("final") or {}
    return made._replace(
        params={name: values[name].get("value") for name in ordered[:_SHOWN]},
        given=tuple(given),
        python=str(_first(run, "runtime").get("version") or ""),
        packages=len(_first(run, "packages").get("distributions") or ()),
        hardware=tuple(part for part in parts if part),
        metrics=dict(list(final.items())[:_SHOWN]),
    )


def _first(run: Record, facet: str) -> dict[str, Any]:
    subjects = run.payloads(facet)
    return subjects[0].payload if subjects else {}
