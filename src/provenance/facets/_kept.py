"""Which files that git does not know are kept with a run: code and settings, never secrets."""

from __future__ import annotations

import os
from typing import Iterator, List, Optional, Tuple

from provenance.core import filekinds

LARGEST, LARGEST_TOTAL = 1 << 20, 10 << 20
"""Bytes of one file and of all together: code is small, and records are many."""

_MORE_NAMES = frozenset(
    "Pipfile .python-version .gitattributes .gitmodules MANIFEST.in Containerfile".split()
)
_MORE_STARTS = ("requirements", "constraints")
_MORE_ENDS = (".lock", ".dvc", ".j2", ".jinja", ".jinja2", ".proto", ".def")
"""Names beyond the suffixes of source and configuration that it takes to run code again."""
_SECRET_NAMES = frozenset(
    ".env .envrc .netrc _netrc .npmrc .pypirc .pgpass .git-credentials .htpasswd kaggle.json "
    "token.json config.local .s3cfg .boto .vault-token".split()
)
_SECRET_STARTS = (".env.", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "credentials", "secrets.",
                  "client_secret", "service-account", "service_account")  # fmt: skip
_SECRET_ENDS = (".env", ".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ovpn",
                ".ppk", "credentials.json")  # fmt: skip
_SECRET_FOLDERS = frozenset(".ssh .aws .gnupg .azure .kube .docker .gcloud".split())
_MOST_VISITED = 20000
"""Files looked at in a project without git; beyond, it is a home or data folder."""


def is_secret_file(path: str) -> bool:
    """Return whether a file of this name is likely to hold credentials: never kept, in any form."""
    *folders, name = path.split("/")
    low = name.lower()
    if not _SECRET_FOLDERS.isdisjoint(folders):
        return True
    return low in _SECRET_NAMES or low.startswith(_SECRET_STARTS) or low.endswith(_SECRET_ENDS)


def is_kept(path: str) -> bool:
    """Return whether a file of this name is code or a setting by rule."""
    name = path.rpartition("/")[2]
    if filekinds.is_source(path) or filekinds.is_config(path):
        return True
    listed = name.startswith(_MORE_STARTS) and name.endswith((".txt", ".in"))
    return listed or name in _MORE_NAMES or name.endswith(_MORE_ENDS)


def environments(paths: Tuple[str, ...]) -> Tuple[str, ...]:
    """Return the folders (with a slash) among ``paths`` that are virtual or conda environments."""
    found = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if name == "pyvenv.cfg":
            found.append(folder + "/")
        elif path.endswith("conda-meta/history"):
            found.append(path[: -len("conda-meta/history")])
    return tuple(prefix for prefix in found if prefix != "/")


def candidates(paths: Tuple[str, ...]) -> List[str]:
    """Return those of ``paths`` that the rule looks at: source first, then settings and links.

    Left out: environments, caches, other repositories (git gives those with a final slash).
    """
    outside = environments(paths)
    found = []
    for path in paths:
        if path.endswith("/") or (outside and path.startswith(outside)):
            continue
        if filekinds.IGNORED_FOLDERS.isdisjoint(path.split("/")):
            found.append(path)
    found.sort()
    found.sort(key=lambda path: not filekinds.is_source(path))  # no pairs: there may be a million
    return found


def link_inside(top: str, path: str) -> Optional[str]:
    """Return the target of the link ``path`` below ``top``, None where it would lead out of it."""
    target = os.readlink(os.path.join(top, path))
    if os.path.isabs(target):
        return None
    below = os.path.normpath(os.path.join(os.path.dirname(path), target))
    return None if below.split(os.sep)[0] == os.pardir else target


def walk(top: str) -> Tuple[Tuple[str, ...], bool]:
    """Return the files below ``top``, and whether these are all.

    Environments, caches and other repositories are not entered.
    """
    found: List[str] = []
    for prefix, entry in _entries(top):
        found.append(prefix + entry)
        if len(found) > _MOST_VISITED:
            return tuple(found), False
    return tuple(found), True


def _entries(top: str) -> Iterator[Tuple[str, str]]:
    stack = [""]
    while stack:
        prefix = stack.pop()
        try:
            with os.scandir(os.path.join(top, prefix)) as entries:
                listed = list(entries)
        except OSError:
            continue
        names = {entry.name for entry in listed}
        if prefix and not names.isdisjoint(("pyvenv.cfg", "conda-meta", ".git")):
            continue
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in filekinds.IGNORED_FOLDERS:
                    stack.append(prefix + entry.name + "/")
            else:
                yield prefix, entry.name
