"""Whether DVC is to be asked about files; costs nothing where none of them is in its hands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from provenance.store.digestcache import DigestCache

if TYPE_CHECKING:
    from provenance.operations._dvc_known import Known


class Dvc:
    """Loads what knows DVC's files when the first file in a DVC repository is met.

    environ: the user's.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: Known | None = None
        self._inside: dict[str, bool] = {}

    def asked(self, path: str) -> Known | None:
        """Return whom to ask about ``path``, None where no DVC repository is around it."""
        if not self._is_inside(path[: path.rfind(os.sep)]):
            return None
        if self._known is None:
            from provenance.operations._dvc_known import Known  # only for runs in such repositories

            self._known = Known(self._environ)
        return self._known

    def md5(self, path: str, status: os.stat_result) -> str:
        """Return the MD5 that DVC knows of a file as it is now, "" for none."""
        known = self.asked(path)
        return known.md5(path, status) if known is not None else ""

    def _is_inside(self, folder: str) -> bool:
        known = self._inside.get(folder)
        if known is None:
            above = os.path.dirname(folder)
            here = os.path.isfile(os.path.join(folder, ".dvc", "config"))
            known = here or (above != folder and self._is_inside(above))
            self._inside[folder] = known
        return known


def with_dvc(cache: DigestCache, environ: Mapping[str, str]) -> DigestCache:
    """Let ``cache`` take the MD5 of large files from DVC where it knows them; return ``cache``."""
    cache.told = Dvc(environ).md5
    return cache
