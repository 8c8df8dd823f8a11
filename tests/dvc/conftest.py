"""A real DVC and repositories of it; one serves several tests, since each step takes seconds."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Prov

Dvc = Callable[..., str]

READ = "import sys\nfor path in sys.argv[1:]:\n    print(path, len(open(path, 'rb').read(99)))\n"
"""A script that reads a little of each file."""


@pytest.fixture(scope="session", autouse=True)
def of_dvc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep DVC's state and the user's own settings of it out of the tests."""
    place = tmp_path_factory.mktemp("dvc")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(place / "site"))
        patch.setenv("DVC_GLOBAL_CONFIG_DIR", str(place / "global"))
        patch.setenv("DVC_SYSTEM_CONFIG_DIR", str(place / "system"))
        patch.setenv("DVC_NO_ANALYTICS", "1")
        yield


@pytest.fixture(scope="session")
def dvc(of_dvc: None) -> Dvc:
    """Return what runs the dvc program in a folder and returns what it printed."""
    pytest.importorskip("dvc")

    def run(folder: Path, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *words],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def repository(root: Path) -> Path:
    """Make a git repository with a script that reads."""
    root.mkdir(parents=True)
    for words in (["init", "-q"], ["config", "user.email", "a@b.c"], ["config", "user.name", "a"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    (root / "read.py").write_text(READ)
    (root / ".gitignore").write_text(".prov\n")
    return root


def commit(root: Path) -> None:
    """Commit everything."""
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    subprocess.run(["git", "commit", "-q", "-m", "x"], cwd=root, check=True)


def filled(path: Path, size: int, seed: int) -> Path:
    """Write ``size`` bytes to ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


def settle() -> None:
    """Wait until files count as unchanged for some time."""
    time.sleep(2.1)


def prov_in(root: Path) -> Prov:
    """Return prov with the environment of today."""
    made = Prov(root)
    made.environ.update({key: one for key, one in os.environ.items() if key.startswith("DVC_")})
    return made
