"""Places that blobs and records are pushed to: a folder here, or what DVC can reach.

A remote has the layout of a store (`store.objects`), so that DVC can use it too, and beside the
blobs ``prov/runs/<id>.json`` for each run: which blobs the files of its record are. That file is
written last: a run is there when all of its record is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Protocol

from provenance.core import runid
from provenance.store import files, objects
from provenance.store.objects import Identity, Store

RUNS = ("prov", "runs")
ENDING = ".json"
MOST = 64 << 20
"""Bytes of a run's file at a remote; a bigger one is none of ours."""


class Remote(Protocol):
    """shown: the address, without credentials. jobs: transfers that go well at once.

    All raise OSError where the place does not answer or refuses.
    """

    shown: str
    jobs: int

    def present(self, sizes: Mapping[str, int]) -> set[str]:
        """Return which of these blobs are there with their size; -1 stands for any."""
        ...

    def upload(self, source: str, oid: str, known: Identity | None) -> None:
        """Put the file ``source`` there; ``known`` as for `Store.put`. Raises `Damaged` too."""
        ...

    def download(self, oid: str, target: str) -> None:
        """Write a blob, unverified, to the path ``target``."""
        ...

    def runs(self) -> list[str]:
        """Return the ids of the runs that are there."""
        ...

    def read_run(self, run_id: str) -> bytes | None:
        """Return the file of a run, None where there is none."""
        ...

    def write_run(self, run_id: str, data: bytes) -> None:
        """Write the file of a run, whole or not at all."""
        ...


class FolderRemote:
    """A folder on this machine, or on a file system that is mounted here."""

    def __init__(self, folder: str, group: bool = False) -> None:
        self.shown = folder
        self.jobs = 16
        self._store = Store(folder, group)
        self._swept = False

    def present(self, sizes: Mapping[str, int]) -> set[str]:
        """Return which of these blobs are there with their size."""
        return {o for o, size in sizes.items() if self._store.has(o, None if size < 0 else size)}

    def upload(self, source: str, oid: str, known: Identity | None) -> None:
        """Copy a file there."""
        if not self._swept:
            self._swept = True
            self._store.sweep()
        self._store.put(source, oid, known, again=True)

    def download(self, oid: str, target: str) -> None:
        """Copy a blob to ``target``."""
        from provenance.store import _copying

        source = os.open(self._store.path(oid), os.O_RDONLY | os.O_CLOEXEC)
        try:
            copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                _copying.copy(source, copy)
            finally:
                os.close(copy)
        finally:
            os.close(source)

    def runs(self) -> list[str]:
        """Return the ids of the runs that are there."""
        folder = os.path.join(self._store.top, *RUNS)
        try:
            return ids(os.listdir(folder))
        except FileNotFoundError:
            if not os.path.isdir(self._store.top):
                text = "there is no such folder"
                raise FileNotFoundError(2, text, self._store.top) from None
            return []

    def read_run(self, run_id: str) -> bytes | None:
        """Return the file of a run."""
        path = self._run(run_id)
        if not os.path.isfile(path):  # a pipe would be waited for
            return None
        with open(path, "rb") as stream:
            return stream.read(MOST)

    def write_run(self, run_id: str, data: bytes) -> None:
        """Write the file of a run."""
        path = self._run(run_id)
        files.make_folder(os.path.dirname(path))
        files.write_atomic(path, data)

    def _run(self, run_id: str) -> str:
        return os.path.join(self._store.top, *RUNS, run_id + ENDING)


def ids(names: Iterable[str]) -> list[str]:
    """Return the run ids among the names of files of runs, oldest first."""
    found = (name.removesuffix(ENDING) for name in names if name.endswith(ENDING))
    return sorted(one for one in found if runid.is_id(one))


def is_folder(address: str) -> bool:
    """Return whether an address means a folder here."""
    return "://" not in address or address.startswith("file://")


def folder_of(address: str, start: str) -> str:
    """Return the absolute path of an address that means a folder; relative to ``start``."""
    path = address.removeprefix("file://")
    return os.path.normpath(os.path.join(start, os.path.expanduser(path)))


def below(oid: str) -> str:
    """Return the path of a blob below the top of a remote, with "/"."""
    return "/".join(objects.relative(oid))
