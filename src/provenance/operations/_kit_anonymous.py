"""Double-blind submissions: nothing that the kit writes says who wrote it or where.

What identifies anybody is hidden as in an anonymous lock (`operations.anonymous`). Fields that are
about people are empty, and so is the commit, by which a public repository can be found.
"""

from __future__ import annotations

from collections.abc import Mapping

from provenance.core.anonymous import Veil
from provenance.core.record import Record
from provenance.environments.wanted import LeftOut, Wanted
from provenance.errors import ProvError
from provenance.operations import anonymous
from provenance.operations._kit_known import Known
from provenance.store.project import Project


def hidden(known: Known, place: Project, environ: Mapping[str, str]) -> tuple[Known, Veil]:
    """Return ``known`` without what identifies anybody, and what hides it."""
    veil = anonymous.veil(place, known.runs, environ)
    clean = known._replace(
        name=veil.text(known.name),
        title=veil.text(known.title),
        runs=tuple(_without_commit(anonymous.shown(run, place, environ)) for run in known.runs),
        data=tuple(one._replace(path=veil.text(one.path)) for one in known.data),
        pins=_pins(known.pins, veil) if known.pins else None,
        reference=veil.text(known.reference),
        remote="",
        branch="",
        claims=tuple(
            one._replace(says=veil.text(one.says), name=veil.text(one.name)) for one in known.claims
        ),
        author="",
        email="",
    )
    return clean, veil


def require_hidden(path: str, text: str, veil: Veil) -> None:
    """Raise `ProvError` where a file of the kit says a name all the same."""
    left = veil.names(text)
    if left:
        raise ProvError(
            "%s would still say %s: nothing was written." % (path, ", ".join(left[:3])),
            "please report which part of the file says so",
        )


def _pins(pins: Wanted, veil: Veil) -> Wanted:
    left_out = tuple(LeftOut(*map(veil.text, one)) for one in pins.left_out)
    return pins._replace(left_out=left_out, prefer=())


def _without_commit(run: Record) -> Record:
    code = run.facets.get("code")
    if code is None:
        return run
    bare: dict[str, object] = {"commit": None, "remotes": [], "repositories": [], "upstream": None}
    subjects = tuple(one._replace(payload={**one.payload, **bare}) for one in code.subjects)
    return run._replace(facets={**run.facets, "code": code._replace(subjects=subjects)})
