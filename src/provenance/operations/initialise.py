"""Setting a project up: settings, ``.prov``, and on request the drop-in test and the SDK.

Safe to repeat.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from provenance import config
from provenance.agent import launch
from provenance.errors import SystemRefused
from provenance.store import files, project

TEST = "test_provenance.py"
SDK = "prov_sdk.py"


class InitResult(NamedTuple):
    """root: where ``.prov`` stands. made: paths written now. kept: paths that were there."""

    root: str
    made: tuple[str, ...]
    kept: tuple[str, ...]


def init(cwd: str, test: bool = False, sdk: bool = False) -> InitResult:
    """Make ``prov.yaml`` and ``.prov``, with ``test`` the drop-in test, with ``sdk`` the SDK.

    The SDK is written to ``cwd``, where code that imports it is.

    Nothing that exists is changed. Raises `SystemRefused`.
    """
    place = project.find(cwd)
    wanted = {os.path.join(place.root, config.FILE): template("kit/prov.yaml")}
    if test:
        wanted[test_path(place.root)] = template(TEST)
    if sdk:
        wanted[os.path.join(cwd, SDK)] = _sdk()
    made, kept = [], []
    project.ensure(place)
    for path, content in wanted.items():
        if os.path.exists(path):
            kept.append(path)
        else:
            files.write_atomic(path, content)
            made.append(path)
    return InitResult(place.root, tuple(made), tuple(kept))


def test_path(root: str) -> str:
    """Return where the drop-in test of the project at ``root`` stands, or would stand."""
    folder = os.path.join(root, "tests")
    return os.path.join(folder if os.path.isdir(folder) else root, TEST)


def _sdk() -> bytes:
    """Return the SDK in one file: the one that the hook supplies."""
    with open(os.path.join(launch.SITE, "_prov_sdk.py"), "rb") as stream:
        return stream.read()


def template(name: str) -> bytes:
    """Return a file of ``templates/``: from the source tree, else from the installed package."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    candidates = (
        os.path.join(os.path.dirname(os.path.dirname(here)), "templates", name),
        os.path.join(here, "templates", name),
    )
    for path in candidates:
        if os.path.isfile(path):
            with open(path, "rb") as stream:
                return stream.read()
    raise SystemRefused(
        "the template %s is not part of this installation." % name, "reinstall prov-run"
    )
