"""Objections to the repository as readers find it: licence, README, claims."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provenance import config
from provenance.errors import BadRecord
from provenance.operations import _claims_locked, _claims_runs
from provenance.operations._publishable import ADVICE, SHOWN, Case, Objection, Repository, few

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
    """Yield claims of the paper that name no run that is published, or cannot be read."""
    try:
        stated = _claims_locked.of_project(case.repository.place.root)
    except BadRecord as error:
        yield Objection(
            "claim-unreadable", ADVICE, error.message.rstrip("."), (config.FILE,), error.hint
        )
        return
    lacking = [
        (claim, name)
        for claim in stated
        for name in claim.selectors
        if not _claims_runs.meant(name, case.others)
    ]
    if lacking:
        names = few("%s (run %s)" % (claim.name, name) for claim, name in lacking)
        where = tuple(dict.fromkeys(claim.where for claim, _ in lacking))[:SHOWN]
        text = "claims whose run is not published: %s" % names
        yield Objection("claim-without-run", ADVICE, text, where, "prov lock all of them")
