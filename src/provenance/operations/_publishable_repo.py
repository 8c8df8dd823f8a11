"""Objections to the repository as readers find it: licence, README, claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provenance import config
from provenance.operations._publishable import ADVICE, Case, Objection, Repository, few

_LICENCE = re.compile(r"(licen[cs]e|copying|unlicense)([._-].*)?", re.IGNORECASE)
_README = re.compile(r"readme([._-].*)?", re.IGNORECASE)
_STATED_LICENCE = re.compile(r"^\s*licen[cs]e\s*[:=]", re.IGNORECASE | re.MULTILINE)


def of_repository(repository: Repository) -> Iterator[Objection]:
    """Yield what every published repository has, and this one has not."""
    top = [path for path in repository.paths if "/" not in path]
    if not any(_LICENCE.fullmatch(path) for path in top):
        text = "there is no LICENSE: nobody may use or change the code"
        fix = "add one, such as MIT or Apache-2.0 (https://choosealicense.com)"
        if any(_STATED_LICENCE.search(repository.text(p) or "") for p in ("pyproject.toml",)):
            text = "a licence is named in pyproject.toml, but its text is not here"
        yield Objection("no-license", ADVICE, text, (), fix)
    if not any(_README.fullmatch(path) for path in top):
        text = "there is no README: what to install, where the data is, what to run"
        yield Objection("no-readme", ADVICE, text, (), "write one; the command is in prov.lock")


def claims(case: Case) -> Iterator[Objection]:
    """Yield claims of the paper that name no run that is published.

    Only the member ``claims`` of the settings is looked at: a list of maps, or maps by name, each
    with ``run``. What a claim may hold beyond that is not settled yet, and is not judged here.
    """
    try:
        stated = config.stated(case.repository.place.root).get("claims")
    except Exception:  # noqa: BLE001 - settings that cannot be read are told by every verb
        return
    published = {run.id for run in case.others} | {run.name for run in case.others}
    without, unknown = [], []
    for name, claim in _claims(stated):
        run = claim.get("run") if isinstance(claim, dict) else None
        if not run:
            without.append(name)
        elif str(run) not in published:
            unknown.append("%s (run %s)" % (name, run))
    if without:
        text = "claims without a run: %s" % few(without)
        yield Objection("claim-without-run", ADVICE, text, (config.FILE,), "add `run: NAME`")
    if unknown:
        text = "claims whose run is not published: %s" % few(unknown)
        yield Objection("claim-without-run", ADVICE, text, (config.FILE,), "prov lock all of them")


def _claims(stated: Any) -> list[tuple[str, Any]]:
    if isinstance(stated, dict):
        return [(str(name), claim) for name, claim in stated.items()]
    if isinstance(stated, list):
        return [
            (str(claim.get("name") or claim.get("metric") or number), claim)
            if isinstance(claim, dict)
            else (str(claim), None)
            for number, claim in enumerate(stated, 1)
        ]
    return []
