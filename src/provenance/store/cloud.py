"""Remotes that are reached through DVC's file systems: ssh, S3, GCS, Azure, HDFS, WebDAV ...

Only what `store.remotes.Remote` names is used of DVC, of releases 3.50 and later. It brings the
credentials too: from its own settings, the environment, the SSH agent. None is kept here.
"""

from __future__ import annotations

import binascii
import os
import threading
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from provenance.core.urls import public
from provenance.errors import Damaged, SystemRefused, missing_extra
from provenance.store.objects import BELOW, Identity, identity
from provenance.store.remotes import ENDING, RUNS, below, ids

_LISTED = 4
"""Blobs of one folder from which it is cheaper to list it than to ask for each."""


class DvcSettings(NamedTuple):
    """What a repository's DVC is set to. remotes: name to options. raw: for DVC itself."""

    cache: str
    group: bool
    default: str
    remotes: Mapping[str, Mapping[str, Any]]
    raw: Any


def settings(folder: str) -> DvcSettings:
    """Return the settings of the DVC repository whose ``.dvc`` is ``folder``.

    Those of the system, the user and the clone are among them, as DVC has it. Raises `MissingExtra`
    where DVC is not installed, `SystemRefused` where it cannot read them.
    """
    try:
        from dvc.config import Config
        from dvc.exceptions import DvcException
    except ImportError as error:
        raise missing_extra("using the remotes of this DVC repository", "dvc") from error
    try:
        found = Config(dvc_dir=folder)
    except (DvcException, OSError, ValueError) as error:
        text = "DVC cannot read its settings in %s: %s." % (folder, str(error).rstrip("."))
        raise SystemRefused(text) from error
    cache = found.get("cache", {})
    return DvcSettings(
        cache.get("dir") or os.path.join(folder, "cache"),
        cache.get("shared") == "group",
        found.get("core", {}).get("remote") or "",
        found.get("remote", {}),
        found,
    )


class CloudRemote:
    """A remote behind one of DVC's file systems."""

    def __init__(self, options: Mapping[str, Any], raw: Any = None, name: str = "") -> None:
        """Make ready to reach it; ``name``: of DVC's settings ``raw``, else ``options`` with url.

        Raises `MissingExtra`, `SystemRefused`.
        """
        self.shown = public(str(options["url"]))
        scheme = self.shown.partition("://")[0]
        try:
            from dvc.fs import get_cloud_fs
            from dvc_objects.fs.base import ObjectFileSystem
            from dvc_objects.fs.errors import RemoteMissingDepsError
        except ImportError as error:
            raise missing_extra("reaching %s" % self.shown, "dvc") from error
        words = {"name": name} if name else dict(options)
        try:
            kind, arguments, self._top = get_cloud_fs(raw or {}, **words)
            self._fs = kind(**arguments)
            _ = self._fs.fs
        except (RemoteMissingDepsError, ImportError) as error:
            raise SystemRefused(
                "DVC has no %s:// installed here." % scheme, "pip install 'dvc[%s]'" % scheme
            ) from error
        except Exception as error:  # the many libraries below DVC raise what they like
            text = "%s cannot be reached: %s." % (self.shown, explained(error).rstrip("."))
            raise SystemRefused(text) from error
        self._whole = isinstance(self._fs, ObjectFileSystem)
        self.jobs = max(1, min(int(getattr(self._fs, "jobs", 8) or 8), 16))
        self._made: set[str] = set()
        self._lock = threading.Lock()

    def present(self, sizes: Mapping[str, int]) -> set[str]:
        """Return which of these blobs are there with their size."""
        folders: dict[str, list[str]] = defaultdict(list)
        for oid in sizes:
            folders[oid[:2]].append(oid)

        def look(pair: tuple[str, list[str]]) -> dict[str, int]:
            start, oids = pair
            if len(oids) > _LISTED:
                return self._listed(start)
            return {oid: n for oid in oids if (n := self._size(self._path(below(oid)))) is not None}

        found: dict[str, int] = {}
        with ThreadPoolExecutor(self.jobs) as pool:
            for one in pool.map(look, folders.items()):
                found.update(one)
        return {oid for oid, size in sizes.items() if oid in found and size in (-1, found[oid])}

    def upload(self, source: str, oid: str, known: Identity | None) -> None:
        """Put a file there; where a broken upload would show, under another name first."""
        if known is not None and identity(os.stat(source)) != known:
            raise Damaged("%s changed before it was sent." % source)
        target = self._path(below(oid))
        self._put(source, target)
        if known is not None and identity(os.stat(source)) != known:
            self._fs.rm_file(target)
            raise Damaged("%s changed while it was sent." % source)

    def download(self, oid: str, target: str) -> None:
        """Write a blob to ``target``."""
        with _system():
            self._fs.get_file(self._path(below(oid)), target)

    def runs(self) -> list[str]:
        """Return the ids of the runs that are there."""
        with _system():
            try:
                names = self._fs.ls(self._path("/".join(RUNS)), detail=False)
            except FileNotFoundError:
                return []
        return ids(str(name).rstrip("/").rpartition("/")[2] for name in names)

    def read_run(self, run_id: str) -> bytes | None:
        """Return the file of a run."""
        with _system():
            try:
                return bytes(self._fs.cat_file(self._run(run_id)))
            except FileNotFoundError:
                return None

    def write_run(self, run_id: str, data: bytes) -> None:
        """Write the file of a run."""
        target = self._run(run_id)
        with _system():
            if self._whole:
                self._fs.pipe_file(target, data)
                return
            self._folder(target)
            temporary = self._temporary(target)
            self._fs.pipe_file(temporary, data)
            self._fs.mv(temporary, target)

    def _put(self, source: str, target: str) -> None:
        with _system():
            if self._whole:
                self._fs.put_file(source, target)
                return
            self._folder(target)
            temporary = self._temporary(target)
            try:
                self._fs.put_file(source, temporary)
                self._fs.mv(temporary, target)
            except Exception:
                self._forget(temporary)
                raise

    def _forget(self, path: str) -> None:
        try:
            self._fs.rm_file(path)
        except Exception:  # noqa: BLE001  # the first failure is told, not this one
            return

    def _folder(self, target: str) -> None:
        folder = target.rpartition("/")[0]
        with self._lock:
            if folder in self._made:
                return
        self._fs.makedirs(folder, exist_ok=True)
        with self._lock:
            self._made.add(folder)

    def _listed(self, start: str) -> dict[str, int]:
        with _system():
            try:
                rows = self._fs.ls(self._path("/".join((*BELOW, start))), detail=True)
            except FileNotFoundError:
                return {}
        return {
            start + str(row["name"]).rpartition("/")[2]: int(row.get("size") or 0) for row in rows
        }

    def _size(self, path: str) -> int | None:
        with _system():
            try:
                return int(self._fs.info(path).get("size") or 0)
            except FileNotFoundError:
                return None

    def _path(self, inner: str) -> str:
        return "%s/%s" % (self._top.rstrip("/"), inner)

    def _run(self, run_id: str) -> str:
        return self._path("/".join((*RUNS, run_id + ENDING)))

    @staticmethod
    def _temporary(target: str) -> str:
        return "%s.%s.tmp" % (target, binascii.hexlify(os.urandom(6)).decode("ascii"))


class _system:  # noqa: N801  # used as a statement
    """Lets only OSError out: the libraries below DVC raise what they like."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, OSError):
            raise OSError(explained(error)) from error


def explained(error: BaseException) -> str:
    """Return what an exception says, in one line and without credentials."""
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return " ".join(public(word) if "://" in word else word for word in text.split())
