"""How far results may lie apart: what was said when the run was recorded, and what is said now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from provenance import config
from provenance.core.record import ALLOWED, Record
from provenance.errors import BadRecord, UsageError
from provenance.store import records
from provenance.store.project import Project

if TYPE_CHECKING:
    from provenance.compare.tolerances import Choice, Rules

RECORDED, LOCKED = "recorded", "locked"


class Limits(NamedTuple):
    """What a command line allows for everything; None where it does not say."""

    rtol: float | None = None
    atol: float | None = None
    ulp: int | None = None


class Allowed(NamedTuple):
    """choice: what holds for which metric. notes: sentences on how it came about."""

    choice: Choice
    notes: tuple[str, ...] = ()


def kept(settings: config.Settings, since: str) -> dict[str, Any]:
    """Return the member of a record that keeps the settings' tolerances; {} where there are none.

    Light: this lies on the way of ``prov run``.
    """
    found: dict[str, Any] = {}
    if settings.rtol is not None:
        found["rtol"] = settings.rtol
    if settings.atol is not None:
        found["atol"] = settings.atol
    if settings.tolerance:
        found["metrics"] = {name: dict(one) for name, one in settings.tolerance.items()}
    return {ALLOWED: dict(found, since=since)} if found else {}


def locked(run: Record, settings: config.Settings) -> Record:
    """Return ``run`` with the tolerances that hold as it is published: today's, else its own."""
    return run._replace(extra={**run.extra, **_unless_same(run, kept(settings, LOCKED))})


def _unless_same(run: Record, found: dict[str, Any]) -> dict[str, Any]:
    was = dict(run.extra.get(ALLOWED) or {}, since="")
    return {} if found and dict(found[ALLOWED], since="") == was else found


def allowed(old: Record, place: Project, asked: Limits) -> Allowed:
    """Return what holds for comparing with ``old``. Raises `ProvError`."""
    from provenance.compare import tolerances
    from provenance.compare.tolerance import SETTINGS

    settings = config.load(place.root)
    command = asked_rules(asked)[0]
    try:
        stated = (settings.rtol, settings.atol, settings.tolerance)
        written = tolerances.rules(*stated, SETTINGS)
    except ValueError as error:
        raise BadRecord("%s: %s." % (config.FILE, error)) from error
    recorded = tolerances.stated_in(old)
    notes: tuple[str, ...] = ()
    if tolerances.is_later(command, written, recorded):
        seen = replays_of(old, place)
        notes = (tolerances.later_note(seen, recorded),) if seen else ()
    return Allowed(tolerances.chosen(command, written, recorded), notes)


def asked_rules(asked: Limits) -> tuple[Rules]:
    """Return what a command line allows. Raises `UsageError`."""
    from provenance.compare import tolerances
    from provenance.compare.tolerance import COMMAND_LINE

    try:
        return (tolerances.rules(asked.rtol, asked.atol, {}, COMMAND_LINE, asked.ulp),)
    except ValueError as error:
        raise UsageError("%s." % error, "for example --rtol 0.01") from error


def replays_of(run: Record, place: Project) -> int:
    """Return how many replays of ``run`` are known here: recorded ones, and others' receipts."""
    from provenance.store import receipts

    here = {
        one.record.id
        for one in records.each(place)
        if isinstance(one, records.Stored) and one.record.replay_of == run.id
    }
    told, _ = receipts.read_all(place.repo or place.root)
    here |= {str(one.get("replay")) for one in told if one.get("run") == run.id}
    return len(here)
