"""Where an installed distribution came from: index, conda, a repository, a folder, a file."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, Mapping, NamedTuple, Optional

from provenance.core.distributions import Distribution, file_path
from provenance.core.paths import PathRef, Roots, nearest
from provenance.core.redact import Redactor, without_credentials

INDEX, CONDA, SYSTEM = "index", "conda", "system"
VCS, ARCHIVE, FOLDER, EDITABLE = "vcs", "archive", "folder", "editable"
UNSTATED = "not stated"

GIT_SECONDS = 10.0


class Editable(NamedTuple):
    """The project folder of an editable install.

    commit: of its git repository, None where there is none; dirty: whether tracked files differed.
    """

    path: PathRef
    commit: Optional[str] = None
    dirty: Optional[bool] = None


def kind(one: Distribution, conda: Optional[str]) -> str:
    """Return which kind of place ``one`` came from; ``conda``: the conda package that owns it."""
    if one.editable_root:
        return EDITABLE
    if "vcs_info" in one.direct_url:
        return VCS
    if "archive_info" in one.direct_url:
        return ARCHIVE
    if "dir_info" in one.direct_url:
        return FOLDER
    if conda and one.installer in ("conda", ""):
        return CONDA
    if one.installer == "conda":
        return CONDA
    if os.path.basename(one.location) == "dist-packages" and one.installer in ("", "debian"):
        return SYSTEM
    return INDEX if one.installer else UNSTATED


def direct_url(value: Mapping[str, Any], roots: Roots, redact: Redactor) -> Dict[str, Any]:
    """Return a direct_url.json fit for a record.

    Credentials are removed; the URL of a local file or folder gives way to ``path``, a `PathRef`.
    """
    if not value:
        return {}
    rest = {name: item for name, item in value.items() if name != "url"}
    clean: Dict[str, Any] = redact.value("direct_url", rest)
    local = file_path(value.get("url"))
    if local is not None:
        clean["path"] = roots.refer(local).to_json()
    elif isinstance(value.get("url"), str):
        clean["url"] = redact.text(without_credentials(value["url"]))
    return clean


def editable(root: str, roots: Roots, environ: Mapping[str, str]) -> Editable:
    """Return the state of an editable install's project folder."""
    ref = roots.refer(root)
    if nearest(root, ".git") is None:
        return Editable(ref)
    text = _status(root, environ)
    commit = re.search(r"^# branch\.oid ([0-9a-f]{40,64})$", text, re.M)
    if commit is None:
        return Editable(ref)
    return Editable(ref, commit.group(1), re.search(r"^[^#\s]", text, re.M) is not None)


def _status(root: str, environ: Mapping[str, str]) -> str:
    """Return git's status of ``root`` (porcelain v2), "" where git is missing, slow or unhappy."""
    import subprocess

    command = "git --no-optional-locks -c core.fsmonitor=false status --porcelain=v2 --branch"
    words = [*command.split(), "--untracked-files=no", "--ignore-submodules=dirty", "--", "."]
    keep = {name: item for name, item in environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            words,
            cwd=root,
            env=dict(keep, LC_ALL="C"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
