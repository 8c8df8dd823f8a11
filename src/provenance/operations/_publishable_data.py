"""Objections to the data of a run: whether anybody else can have what it read."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from typing import Any, NamedTuple

from provenance.core.digest import same
from provenance.core.paths import PathRef
from provenance.core.record import Record
from provenance.operations._publishable import (
    ADVICE,
    BLOCKS,
    NOTE,
    Case,
    Objection,
    Repository,
    few,
)
from provenance.operations._publishable_code import is_here
from provenance.specs import find, formats
from provenance.specs.model import Source, Spec
from provenance.store import records

MOST_BYTES = 100 << 20
"""Of one file in a repository on GitHub, which refuses larger ones
(https://docs.github.com/repositories/working-with-files/managing-large-files)."""
_MOST_RUNS = 200
"""Records that are asked whether they made a file, the newest first."""
_CACHES = re.compile(
    r"(?:^|/)(?:\.cache/(?:torch|huggingface|clip|whisper|kagglehub|timm|tfhub_modules)|\.keras|"
    r"\.insightface|nltk_data|\.paddle\w*|\.mxnet|torch_home|hf_home)/(?P<rest>.+)$"
)
_MODEL = re.compile(r"\.(?:pth|pt|safetensors|ckpt|bin|h5|keras|onnx|gguf|msgpack|tflite)$")
_HUB = re.compile(r"(?:models|datasets|spaces)--(?P<name>[^/]+)(?:/snapshots/(?P<rev>[^/]+))?")


class _Known(NamedTuple):
    """What the repository states of data: per path below the top, where; and what DVC lacks."""

    dvc: Mapping[str, str]
    sums: Mapping[str, str]
    dvc_problem: str


def of_run(case: Case) -> Iterator[Objection]:
    """Yield the data that a reader cannot get, and what is only in a cache of this machine."""
    known = _known(case.repository)
    outside: list[tuple[PathRef, dict[str, Any]]] = []
    inside: list[tuple[str, dict[str, Any]]] = []
    for subject in case.run.payloads("data"):
        addresses = _addresses(subject.payload)
        for one in subject.payload.get("files", []):
            if one.get("kind") == "packaged":
                continue
            path = PathRef.from_json(one["path"])
            below = case.below(path)
            if below is not None:
                inside.append((below, one))
            elif str(path) not in addresses and not _CACHES.search(str(path)):
                outside.append((path, one))
        yield from _from_caches(subject.payload)
        yield from _uncertain(subject.payload)
    yield from _outside(case, outside)
    yield from _inside(case, inside, known)


def _addresses(data: dict[str, Any]) -> set[str]:
    """Return the local copies of what came from an address."""
    found = set()
    for one in data.get("remotes", []):
        if one.get("path"):
            try:
                found.add(str(PathRef.from_json(one["path"])))
            except ValueError:
                continue
    return found


def _from_caches(data: dict[str, Any]) -> Iterator[Objection]:
    """Yield models and data that were read from a cache: others must be able to fetch them."""
    told: dict[str, str] = {}
    for one in data.get("remotes", []):
        if one.get("how") == "cached" or str(one.get("url", "")).startswith("hf://"):
            told.setdefault(str(one.get("url")), str(one.get("revision") or ""))
    for one in data.get("files", []):
        path = str(PathRef.from_json(one["path"]))
        found = _CACHES.search(path)
        if found and not _HUB.search(path):
            told.setdefault(found["rest"], "")
        elif found:
            hub = _HUB.search(path)
            assert hub is not None
            name = "hf://%s" % hub["name"].replace("--", "/")
            if not any(url.startswith(name) for url in told):
                told[name] = hub["rev"] or ""
    for name, revision in told.items():
        what = "weights" if _MODEL.search(name) or name.startswith("hf://") else "data"
        at = " at revision %.12s" % revision if revision else ""
        text = "%s read from a cache of this machine: %s%s" % (what, name, at)
        fix = 'name it in the README, with revision="%.12s"' % revision
        if not revision:
            fix = "say in the README where it comes from, and its digest"
        yield Objection("read-from-cache", NOTE if revision else ADVICE, text, (), fix)


def _uncertain(data: dict[str, Any]) -> Iterator[Objection]:
    lost = [
        str(PathRef.from_json(one["path"]))
        for one in data.get("files", [])
        if one.get("state") in ("changed", "overwritten", "missing", "unreadable")
        and not one.get("digests")
    ]
    if lost:
        text = "what the run read is not certain: no digest of %s" % few(lost)
        yield Objection("data-uncertain", ADVICE, text, (), "run it again without touching them")


def _outside(case: Case, found: list[tuple[PathRef, dict[str, Any]]]) -> Iterator[Objection]:
    """Yield data outside of the repository, one objection for each folder."""
    folders: dict[str, list[str]] = {}
    for path, one in found:
        shown = str(path)
        folder = shown if one.get("files") else posixpath.dirname(shown)
        folders.setdefault(folder, []).append(shown)
    for folder, paths in folders.items():
        text = "data that nobody else can reach: %s" % few(paths, 2)
        if len(paths) > 2:
            text = "data that nobody else can reach: %d files in %s" % (len(paths), folder)
        made = _maker(case, next(one for path, one in found if str(path) in paths))
        if made:
            text += " (written by run %s)" % made
        where = literals(case, [*paths, folder])
        fix = "publish it (Zenodo, DVC ...), take its place from an argument, say so in the README"
        yield Objection("data-out-of-reach", BLOCKS, text, where, fix)


def literals(case: Case, paths: list[str]) -> tuple[str, ...]:
    """Return the lines of the used source that spell out one of ``paths``, or else its name."""
    home = os.path.expanduser("~")
    spelt = {path for path in paths if len(path) > 3}
    spelt |= {home + path[1:] for path in spelt if path.startswith("~/")}
    last = {posixpath.basename(path) for path in paths}
    return _spelling(case, spelt) or _spelling(case, {one for one in last if len(one) > 4})


def _spelling(case: Case, spelt: set[str]) -> tuple[str, ...]:
    found = []
    for name in used_files(case):
        text = case.repository.text(name) or ""
        if not any(one in text for one in spelt):
            continue
        found += [
            "%s:%d" % (name, number)
            for number, line in enumerate(text.splitlines(), 1)
            if any(one in line for one in spelt)
        ]
    return tuple(found)


def used_files(case: Case) -> list[str]:
    """Return the source files that the run used, and its settings, below the top."""
    found = []
    for facet, member in (("code", "used"), ("data", "files")):
        for subject in case.run.payloads(facet):
            for one in subject.payload.get(member, []):
                if facet == "data" and one.get("kind") != "config":
                    continue
                below = case.below(PathRef.from_json(one["path"]))
                if below is not None:
                    found.append(below)
    return list(dict.fromkeys(found))


def _inside(
    case: Case, found: list[tuple[str, dict[str, Any]]], known: _Known
) -> Iterator[Objection]:
    """Yield data in the repository that does not travel with it."""
    loose, summed, unpushed, large = [], [], [], []
    for path, one in found:
        size = one.get("size") or 0
        held = path in case.repository.tracked or path in case.repository.folders
        by_dvc = _covered(path, known.dvc)
        if held:
            if size > MOST_BYTES and not one.get("files") and not _is_lfs(case.repository, path):
                large.append(path)
        elif by_dvc:
            if known.dvc_problem:
                unpushed.append(by_dvc)
        elif _maker(case, one):
            run = _maker(case, one)
            text = "%s was written by run %s, which is not published with this one" % (path, run)
            fix = "prov lock %s %s" % (run, case.run.name or case.run.id)
            yield Objection("data-of-another-run", ADVICE, text, (), fix)
        elif _covered(path, known.sums):
            summed.append(path)
        elif case.repository.has_git:
            loose.append((path, size))
    yield from _loose(case, loose)
    if summed:
        text = "a checksum but no source is stated of %s" % few(summed)
        yield Objection("data-no-source", ADVICE, text, (), "say in the README where to get it")
    if unpushed:
        fix = "dvc remote add -d NAME URL; dvc push"
        yield Objection("dvc-not-pushed", BLOCKS, known.dvc_problem, tuple(unpushed), fix)
    if large:
        text = "too large for git hosts (over 100 MiB): %s" % few(large)
        yield Objection("data-too-large", BLOCKS, text, (), "git lfs track, dvc add, or Zenodo")


def _loose(case: Case, loose: list[tuple[str, int]]) -> Iterator[Objection]:
    if not loose:
        return
    paths = [path for path, _ in loose]
    ignored = [path for path in paths if case.repository.ignored(path)]
    what = "git ignores" if len(ignored) == len(paths) else "git does not hold"
    text = "%s data that the run read: %s" % (what, few(paths))
    small = all(size <= MOST_BYTES // 10 for _, size in loose)
    fix = "dvc add and push, or say in the README where to get it, with a checksum"
    if small:
        fix = "git add%s %s, or " % (" -f" if ignored else "", " ".join(paths[:3])) + fix
    yield Objection("data-out-of-reach", BLOCKS, text, literals(case, paths), fix)


def _maker(case: Case, entry: dict[str, Any]) -> str:
    """Return the name of another run here that wrote the file, "" where none is known."""
    if any(_wrote(run, entry) for run in case.others if run.id != case.run.id):
        return ""
    place = case.repository.place
    second = len("YYYYMMDDTHHMMSSZ")
    known = [one for one in records.ids(place) if one[:second] <= case.run.id[:second]]
    for run_id in reversed(known[-_MOST_RUNS:]):
        try:
            run = records.find(place, run_id).record
        except Exception:  # noqa: BLE001 - a damaged record is no answer, and told elsewhere
            continue
        if run.started < case.run.started and _wrote(run, entry):
            return run.name or run.id
    return ""


def _wrote(run: Record, entry: dict[str, Any]) -> bool:
    for subject in run.payloads("outputs"):
        for one in subject.payload.get("files", []):
            if one.get("path") == entry.get("path"):
                return same(one.get("digests") or {}, entry.get("digests") or {}) is not False
    return False


def _is_lfs(repository: Repository, path: str) -> bool:
    return "filter: lfs" in (repository.ask("check-attr", "filter", "--", path) or "")


def _covered(path: str, stated: Mapping[str, str]) -> str:
    """Return where ``path`` or a folder above it is stated, "" where it is not."""
    while path:
        if path in stated:
            return stated[path]
        path = posixpath.dirname(path)
    return ""


def _known(repository: Repository) -> _Known:
    """Return what DVC files and lists of checksums in the repository state."""
    dvc: dict[str, str] = {}
    sums: dict[str, str] = {}
    for one in find.files(repository.paths, depth=9):
        if one.rank != find.DATA:
            continue
        text = repository.text(one.path)
        if text is None:
            continue
        spec: Spec = formats.read(Source(one.path, text.encode("utf-8")))
        into = dvc if one.module == "dvc" else sums
        for fact in spec.facts:
            folder = posixpath.dirname(one.path)
            into.setdefault(posixpath.normpath(posixpath.join(folder, fact.name)), fact.where)
            into.setdefault(posixpath.normpath(fact.name), fact.where)
    return _Known(dvc, sums, _dvc_problem(repository) if dvc else "")


def _dvc_problem(repository: Repository) -> str:
    """Return why others cannot `dvc pull`, as far as DVC's settings tell; "" for no reason."""
    parser = ConfigParser(interpolation=None, strict=False)
    for name in (".dvc/config", ".dvc/config.local"):
        try:
            parser.read_string(repository.text(name) or "")
        except ConfigError:
            return "DVC's settings in %s cannot be read" % name
    urls = {
        section: parser[section].get("url", "")
        for section in parser.sections()
        if section.strip("'\"").startswith("remote")
    }
    if not urls:
        return "DVC has no remote: its data was never pushed"
    if all(is_here(url) or not re.match(r"\w[\w+.-]*:", url) for url in urls.values()):
        return "DVC's only remote is a folder of this machine (%s)" % few(urls.values(), 1)
    public = ConfigParser(interpolation=None, strict=False)
    try:
        public.read_string(repository.text(".dvc/config") or "")
    except ConfigError:
        return ""
    if not any(section.strip("'\"").startswith("remote") for section in public.sections()):
        return "DVC's remote stands only in .dvc/config.local, which git does not hold"
    return ""
