"""What is known of a repository that adopts prov: from its lock or last run, its files and git.

Nothing is guessed: what nobody states is empty, and the kit says so where it is needed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from provenance.compare.claims import Claim
from provenance.core.record import Record
from provenance.core.redact import without_credentials
from provenance.environments import wanted
from provenance.errors import NothingToCompare
from provenance.facets._git import Git
from provenance.operations import _claims_locked, references
from provenance.specs import find, formats
from provenance.specs.model import MOST_BYTES, PYTHON, Source, Spec
from provenance.store import lockfile
from provenance.store.project import Project

_MOST_FILES = 20_000
_HEAD = 1 << 16
_LICENCES = (
    (r"\bMIT License\b|Permission is hereby granted, free of charge", "MIT"),
    (r"Apache License\s+Version 2\.0", "Apache-2.0"),
    (r"Neither the name of .{0,200}? may be used to endorse", "BSD-3-Clause"),
    (r"Redistribution and use in source and binary forms", "BSD-2-Clause"),
    (r"Mozilla Public License Version 2\.0", "MPL-2.0"),
)
"""Texts of licences by words that only they have, with their SPDX identifiers. The GPL is not among
them: its text does not say whether later versions are allowed, which the identifier must."""
_RECIPES = frozenset(
    "uv_lock poetry_lock pdm_lock pylock conda_lock pipfile_lock conda_list conda_explicit "
    "environment_yml requirements pyproject setup_cfg setup_py".split()
)
"""Kinds of files from which the kit knows how to install."""


class DataFile(NamedTuple):
    """A file that a run read. path: as people read it. in_git: it comes with the clone."""

    path: str
    size: int
    in_git: bool


class Known(NamedTuple):
    """What the kit is filled from. Everything may be empty but root, name and reference.

    root: the top of the repository. reference: what the values are from, in words; lock: whether
    that is prov.lock. name: of the project; title: of its README. python: the version the
    experiments used, as exact as it is known; python_from: who says so. environment: path of the
    file that states the packages, module: its reader, spec: what it states; rivals: how many files
    of other folders state as much. pins: of the run, for
    where there is no such file. files: of the repository, with "/". data: what the runs read, with
    where it lies. remote: where others can clone from, over HTTPS. branch: checked out. licence: an
    SPDX identifier; licence_file: where it stands. author, email: of git's
    settings. claims: of the paper, as prov.yaml states them.
    """

    root: str
    reference: str
    lock: bool
    name: str
    title: str = ""
    runs: tuple[Record, ...] = ()
    python: str = ""
    python_from: str = ""
    environment: str = ""
    module: str = ""
    spec: Spec | None = None
    rivals: int = 0
    pins: wanted.Wanted | None = None
    files: frozenset[str] = frozenset()
    tracked: frozenset[str] = frozenset()
    data: tuple[DataFile, ...] = ()
    remote: str = ""
    branch: str = ""
    licence: str = ""
    licence_file: str = ""
    author: str = ""
    email: str = ""
    claims: tuple[Claim, ...] = ()

    @property
    def run(self) -> Record | None:
        """The first run of the reference."""
        return self.runs[0] if self.runs else None


def gather(place: Project, cwd: str, environ: Mapping[str, str]) -> Known:
    """Return what is known of the project. Raises `ProvError` for a lock that cannot be read."""
    root = place.repo or place.root
    git = Git(environ, cwd)
    tracked = frozenset(_listed(git, root, "--cached")) if place.repo else frozenset()
    files = tracked | frozenset(
        _listed(git, root, "--others", "--exclude-standard") if place.repo else _walked(root)
    )
    runs, reference, lock = _runs(place, cwd)
    environment, module, spec, rivals = _environment(root, files)
    python, told = _python(runs, spec, _interpreters(root, files))
    licence_file, licence = _licence(root, files)
    return Known(
        root=root,
        reference=reference,
        lock=lock,
        name=_name(root, files),
        title=_title(root, files),
        runs=runs,
        python=python,
        python_from=told,
        environment=environment,
        module=module,
        spec=spec,
        rivals=rivals,
        pins=wanted.of(runs[0]) if runs else None,
        files=files,
        tracked=tracked,
        data=_data(runs, tracked),
        remote=https(_asked(git, root, "remote", "get-url", "origin")) if place.repo else "",
        branch=_asked(git, root, "symbolic-ref", "--short", "HEAD") if place.repo else "",
        licence=licence,
        licence_file=licence_file,
        author=_asked(git, root, "config", "--get", "user.name"),
        email=_asked(git, root, "config", "--get", "user.email"),
        claims=_claims_locked.of_project(place.root),
    )


def _runs(place: Project, cwd: str) -> tuple[tuple[Record, ...], str, bool]:
    if lockfile.above(cwd, place.root) is not None:
        path = lockfile.above(cwd, place.root) or ""
        return lockfile.read(path).runs, lockfile.FILE, True
    try:
        last = references.choose(None, place, cwd)[0].record
    except NothingToCompare:
        return (), "what this repository states", False
    return (last,), 'the run "%s"' % (last.name or last.id), False


def _asked(git: Git, root: str, *words: str) -> str:
    answer = git(root, *words)
    return os.fsdecode(answer.out).strip() if answer.code == 0 else ""


def _listed(git: Git, root: str, *which: str) -> list[str]:
    answer = git(root, "ls-files", "-z", *which)
    return os.fsdecode(answer.out).split("\0")[:_MOST_FILES] if answer.code == 0 else []


def _walked(root: str) -> Iterable[str]:
    found: list[str] = []
    for folder, folders, names in os.walk(root):
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        folders[:] = [one for one in folders if not one.startswith(".") and below.count("/") < 2]
        found += [name if below == "." else "%s/%s" % (below, name) for name in names]
        if len(found) > _MOST_FILES:
            break
    return found


def _text(root: str, path: str, most: int = _HEAD) -> bytes | None:
    """Return the beginning of a file of the repository, None where it is not there."""
    try:
        with open(os.path.join(root, path), "rb") as stream:
            return stream.read(most)
    except OSError:
        return None


def _read(root: str, path: str) -> Spec | None:
    """Return what an environment file states; files beside it are read, none outside."""
    content = _text(root, path, MOST_BYTES + 1)
    if content is None:
        return None
    folder = os.path.dirname(path)

    def sibling(name: str) -> bytes | None:
        beside = os.path.normpath(os.path.join(folder, name))
        inside = not os.path.isabs(beside) and not beside.startswith(os.pardir)
        return _text(root, beside, MOST_BYTES) if inside else None

    return formats.read(Source(path, content, sibling))


def _environment(root: str, files: frozenset[str]) -> tuple[str, str, Spec | None, int]:
    """Return the file to install from: the most exact one that states something.

    With how many other folders have files of the same kind, where it is not at the top.
    """
    read = []
    for one in find.files(files):
        if one.module in _RECIPES and not one.other:
            spec = _read(root, one.path)
            if spec is not None and any(fact.kind != PYTHON for fact in spec.facts):
                read.append((one, spec))
    for one, spec in find.by_content(read):
        folder = os.path.dirname(one.path)
        others = {os.path.dirname(other.path) for other, _ in read if other.rank == one.rank}
        return one.path, one.module, spec, len(others - {folder}) if folder else 0
    return "", "", None, 0


def _interpreters(root: str, files: frozenset[str]) -> list[Spec]:
    """Return what the other environment files state, for those that name a Python."""
    read = [_read(root, one.path) for one in find.files(files) if one.module and not one.other]
    return [spec for spec in read if spec is not None]


def _python(runs: tuple[Record, ...], spec: Spec | None, others: list[Spec]) -> tuple[str, str]:
    """Return the version of Python and who says so; of a range the oldest that it allows."""
    for run in runs:
        for subject in run.payloads("runtime"):
            ran = re.match(r"\d+\.\d+(?:\.\d+)?", str(subject.payload.get("version")))
            if ran:
                return ran[0], "that of the recorded run"
    for one in ([spec] if spec else []) + others:
        for fact in one.facts:
            version = fact.version or fact.specifier
            found = re.search(r"(?<![<!\d.])(?<![<!]=)\b(\d+\.\d+(?:\.\d+)?)", version)
            if fact.kind == PYTHON and found and fact.ecosystem in ("pypi", "conda"):
                oldest = not fact.version and not fact.specifier.startswith("=")
                return found[1], ("the oldest that %s allows" if oldest else "%s") % fact.where
    return "", ""


def _data(runs: tuple[Record, ...], tracked: frozenset[str]) -> tuple[DataFile, ...]:
    found: dict[str, DataFile] = {}
    for run in runs:
        for subject in run.payloads("data"):
            for one in subject.payload.get("files", ()):
                path = one.get("path") or {}
                if one.get("kind") == "packaged" or not isinstance(path.get("path"), str):
                    continue
                text = path["path"] if path.get("root") != "home" else "~/" + path["path"]
                ours = path.get("root") in ("repo", "cwd")
                held = ours and (
                    text in tracked or any(name.startswith(text + "/") for name in tracked)
                )
                found.setdefault(text, DataFile(text, one.get("size") or 0, held))
    return tuple(found.values())


def _name(root: str, files: frozenset[str]) -> str:
    content = _text(root, "pyproject.toml") if "pyproject.toml" in files else None
    match = re.search(
        rb"^\[project\][^\[]*?^name\s*=\s*[\"']([\w.-]+)[\"']", content or b"", re.MULTILINE
    )
    return match[1].decode() if match else os.path.basename(os.path.realpath(root)) or "project"


def readme(files: Iterable[str]) -> str:
    """Return the path of the README, one in Markdown if there is; "" where there is none."""
    found = [one for one in files if re.fullmatch(r"readme(\.\w+)?", one, re.IGNORECASE)]
    return min(found, key=lambda one: (not one.lower().endswith(".md"), one), default="")


def _title(root: str, files: frozenset[str]) -> str:
    content = _text(root, readme(files)) if readme(files) else None
    match = re.search(r"^# +(.+?)\s*#*$", (content or b"").decode("utf-8", "replace"), re.MULTILINE)
    return re.sub(r"[*_`]|\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).strip() if match else ""


def _licence(root: str, files: frozenset[str]) -> tuple[str, str]:
    for path in sorted(files):
        if re.fullmatch(r"(licen[sc]e|copying)(\.\w+)?", path, re.IGNORECASE):
            text = re.sub(r"\s+", " ", (_text(root, path) or b"").decode("utf-8", "replace"))
            for pattern, identifier in _LICENCES:
                if re.search(pattern, text):
                    return path, identifier
            return path, ""
    return "", ""


def https(url: str) -> str:
    """Return where others can clone a remote from, over HTTPS; "" for a place of this machine."""
    clean = without_credentials(url)
    match = re.fullmatch(r"(?:ssh://)?(?:[\w.-]+@)?([\w.-]+\.[a-z]{2,})[:/](?!/)(.+)", clean)
    if match:
        clean = "https://%s/%s" % (match[1], match[2].lstrip("/"))
    elif not clean.startswith("https://"):
        return ""
    return re.sub(r"(\.git)?/*$", "", clean)
