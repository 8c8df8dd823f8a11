"""Objections to what is written: paths of this machine, and secrets, by file and line."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator

from provenance.core import filekinds
from provenance.core.paths import PathRef, is_inside
from provenance.core.redact import Redactor
from provenance.operations import present
from provenance.operations._publishable import ADVICE, BLOCKS, Case, Objection, Repository, few
from provenance.operations._publishable_data import used_files

_PERSONAL = re.compile(
    r"(?:/home/|/Users/|/root/|/mnt/|/media/|/scratch|/work/|/workspace/|/storage|/data/|/gpfs|"
    r"/lustre|/nfs|/project|/share|/content/|/kaggle/|/export/|/private/|/vol|[A-Za-z]:[\\/])"
    r"[^\s\"'`:;,)\]}>]+"
)
"""How places begin that exist on one machine or cluster only."""
_SYSTEM = ("/usr/", "/bin/", "/etc/", "/dev/", "/proc/", "/sys/", "/lib", "/opt/", "/run/", "/tmp/")  # noqa: S108 - names, not used as places
_MOST_FILES = 3000
_MOST_BYTES, _MOST_SETTINGS = 1 << 20, 64 << 10
"""Of a source and of a settings file that is searched for secrets: larger ones are data."""
_SEALED = re.compile(r"^\s*-?\s*secure:", re.MULTILINE)
"""Settings of a service for tests that hold secrets which it alone can read."""
_EXAMPLES = ("tests", "test", "docs", "examples")


def of_run(case: Case) -> Iterator[Objection]:
    """Yield absolute paths in the command and in the source that the run used."""
    words = [
        word
        for word in case.run.command[1:]
        for value in [word.partition("=")[2] if word.startswith("-") else word]
        if os.path.isabs(value) and not value.startswith(_SYSTEM[:5]) and not _here(case, value)
    ]
    if words:
        text = "the command names a place of this machine: %s" % few(words, 2)
        fix = "give a path relative to the repository, and say in the README what belongs there"
        yield Objection("path-in-command", ADVICE, text, (), fix)
    first = case.run.command[0] if case.run.command else ""
    own = os.path.isabs(first) and not first.startswith(_SYSTEM[:2]) and not _here(case, first)
    if own and not present.is_python(first):
        text = "the command starts a program of this machine: %s" % first
        yield Objection("path-in-command", ADVICE, text, (), "put it into the repository")
    read = _read(case)
    places = []
    for name in used_files(case):
        source = case.repository.text(name)
        if source is not None:
            places += ["%s:%d" % (name, line) for line in _lines(name, source) if line]
    told = [place for place in places if place not in read]
    if told:
        text = "an absolute path of this machine is written in the source"
        fix = "take it from an argument, or make it relative to the file"
        yield Objection("path-in-source", ADVICE, text, tuple(told), fix)


def _read(case: Case) -> frozenset[str]:
    """Return the places that are told of already, as those of data outside."""
    from provenance.operations import _publishable_data

    found: set[str] = set()
    for subject in case.run.payloads("data"):
        paths = [PathRef.from_json(one["path"]) for one in subject.payload.get("files", [])]
        outside = [str(path) for path in paths if case.below(path) is None]
        found.update(_publishable_data.literals(case, outside))
    return frozenset(found)


def _here(case: Case, word: str) -> bool:
    return is_inside(os.path.normpath(word), case.roots.repo or case.repository.top)


def _lines(name: str, source: str) -> list[int]:
    """Return the lines of a source or settings file that spell out a place of this machine."""
    if not _PERSONAL.search(source) and "~" not in source:
        return []
    suffix = filekinds.suffix(name)
    if suffix == ".py":
        return _in_python(source)
    if suffix == ".ipynb":
        return []  # told by cells elsewhere; lines of JSON help nobody
    return [
        number
        for number, line in enumerate(source.splitlines(), 1)
        if _PERSONAL.search(_without_remark(line)) and "://" not in line
    ]


def _without_remark(line: str) -> str:
    return "" if line.lstrip().startswith(("#", "//", ";", "%")) else line


def _in_python(source: str) -> list[int]:
    """Return the lines with such a string; docstrings and remarks say nothing to the program."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    silent = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    silent |= {
        id(part)
        for node in ast.walk(tree)
        for part in (
            [node.right]
            if isinstance(node, ast.BinOp)
            else node.values[1:]
            if isinstance(node, ast.JoinedStr)
            else []
        )
    }  # the end of a place that something else begins
    return sorted(
        {
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
            and (_PERSONAL.match(node.value) or re.match(r"~\w*/\w", node.value))
        }
    )


def of_repository(repository: Repository) -> Iterator[Objection]:
    """Yield secrets in the source and settings that would be published."""
    redact = Redactor()
    found: list[str] = []
    for path in _searched(repository):
        text = repository.text(path)
        most = _MOST_SETTINGS if filekinds.is_config(path) else _MOST_BYTES
        if text is None or len(text) > most or _SEALED.search(text):
            continue
        if redact.holds_secret(text.encode("utf-8", "surrogatepass")):
            found += _places(path, text, redact)
    if found:
        text = "a secret is written in the repository"
        fix = "read it from an environment variable; renew it, for the history of git keeps it"
        yield Objection("secret", BLOCKS, text, tuple(found), fix)


def _searched(repository: Repository) -> list[str]:
    paths = [
        path
        for path in repository.paths
        if filekinds.is_source(path)
        or filekinds.is_config(path)
        or path.rpartition("/")[2].startswith(".env")
    ]
    return [path for path in paths if path.partition("/")[0] not in _EXAMPLES][:_MOST_FILES]


def _places(path: str, text: str, redact: Redactor) -> list[str]:
    """Return the lines in which the redactor finds a secret."""
    if filekinds.suffix(path) == ".ipynb":
        try:
            json.loads(text)
        except ValueError:
            return [path]
    settings = filekinds.is_config(path)
    before, after = text.splitlines(), redact.text(text, settings).splitlines()
    return [
        "%s:%d" % (path, number)
        for number, (old, new) in enumerate(zip(before, after, strict=False), 1)
        if old != new
    ] or [path]
