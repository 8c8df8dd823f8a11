"""Conda prefixes from a list of exact package files, with py-rattler; nothing is solved.

py-rattler is imported here only, when such a prefix is built: it is of the extra ``conda``.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from provenance.core.distributions import file_path
from provenance.errors import SystemRefused, missing_extra

_BUILD_NUMBER = re.compile(r"(\d+)$")
_SUBDIR = re.compile(r"/([a-z0-9]+(?:-[a-z0-9_]+)?)/[^/]+$")
_PREFIXES = ("https://", "http://", "file://")


class Package(NamedTuple):
    """One package file. Digests in hexadecimal, "" where not known."""

    name: str
    version: str
    build: str
    channel: str
    url: str
    md5: str = ""
    sha256: str = ""

    @property
    def folder(self) -> str:
        """Its name in a cache of packages."""
        return "%s-%s-%s" % (self.name, self.version, self.build)


def is_here() -> bool:
    """Return whether conda prefixes can be built: whether py-rattler is installed."""
    return importlib.util.find_spec("rattler") is not None


def install(
    packages: Sequence[Package], folder: str, prefix: str, cache: str, offline: bool = False
) -> None:
    """Fetch ``packages`` and link them into ``folder``, whose name will be ``prefix``.

    cache: folder in which unpacked packages are kept. Raises `SystemRefused` with the package that
    cannot be had, `MissingExtra` without py-rattler.
    """
    if not is_here():
        raise missing_extra("building a conda environment", "conda")
    for one in packages:
        if not one.url.startswith(_PREFIXES) or not _SUBDIR.search(one.url):
            raise SystemRefused("the record does not say where conda's %s came from." % one.name)
        kept = os.path.isdir(os.path.join(cache, one.folder))
        if offline and not kept and not one.url.startswith("file:"):
            text = "conda's %s is not in the cache, and the network is not to be used."
            raise SystemRefused(text % one.folder)
    for one in packages:
        _require_file(one)
    import asyncio  # noqa: PLC0415  # takes long to import

    try:
        asyncio.run(_install(packages, folder, prefix, cache))
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise SystemRefused("conda's packages cannot be had: %s." % _cause(error)) from error
    except Exception as error:  # rattler raises classes of its own, which differ by release
        if type(error).__module__.partition(".")[0] in ("rattler", "builtins", "exceptions"):
            raise SystemRefused("conda's packages cannot be had: %s." % _cause(error)) from error
        raise


def _require_file(one: Package) -> None:
    """Raise `SystemRefused` where a local file is another one now: rattler would take it."""
    path = file_path(one.url)
    if path is None:
        return
    digests = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            while chunk := stream.read(1 << 20):
                for digest in digests:
                    digest.update(chunk)
    except OSError as error:
        text = "conda's packages cannot be had: %s: %s." % (path, error.strerror)
        raise SystemRefused(text) from error
    found = [digest.hexdigest() for digest in digests]
    if (one.md5 and one.md5 != found[0]) or (one.sha256 and one.sha256 != found[1]):
        text = "conda's packages cannot be had: %s is another file than was recorded."
        raise SystemRefused(text % path)


async def _install(packages: Sequence[Package], folder: str, prefix: str, cache: str) -> None:
    rattler: Any = importlib.import_module("rattler")  # its types differ by release
    records = [_record(one, rattler) for one in packages]
    moved = {} if folder == prefix else {"alternative_target_prefix": prefix}
    await rattler.install(records, folder, cache_dir=cache, show_progress=False, **moved)


def _record(one: Package, rattler: Any) -> Any:
    """Return ``one`` as rattler wants it: as if a channel's index had told of it."""
    found = _SUBDIR.search(one.url)
    assert found is not None
    number = _BUILD_NUMBER.search(one.build)
    of_build = _build_string()
    record = rattler.PackageRecord(
        one.name,
        one.version,
        of_build(one.build),
        int(number.group(1)) if number else 0,
        found.group(1),
        md5=bytes.fromhex(one.md5) if one.md5 else None,
        sha256=bytes.fromhex(one.sha256) if one.sha256 else None,
    )
    return rattler.RepoDataRecord(record, one.url.rpartition("/")[2], one.url, one.channel)


def _build_string() -> Any:
    """Return the class of build strings, that of older releases of rattler: plain text."""
    try:
        return importlib.import_module("rattler.package.build_string").BuildString
    except (ImportError, AttributeError):
        return str


def _cause(error: BaseException) -> str:
    """Return the last line of what went wrong, which is the root of it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:200].rstrip(".")
