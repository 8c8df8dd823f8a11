"""The digest of a folder, with what the digest cache knows of it and of the files in it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from provenance.core.digest import TREE, Tree
from provenance.store import treedigest, treestamp
from provenance.store._digesttable import key_of
from provenance.store.treedigest import Source

if TYPE_CHECKING:
    from provenance.store.digestcache import DigestCache


def tree(folder: str, algorithm: str, source: Source, left_out: frozenset[str]) -> Tree:
    """Return the digest of all files below ``folder``, all at once where it is known as it is.

    Raises OSError, and TimeoutError where ``source`` does.
    """
    name = algorithm + TREE
    if _may_be_known(folder, algorithm, source, left_out):
        now = treestamp.stamp(treestamp.portions(folder, left_out))
        value = source.find([key_of(now.identity, name)])[0]
        if value is not None:
            return Tree({name: value.hex()}, now.files, now.size)
    began, stamper = time.time_ns(), treestamp.Stamper()
    made = treedigest.tree(folder, algorithm, source, left_out, stamper)
    # What a file was when it was listed, it never is again once it has been changed since.
    if (stamp := stamper.stamp()).settled(began):
        source.keep([(key_of(stamp.identity, name), bytes.fromhex(made.digests[name]))])
    return made


def _may_be_known(folder: str, algorithm: str, source: Source, left_out: frozenset[str]) -> bool:
    """Return whether it is worth a walk to look: of what is known the first files are known too."""
    for first in treestamp.portions(folder, left_out):
        files = [one for at, one in enumerate(first.identities) if at not in first.targets]
        return None not in source.find([key_of(one, algorithm) for one in files])
    return False


class OfCache:
    """The cache as `tree` asks it. late: monotonic time, beside the cache's own."""

    def __init__(self, cache: DigestCache, algorithm: str, late: float | None) -> None:
        self._cache, self._algorithm, self._late = cache, algorithm, late

    def find(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `treedigest.Source`."""
        return self._cache.find(keys, self._algorithm)

    def known(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See `treedigest.Source`."""
        found = self.find(keys)
        self._cache.reused += len(found) - found.count(None)
        return found

    def keep(self, found: Sequence[tuple[bytes, bytes]]) -> None:
        """See `treedigest.Source`."""
        self._cache.keep(found, self._algorithm)

    def take(self, entry: os.DirEntry[str]) -> bytes:
        """See `treedigest.Source`."""
        self.did(0, 0)
        return bytes.fromhex(self._cache.take(entry, self._algorithm, self._stop))

    def did(self, files: int, size: int) -> None:
        """See `treedigest.Source`."""
        self._cache.taken += files
        self._cache.read += size
        if self._stop():
            raise TimeoutError("the time for digesting was over")

    def _stop(self) -> bool:
        late = self._late is not None and time.monotonic() > self._late
        return self._cache.late() or late
