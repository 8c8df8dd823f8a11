"""Objections to a run itself: how it ended, whether it would come out the same, what it ran on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provenance.core.paths import PathRef, is_inside
from provenance.core.record import DONE, Record
from provenance.core.redact import MASK
from provenance.operations import close, repeatable
from provenance.operations._publishable import (
    ADVICE,
    BLOCKS,
    NOTE,
    Case,
    Objection,
    few,
)

_OURS = "prov-run"
"""This program, where it is installed beside the experiment; no run needs it."""
_COMMIT = re.compile(r"@[0-9a-f]{7,40}\b")


def of_run(case: Case) -> Iterator[Objection]:
    """Yield what is wrong with the run, whatever its code and data."""
    run = case.run
    yield from _ending(run)
    yield from _repeatable(run)
    yield from _notebooks(run)
    yield from _packages(case)


def _ending(run: Record) -> Iterator[Objection]:
    if run.status != DONE:
        ended = "" if run.exit_code is None else " (exit %d)" % run.exit_code
        fix = "lock a run that ended well"
        yield Objection("failed", BLOCKS, "the run %s%s" % (run.status, ended), (), fix)
    if any(MASK in word for word in run.command):
        text = "the command held a secret, so it cannot be run again as recorded"
        fix = "pass secrets by environment variables, and run it again"
        yield Objection("secret", BLOCKS, text, (), fix)
    pending = close.waiting(run)[0]
    if pending:
        text = "%d digests of files are still to be taken" % pending
        yield Objection("pending", ADVICE, text, (), "prov close %s" % (run.name or run.id))


def _repeatable(run: Record) -> Iterator[Objection]:
    for doubt in repeatable.doubts(run):
        text = "not repeatable: %s" % doubt.text
        yield Objection("not-repeatable", ADVICE, text, doubt.where, doubt.fix)


def _notebooks(run: Record) -> Iterator[Objection]:
    for subject in run.payloads("notebooks"):
        for one in subject.payload.get("notebooks", []):
            yield from _notebook(one)


def _notebook(one: dict[str, Any]) -> Iterator[Objection]:
    where = (str(PathRef.from_json(one["path"])),)
    saved = one.get("saved") or []
    counts = [count for count in saved if count is not None]
    if one.get("session"):
        text = "its cells were run by hand, in a live session"
        fix = "restart the kernel, run all cells with: prov run -- jupyter execute FILE"
        yield Objection("notebook-by-hand", ADVICE, text, where, fix)
    elif counts and (counts != sorted(counts) or len(counts) < len(saved)):
        text = "the outputs in the notebook are of cells that were run out of order"
        fix = "restart the kernel, run all cells, save"
        yield Objection("notebook-order", ADVICE, text, where, fix)
    if one.get("failed"):
        text = "cells of the notebook failed: %s" % few(map(str, one["failed"]))
        yield Objection("notebook-failed", BLOCKS, text, where, "mend or remove them")


def _packages(case: Case) -> Iterator[Objection]:
    """Yield packages that were not installed from where others can get them."""
    for subject in case.run.payloads("packages"):
        for key, one in sorted(subject.payload.get("distributions", {}).items()):
            told = _origin(case, one)
            if told and key != _OURS:
                weight = BLOCKS if one.get("imported") else NOTE
                text = "%s %s %s" % (one.get("name", key), one.get("version"), told[0])
                yield Objection("package-not-public", weight, text, (), told[1])


def _origin(case: Case, one: dict[str, Any]) -> tuple[str, str] | None:
    """Return why nobody else can install a distribution, and what to do; None where they can."""
    direct = one.get("direct_url") or {}
    origin = one.get("origin", "index")
    place = one.get("editable") or {}
    path = place.get("path") or direct.get("path")
    if origin in ("folder", "editable", "archive") and path:
        reference = PathRef.from_json(path)
        if case.below(reference) is not None or _is_top(case, reference):
            return None
        what = {"editable": "was installed editable from", "folder": "was installed from"}
        text = "%s %s, outside of the repository" % (what.get(origin, "came from"), reference)
        return (
            text,
            "publish it and state its address with a commit, or copy it here",
        )
    url = str(direct.get("url") or "")
    info = direct.get("vcs_info") or {}
    if origin == "vcs" and not info.get("commit_id") and not _COMMIT.search(url):
        return "was installed from %s, at no stated commit" % url, "state it as %s@COMMIT" % url
    return None


def _is_top(case: Case, path: PathRef) -> bool:
    full = case.roots.locate(path)
    return full is not None and (
        full == case.repository.top or is_inside(full, case.repository.top)
    )
