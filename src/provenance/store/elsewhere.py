"""Objects that are named by URL: what their server says of them today, and fetching one.

``http://``, ``https://`` and ``hf://`` need nothing but the standard library; every other protocol
(``s3://``, ``gs://``, ``az://`` ...) goes through fsspec, which needs the package of that protocol.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

from provenance.store import web
from provenance.store.web import Refused, Told

_CHUNK = 4 << 20
_LOCAL = ("file", "local", "memory", "")


def ask(url: str, revision: str = "", limit_s: float = 10.0) -> Told:
    """Return what the server says of the object today; never raises."""
    if url.startswith((*web.WEB, web.HUB)):
        return web.ask(url, revision, limit_s)
    try:
        system, path = _system(url)
        return _told(system.info(path))
    except Refused as error:
        return Told(problem=str(error))
    except FileNotFoundError:
        return Told(status=404, problem="it is not there")
    except Exception as error:  # noqa: BLE001  # whatever a client of some cloud raises
        return Told(problem=_problem(error))


def _problem(error: Exception) -> str:
    text = str(error).partition("\n")[0]
    return "%s: %.200s" % (type(error).__name__, text) if text else type(error).__name__


def _system(url: str) -> tuple[Any, str]:
    """Return the file system of ``url`` and the path in it. Raises `Refused`."""
    protocol = url.partition("://")[0]
    if protocol in _LOCAL:
        raise Refused("it names a file of this machine")
    try:
        fsspec: Any = importlib.import_module("fsspec")
    except ImportError as error:
        raise Refused("%s:// needs fsspec, which is not installed with prov" % protocol) from error
    try:
        system, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        raise Refused("%s:// needs a package: %s" % (protocol, error)) from error
    except ValueError as error:
        raise Refused("%s:// is not known to fsspec" % protocol) from error
    return system, str(path)


def _told(info: dict[str, Any]) -> Told:
    """Return what fsspec says: the clouds' own names differ."""

    def first(*names: str) -> str:
        return next((str(info[name]) for name in names if info.get(name)), "")

    size = info.get("size")
    version = first("VersionId", "version_id", "generation")
    return Told(
        web.plain_tag(first("ETag", "etag", "md5Hash")),
        "" if version == "null" else version,
        first("LastModified", "last_modified", "updated", "mtime"),
        size if type(size) is int else None,
    )


def fetch(url: str, target: str, revision: str, watch: Callable[[int], None]) -> None:
    """Write the object to ``target``, which appears only once it is whole.

    What an earlier call left unfinished in ``target + ".part"`` is gone on with where the server
    still has the same object. watch: told how many bytes came. Raises `Refused`, OSError.
    """
    part = target + ".part"
    tag = _tag(part)
    if url.startswith((*web.WEB, web.HUB)):
        web.fetch(url, part, revision, tag, watch)
    else:
        _from_system(url, part, tag, watch)
    os.replace(part, target)
    if os.path.exists(part + ".etag"):
        os.unlink(part + ".etag")


def _tag(part: str) -> str:
    try:
        with open(part + ".etag", encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        return ""


def _from_system(url: str, part: str, tag: str, watch: Callable[[int], None]) -> None:
    system, path = _system(url)
    try:
        told = _told(system.info(path))
        have = os.path.getsize(part) if tag and tag == told.etag and os.path.exists(part) else 0
        with open(part + ".etag", "w", encoding="utf-8") as note:
            note.write(told.etag)
        with system.open(path, "rb") as source, open(part, "r+b" if have else "wb") as stream:
            if have:
                source.seek(have)
                stream.seek(have)
                watch(have)
            while chunk := source.read(_CHUNK):
                stream.write(chunk)
                watch(len(chunk))
    except FileNotFoundError as error:
        raise Refused("it is not there", 404) from error
    except OSError:
        raise
    except Exception as error:  # whatever a client of some cloud raises
        raise Refused(_problem(error)) from error
