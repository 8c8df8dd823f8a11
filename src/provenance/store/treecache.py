"""The digest of a folder, with what the digest cache knows of it and of the files in it."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from provenance.core.digest import TREE, Tree
from provenance.store import treedigest, treestamp
from provenance.store._digesttable import key_of

if TYPE_CHECKING:
    from provenance.store.digestcache import DigestCache


def tree(
    cache: DigestCache,
    folder: str,
    algorithm: str,
    left_out: frozenset[str],
    late: float | None = None,
) -> Tree:
    """Return the digest of all files below ``folder``, see `DigestCache.tree`."""
    found = _known(cache, folder, algorithm, left_out)
    if found is not None:
        return found
    began, stamper = time.time_ns(), treestamp.Stamper()
    made = treedigest.tree(folder, algorithm, _Source(cache, algorithm, late), left_out, stamper)
    # What a file was when it was listed, it never is again once it has been changed since.
    if (stamp := stamper.stamp()).settled(began):
        value = bytes.fromhex(made.digests[algorithm + TREE])
        cache.keep([(key_of(stamp.identity, algorithm + TREE), value)], algorithm + TREE)
    return made


def _known(
    cache: DigestCache, folder: str, algorithm: str, left_out: frozenset[str]
) -> Tree | None:
    """Return the digest of ``folder`` if it is known as it is now.

    Of a folder that is known its first files are known too, and of one that is new they are not,
    which spares it a walk.
    """
    if not cache.knows_any():
        return None
    parts = treestamp.portions(folder, left_out)
    first = next(parts, None)
    if first is None:
        return None
    files = [one for at, one in enumerate(first.identities) if at not in first.targets]
    if None in cache.find([key_of(one, algorithm) for one in files], algorithm):
        return None
    now = treestamp.stamp(itertools.chain((first,), parts))
    name = algorithm + TREE
    value = cache.find([key_of(now.identity, name)], name)[0]
    if value is None:
        return None
    cache.reused += now.files
    return Tree({name: value.hex()}, now.files, now.size)


class _Source:
    """The cache as `treedigest.tree` asks it. late: monotonic time, beside the cache's own."""

    def __init__(self, cache: DigestCache, algorithm: str, late: float | None) -> None:
        self._cache, self._algorithm, self._late = cache, algorithm, late

    def known(self, keys: Sequence[bytes]) -> list[bytes | None]:
        found = self._cache.find(keys, self._algorithm)
        self._cache.reused += len(found) - found.count(None)
        return found

    def keep(self, found: Sequence[tuple[bytes, bytes]]) -> None:
        self._cache.keep(found, self._algorithm)

    def take(self, entry: os.DirEntry[str]) -> bytes:
        self.did(0, 0)
        return bytes.fromhex(self._cache.take(entry, self._algorithm, self._stop))

    def did(self, files: int, size: int) -> None:
        self._cache.taken += files
        self._cache.read += size
        if self._stop():
            raise TimeoutError("the time for digesting was over")

    def _stop(self) -> bool:
        late = self._late is not None and time.monotonic() > self._late
        return self._cache.late() or late
