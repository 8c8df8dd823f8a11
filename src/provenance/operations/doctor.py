"""What can be recorded here, what not, and why: everything is tried, not guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from provenance.agent import launch
from provenance.core.redact import Redactor
from provenance.operations import _checks, _doctor_place, _doctor_python, _doctor_tools
from provenance.operations._checks import NOT_POSSIBLE, Check, Subject

__all__ = ["Check", "Diagnosis", "diagnose"]


class Diagnosis(NamedTuple):
    """works: whether a run can be recorded. checks: all that was looked at."""

    works: bool
    checks: tuple[Check, ...]


def diagnose(command: tuple[str, ...], cwd: str, environ: Mapping[str, str]) -> Diagnosis:
    """Return what recording ``command`` in ``cwd`` would see. Nothing is left behind.

    Without a command: what ``python`` means here.
    """
    subject = Subject(command, cwd, launch.unhooked_environment(environ))
    parts: tuple[Callable[[Subject], list[Check]], ...] = (
        _doctor_place.checks,
        _doctor_python.checks,
        _doctor_tools.checks,
    )
    with ThreadPoolExecutor(len(parts)) as pool:
        answers = list(pool.map(lambda part: _careful(part, subject), parts))
    redact = Redactor.from_environment(environ).text
    found = tuple(
        one._replace(says=redact(one.says), remedy=redact(one.remedy))
        for answer in answers
        for one in answer
    )
    works = not any(one.essential and one.status == NOT_POSSIBLE for one in found)
    return Diagnosis(works, found)


def _careful(part: Callable[[Subject], list[Check]], subject: Subject) -> list[Check]:
    """Return what ``part`` says; the system may refuse what nobody thought of."""
    try:
        return part(subject)
    except OSError as error:
        name = part.__module__.rpartition("_")[2]
        return [Check(name, _checks.LIMITED, "could not be looked at: %s" % error)]
