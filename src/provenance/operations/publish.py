"""Making a record fit to be published in ``prov.lock``.

Absolute folders and the writing process are left out, files get a SHA-256 beside the digest that
was recorded (so that the drop-in test can check them with the standard library alone), and paths
inside the repository that stand on the command line become relative to where the command ran.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from provenance.core import digest
from provenance.core.context import DigestOf
from provenance.core.digest import SHA256, TREE, Digests
from provenance.core.paths import PathRef, Roots, is_inside
from provenance.core.record import Payload, Record, Subject

WITH_FILES = ("data", "outputs")
DIGESTED = "digested"


def published(run: Record, roots: Roots, digest_of: DigestOf) -> tuple[Record, tuple[str, ...]]:
    """Return ``run`` as it may be published, and sentences about files that could not be checked.

    ``roots``: where the run's files are. ``digest_of``: as in a capture context.
    """
    problems: list[str] = []

    def complete(entry: dict[str, Any]) -> dict[str, Any]:
        return _with_sha256(entry, roots, digest_of, problems)

    answers = {
        name: _mapped(answer, complete, name) if name in WITH_FILES else answer
        for name, answer in run.facets.items()
    }
    command = tuple(_relative(word, roots) for word in run.command)
    clean = run._replace(command=command, process=None, roots={}, facets=answers)
    return clean, tuple(problems)


def _mapped(
    answer: Payload, complete: Callable[[dict[str, Any]], dict[str, Any]], facet: str
) -> Payload:
    subjects = []
    for subject in answer.subjects:
        payload = dict(subject.payload)
        payload["files"] = [
            # a folder among the outputs is digested in part: only what the run changed in it
            entry if facet == "outputs" and entry.get("kind") == "folder" else complete(entry)
            for entry in map(_anywhere, payload.get("files", []))
        ]
        subjects.append(Subject(subject.id, payload, subject.interpreter, subject.rank))
    return answer._replace(subjects=tuple(subjects))


def _anywhere(entry: dict[str, Any]) -> dict[str, Any]:
    """Return ``entry`` without the numbers by which this machine alone knows its file."""
    return {name: value for name, value in entry.items() if name != "seen"}


def _with_sha256(
    entry: dict[str, Any], roots: Roots, digest_of: DigestOf, problems: list[str]
) -> dict[str, Any]:
    """Return ``entry`` with a SHA-256, if the file still is what was recorded."""
    known: Digests = entry.get("digests") or {}
    if not known or any(name.startswith(SHA256) for name in known):
        return entry
    if entry.get("state", DIGESTED) != DIGESTED:
        return entry
    path = PathRef.from_json(entry["path"])
    place = roots.locate(path)
    try:
        now = _digests(place or "", entry, digest_of)
    except OSError as error:
        problems.append("%s has no SHA-256 in the lock: %s." % (path, error.strerror or error))
        return entry
    if not digest.same(known, {name: now[name] for name in known}):
        problems.append(
            "%s is no longer what the run used; only the recorded digest is kept." % (path,)
        )
        return entry
    return dict(entry, digests=now)


def _digests(place: str, entry: dict[str, Any], digest_of: DigestOf) -> Digests:
    known = tuple(entry["digests"])
    trees = [name[: -len(TREE)] for name in known if name.endswith(TREE)]
    if not trees:
        return digest_of(place, (*known, SHA256))
    left_out = frozenset(entry.get("left_out", ()))
    found: Digests = {}
    for algorithm in (*trees, SHA256):
        one = _of_one(digest_of, algorithm)
        found.update(digest.tree_digest(place, algorithm, one, leave_out=left_out).digests)
    return found


def _of_one(digest_of: DigestOf, algorithm: str) -> Callable[[str], Digests]:
    return lambda path: digest_of(path, (algorithm,))


def _relative(word: str, roots: Roots) -> str:
    if not os.path.isabs(word) or roots.repo is None or not is_inside(word, roots.repo):
        return word
    below = os.path.relpath(word, roots.cwd)
    return below if os.sep in below or not os.access(word, os.X_OK) else "./" + below
