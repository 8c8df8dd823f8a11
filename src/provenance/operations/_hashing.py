"""Digesting for a run: what it reads, while it goes on, and the rest when it has ended.

A few small files are digested right here, by the thread that accompanies the command. Where there
are many, or big ones, a process of low priority does it (`store.ahead`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from provenance.core import digest
from provenance.operations._dvc_asked import Dvc
from provenance.store.digestcache import DigestCache

if TYPE_CHECKING:
    from provenance.core.digest import Digests, Tree
    from provenance.operations._dvc_known import Stated
    from provenance.store.ahead import Ahead

FEW, SMALL = 200, 16 << 20
"""Files, and bytes of one, that are digested without a process of its own: starting that takes as
long as digesting some thousand small files."""


MOST_TWICE = 1 << 30
"""Bytes of a run's files of which MD5 is taken beside BLAKE3: two seconds."""

TOLD_S = 0.5
"""Seconds between two words on how far it is."""


class Trees:
    """Folders of the present, digested by several threads: what `Context.ahead` is asked for."""

    def __init__(self, cache: DigestCache) -> None:
        self._cache = cache

    def tree(self, folder: str, left_out: tuple[str, ...], deadline: float | None) -> Tree:
        """Return the digest of a folder. Raises OSError, TimeoutError."""
        return self._cache.tree(folder, digest.BLAKE3, left_out, deadline)

    def as_read(self, _path: str, _before_ns: int) -> Digests:
        """Return nothing: nobody watched it being read."""
        return {}

    def known(self, _path: str, _size: int) -> Digests:
        """Return nothing: a recorded file is digested as it was recorded."""
        return {}

    def known_tree(self, _folder: str, _left_out: tuple[str, ...]) -> Tree | None:
        """Return nothing, for the same reason."""
        return None

    def tracked(self, _paths: Iterable[str]) -> tuple[Stated, ...]:
        """Return nothing: it is asked of runs only."""
        return ()


def tell(cache: DigestCache, progress: Callable[[str], None] | None) -> DigestCache:
    """Let ``progress`` be told, twice a second, how far the digesting is; return ``cache``."""
    if progress is None:
        return cache
    say, last = progress, [time.monotonic()]

    def watch() -> None:
        now = time.monotonic()
        if now > last[0] + TOLD_S:
            last[0] = now
            done = cache.taken + cache.reused
            say("digesting, %d files and %.1f GB so far" % (done, cache.read / 1e9))

    cache.watch = watch
    return cache


class Hashing:
    """The digests of one run. cache: path of the project's cache. environ: the user's."""

    def __init__(self, cache: str, environ: Mapping[str, str]) -> None:
        self.cache = DigestCache(cache)
        self._dvc = Dvc(environ)
        self._left = MOST_TWICE
        self.marker_ns = 0
        self._ahead: Ahead | None = None
        self._seen = 0
        self._before = 0

    def digest(self, path: str, algorithms: tuple[str, ...]) -> Digests:
        """Return the digests of a file, see `DigestCache.digest`.

        Of one that DVC tracks and does not know as it is, the MD5 comes too where that costs
        little: so it can be compared with a run of which DVC's MD5 is all that is known.
        """
        if algorithms == (digest.BLAKE3,) and self._is_tracked(path):
            algorithms = (digest.BLAKE3, digest.MD5)
        return self.cache.digest(path, algorithms)

    def saw(self, paths: Iterable[str], folders: Iterable[str], stop: Callable[[], bool]) -> None:
        """Digest what the run reads: ``paths``, and all files right in ``folders``."""
        found = [path for path in paths if not self._is_known(path)]
        folders = [one for one in folders if self.known_tree(one, ()) is None]
        self._seen += len(found)
        if self._ahead is None and (self._seen > FEW or folders or any(map(_is_big, found))):
            self._start()
        if self._ahead is None:
            self.cache.prefetch(found, stop=stop)
            return
        self._ahead.files(found)
        for folder in folders:
            self._ahead.folder(folder)

    def flush(self) -> None:
        """Hand on what could not be handed on at once."""
        if self._ahead is not None:
            self._ahead.flush()

    def end(self, deadline: float) -> None:
        """Learn that the command has ended, and until when digesting may go on."""
        self._before = self.cache.taken + self.cache.reused
        self.cache.deadline = deadline

    def expect(self, folder: str) -> None:
        """Begin with the digest of a folder, as it is probably asked for soon."""
        if self._ahead is not None and self.known_tree(folder, ()) is None:
            self._ahead.expect(folder)

    def tree(self, folder: str, left_out: tuple[str, ...], deadline: float | None) -> Tree | None:
        """Return the digest of a folder; None where it is not to be had from the other process.

        Raises TimeoutError.
        """
        return self._ahead.tree(folder, left_out, deadline) if self._ahead is not None else None

    def as_read(self, path: str, before_ns: int) -> Digests:
        """Return the digests of what was read of a file that has changed since; see the cache."""
        return self.cache.as_read(path, before_ns)

    # --- what DVC knows ------------------------------------------------------------------------

    def known(self, path: str, size: int) -> Digests:
        """Return the digests of a file that DVC knows for sure, and ours with it if we know it.

        Empty where DVC does not know, and where asking costs more than reading. Raises OSError.
        """
        if size < DigestCache.ASKED or (dvc := self._dvc.asked(path)) is None:
            return {}
        value = dvc.md5(path)
        if not value:
            return {}
        return {**self.cache.known(path, (digest.best_algorithm(),)), digest.MD5: value}

    def known_tree(self, folder: str, left_out: tuple[str, ...]) -> Tree | None:
        """Return the digest of a folder whose files DVC knows for sure, if these are large."""
        dvc = self._dvc.asked(os.path.join(folder, ""))
        return dvc.tree(folder, left_out) if dvc is not None else None

    def tracked(self, paths: Iterable[str]) -> tuple[Stated, ...]:
        """Return what DVC's files state of ``paths``, each file or folder that it tracks once."""
        inside = [one for one in paths if self._dvc.asked(one) is not None]
        if not inside or (dvc := self._dvc.asked(inside[0])) is None:
            return ()
        return dvc.states(inside, self.cache.digest)

    def _is_tracked(self, path: str | os.DirEntry[str]) -> bool:
        dvc = self._dvc.asked(path) if isinstance(path, str) else None
        if dvc is None or dvc.tracked(os.fspath(path)) is None:
            return False
        size = os.stat(path).st_size
        if not DigestCache.ASKED <= size <= self._left:
            return False
        self._left -= size
        return True

    def _is_known(self, path: str) -> bool:
        """Return whether a file that the run reads need not be read here."""
        if self._dvc.asked(path) is None:
            return False
        try:
            return bool(self.known(path, os.stat(path).st_size))
        except OSError:
            return False

    def done(self) -> int:
        """Return how many files have been digested, or found unchanged, since the command ended."""
        ahead = self._ahead.files_done if self._ahead is not None else 0
        return self.cache.taken + self.cache.reused - self._before + ahead

    def begin_save(self) -> None:
        """Begin to keep what is new, as nothing more will be asked for."""
        self.cache.begin_save()

    def save(self) -> None:
        """Keep what is new for later runs, and end the other process."""
        self.cache.save()
        self.close()

    def close(self) -> None:
        """End the other process."""
        if self._ahead is not None:
            self._ahead.close()

    def _start(self) -> None:
        if digest.best_algorithm() != digest.BLAKE3:
            return
        from provenance.store.ahead import Ahead  # only for runs that read much

        self._ahead = self.cache.ahead = Ahead(self.cache.path, self.marker_ns)


def _is_big(path: str) -> bool:
    try:
        return os.stat(path).st_size > SMALL
    except OSError:
        return False
