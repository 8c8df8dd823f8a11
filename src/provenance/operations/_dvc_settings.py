"""The settings of a DVC repository, read without DVC: where its cache, state and remotes are.

DVC reads those of the system, the user, the repository and the clone, later ones first
(https://dvc.org/doc/command-reference/config). Its files have the form that `configparser` reads,
with sections such as ``['remote "storage"']``.
"""

from __future__ import annotations

import configparser
import getpass
import hashlib
import os
import re
import sys
from collections.abc import Mapping
from typing import NamedTuple

from provenance.core.redact import without_credentials

FOLDER = ".dvc"
_MOST = 1 << 20
_REMOTE = re.compile(r"""^'?remote\s+"(?P<name>[^"]+)"'?$""")
_MAJOR, _SALT = 3, 0
"""Of DVC, and of its naming of the state's folder; other ones name another folder, which then is
not found."""
_SITE = "/Library/Caches/dvc" if sys.platform == "darwin" else "/var/tmp/dvc"  # noqa: S108  # DVC's


class DvcSettings(NamedTuple):
    """root: of the repository. caches: folders that may hold blobs, the one that is set first.

    remotes: addresses by name, without credentials. default: name of the remote that is used where
    none is said, "" for none. state: the folder of what DVC knows of files, "" where there is none.
    """

    root: str
    caches: tuple[str, ...] = ()
    remotes: Mapping[str, str] = {}
    default: str = ""
    state: str = ""


def is_repository(folder: str) -> bool:
    """Return whether DVC was initialised in ``folder``."""
    return os.path.isfile(os.path.join(folder, FOLDER, "config"))


def read(root: str, environ: Mapping[str, str]) -> DvcSettings:
    """Return the settings of the DVC repository at ``root``; what cannot be read says nothing."""
    own = os.path.join(root, FOLDER)
    values: dict[str, dict[str, str]] = {}
    for folder, name in (*_shared(environ), (own, "config"), (own, "config.local")):
        for section, options in _sections(os.path.join(folder, name)).items():
            kept = values.setdefault(section, {})
            kept.update(options)
            for option in ("url", "dir"):  # relative ones are so to the file that has them
                if option in options and "://" not in options[option]:
                    place = os.path.expanduser(options[option])
                    kept[option] = os.path.normpath(os.path.join(folder, place))
    remotes = {}
    for section, options in values.items():
        match = _REMOTE.match(section)
        if match and options.get("url"):
            remotes[match["name"].lower()] = options["url"]
    cache = values.get("cache", {}).get("dir", "")
    usual = os.path.join(own, "cache")
    core = values.get("core", {})
    return DvcSettings(
        root,
        tuple(os.path.realpath(one) for one in dict.fromkeys((cache or usual, usual))),
        {name: without_credentials(_joined(url, remotes)) for name, url in remotes.items()},
        core.get("remote", "").lower(),
        _state(root, environ.get("DVC_SITE_CACHE_DIR") or core.get("site_cache_dir", "")),
    )


def _shared(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the settings of the system and of the user, as platformdirs names their folders."""
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        system, user = "/Library/Application Support", os.path.join(
            home, "Library", "Application Support"
        )  # fmt: skip
    else:
        system = environ.get("XDG_CONFIG_DIRS", "").partition(os.pathsep)[0] or "/etc/xdg"
        user = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return [
        (environ.get("DVC_SYSTEM_CONFIG_DIR") or os.path.join(system, "dvc"), "config"),
        (environ.get("DVC_GLOBAL_CONFIG_DIR") or os.path.join(user, "dvc"), "config"),
    ]


def _sections(path: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        with open(path, "rb") as stream:
            parser.read_string(stream.read(_MOST).decode("utf-8", "replace"))
    except (OSError, configparser.Error):
        return {}
    return {
        name: {key: value.strip().strip("'\"") for key, value in parser[name].items()}
        for name in parser.sections()
    }


def _joined(url: str, remotes: Mapping[str, str]) -> str:
    """Return ``remote://name/path`` as an address below that of the other remote."""
    scheme, mark, rest = url.partition("://")
    name, slash, below = rest.partition("/")
    if not mark or scheme != "remote" or name.lower() not in remotes:
        return url
    return remotes[name.lower()].rstrip("/") + slash + below


def _state(root: str, named: str) -> str:
    """Return the folder in which DVC keeps what it knows of this repository's files.

    The name of it is made of what `Repo.site_cache_dir` in ``dvc/repo/__init__.py`` (DVC 3) makes
    it of. It lies where anybody may write, so that only one of our own counts.
    """
    try:
        born = os.path.getmtime(os.path.join(root, FOLDER, "tmp", "btime"))
        words = (root, None, born, getpass.getuser(), _MAJOR, _SALT)
    except (OSError, KeyError, ImportError):
        return ""
    name = hashlib.md5(str(words).encode(), usedforsecurity=False).hexdigest()
    folder = os.path.join(named or _SITE, "repo", name)
    try:
        status = os.lstat(folder)
    except OSError:
        return ""
    owned = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return folder if owned and not status.st_mode & 0o002 else ""
