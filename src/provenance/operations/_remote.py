"""Which remote is meant, and where blobs are kept here.

In a repository that uses DVC, blobs are kept in DVC's own cache and its remotes can be named;
anywhere else in ``.prov/objects``.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from provenance import config
from provenance.core.urls import public
from provenance.errors import MissingExtra, SystemRefused, UsageError
from provenance.store import objects
from provenance.store.cloud import CloudRemote, DvcSettings, settings
from provenance.store.objects import Store
from provenance.store.project import Project
from provenance.store.remotes import FolderRemote, Remote, folder_of, is_folder

_DVC = ".dvc"


class Stores(NamedTuple):
    """main: where what comes is kept. others: where blobs may be too. dvc: None without it."""

    main: Store
    others: tuple[Store, ...] = ()
    dvc: DvcSettings | None = None
    note: str = ""

    def holding(self, oid: str, size: int | None = None) -> Store | None:
        """Return the store that has the blob."""
        return next((one for one in (self.main, *self.others) if one.has(oid, size)), None)


def stores(place: Project) -> Stores:
    """Return where the project's blobs are kept. Raises `SystemRefused`."""
    own = Store(os.path.join(place.folder, objects.FOLDER))
    folder = _dvc_folder(place)
    if folder is None:
        return Stores(own)
    try:
        found = settings(folder)
    except MissingExtra:
        note = "this repository uses DVC, which is not installed here: .prov/objects is used"
        return Stores(own, note=note)
    return Stores(Store(found.cache, found.group), (own,), found)


def reach(place: Project, kept: Stores, named: str, cwd: str) -> Remote:
    """Return the remote ``named`` by name or address, the default one for "".

    Raises `UsageError`, `BadRecord`, `MissingExtra`, `SystemRefused`.
    """
    stated = config.load(place.root)
    own, theirs = stated.remotes, kept.dvc.remotes if kept.dvc else {}
    name = named or stated.remote or (next(iter(own)) if len(own) == 1 else "")
    if not name and kept.dvc:
        name = kept.dvc.default
    if not name:
        known = ", ".join(sorted({*own, *theirs}))
        raise UsageError(
            "which remote? There is no default one" + (" among %s." % known if known else "."),
            "name one with --remote, or in prov.yaml: remotes: {team: s3://bucket/path}",
        )
    if name in own:
        options = own[name]
        if is_folder(str(options["url"])):
            return _folder(folder_of(str(options["url"]), place.root))
        return CloudRemote(options)
    if kept.dvc is not None and name.lower() in theirs:
        options = theirs[name.lower()]
        if is_folder(str(options["url"])):
            return _folder(str(options["url"]), options.get("shared") == "group")
        return CloudRemote(options, kept.dvc.raw, name)
    if not _is_address(name):
        _unknown(place, kept, name, sorted({*own, *theirs}))
    if is_folder(name):
        return _folder(folder_of(name, cwd))
    if name.startswith(("http://", "https://")):
        raise UsageError(
            "%s cannot be a remote: over http nobody can see what is there." % public(name),
            "webdavs://, s3://, ssh:// and others can be",
        )
    return CloudRemote({"url": name})


def _folder(folder: str, group: bool = False) -> FolderRemote:
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise SystemRefused("%s is no folder." % folder, "name a folder with --remote")
    return FolderRemote(folder, group)


def _unknown(place: Project, kept: Stores, name: str, known: list[str]) -> None:
    if _dvc_folder(place) is not None and kept.dvc is None:
        settings(str(_dvc_folder(place)))  # it may be DVC's: says what is missing
    others = "known: %s" % ", ".join(known) if known else "none is named"
    raise UsageError(
        "no remote is called %r; %s." % (name, others),
        "give an address (s3://bucket/path, ssh://host/path, /a/folder), or name it in prov.yaml",
    )


def _is_address(text: str) -> bool:
    return "://" in text or "/" in text or text.startswith((".", "~"))


def _dvc_folder(place: Project) -> str | None:
    for top in (place.root, place.repo):
        if top and os.path.isfile(os.path.join(top, _DVC, "config")):
            return os.path.join(top, _DVC)
    return None
