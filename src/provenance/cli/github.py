"""Annotations for GitHub Actions: a finding beside the line that it strikes.

The form is that of the workflow commands of GitHub Actions:
https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from provenance.cli import findings
from provenance.cli.groups import Block
from provenance.core.verdict import rank

MOST = 10
"""Warnings and errors that GitHub shows of one step, each."""
_SUMMARY, _WORKSPACE = "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE"
_PLACE = re.compile(r"^(?P<file>.+?):(?P<line>\d+)(?P<more>:\d+)?$")


class Notice(NamedTuple):
    """One annotation. kind: "error" or "warning". words: lines below the title. where: places."""

    kind: str
    title: str
    words: tuple[str, ...]
    where: tuple[str, ...]


def commands(blocks: Iterable[Block], fail_on: str, folder: str = "") -> list[str]:
    """Return one workflow command per block: an error from ``fail_on`` on, else a warning.

    folder: of the project, relative to the workspace. Beyond what GitHub shows they are counted.
    """
    return notices((_of_block(one, fail_on) for one in blocks), folder)


def notices(told: Iterable[Notice], folder: str = "") -> list[str]:
    """Return one workflow command per notice; those beyond what GitHub shows are counted."""
    found: list[str] = []
    counts = {"error": 0, "warning": 0}
    for one in told:
        counts[one.kind] += 1
        if counts[one.kind] <= MOST:
            found.append(_annotation(one, folder))
    left = sum(max(0, count - MOST) for count in counts.values())
    if left:
        found.append("::notice title=prov::and %d more: see the summary of this step" % left)
    return found


def _of_block(block: Block, fail_on: str) -> Notice:
    words = list(block.what) or [block.title]
    words += [
        "seen%s: %s%s" % (" at " * bool(one.where) + one.where, one.evidence or one.text, after)
        for one, after in ((one, findings.follows(one)) for one in block.seen[:2])
    ]
    remedies = [*block.fixes, *block.restores]
    words += ["fix: %s" % "   or   ".join(remedies)] if remedies else []
    kind = "error" if rank(block.effect) >= rank(fail_on) else "warning"
    title = "%s: %s" % (block.effect.upper(), block.title)
    return Notice(kind, title, tuple(words), block.where)


def _annotation(one: Notice, folder: str) -> str:
    place = _place(one.where, folder)
    place["title"] = one.title
    given = ",".join("%s=%s" % (key, _property(value)) for key, value in place.items())
    return "::%s %s::%s" % (one.kind, given, _data("\n".join(one.words or (one.title,))))


def _place(where: Iterable[str], folder: str) -> dict[str, str]:
    """Return ``file`` and ``line``; in a notebook the line of a cell is none of the file."""
    for place in where:
        match = _PLACE.match(place)
        file = match["file"] if match else place
        path = os.path.normpath(os.path.join(folder, file)).replace(os.sep, "/")
        if match and not match["more"]:
            return {"file": path, "line": match["line"]}
        return {"file": path}
    return {}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def guarded(lines: Iterable[str]) -> list[str]:
    """Return ``lines``, which quote what others wrote, so that none is taken for a command."""
    token = secrets.token_hex(16)
    return ["::stop-commands::" + token, *lines, "::%s::" % token]


def folder_in_workspace(top: str, environ: Mapping[str, str]) -> str:
    """Return the project at ``top`` relative to the workspace; "" where it lies elsewhere."""
    workspace = environ.get(_WORKSPACE)
    if not workspace:
        return ""
    path = os.path.relpath(os.path.realpath(top), os.path.realpath(workspace))
    return "" if path == os.curdir or path.startswith(os.pardir) else path


def write_summary(document: str, environ: Mapping[str, str]) -> str:
    """Append ``document`` to the summary of the step, if there is one; return what went wrong."""
    path = environ.get(_SUMMARY)
    if not path:
        return ""
    try:
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(document)
    except OSError as error:
        return "the step summary was not written: %s" % error
    return ""
