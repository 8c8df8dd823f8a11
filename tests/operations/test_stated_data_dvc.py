"""Against a real DVC: what it just took is the same, what was changed since differs."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from provenance.operations.stated_data import compare_data
from provenance.specs import formats
from provenance.specs.model import Fact, Source
from tests.facets._venvs import UV

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(600)]

VERSIONS = {"3": ["dvc==3.67.1"], "2": ["dvc==2.58.2", "pathspec<0.12", "dulwich<0.22"]}
"""The last of the second series took text files as if they had no CRLF."""

Dvc = Callable[..., None]


@pytest.fixture(scope="module", params=sorted(VERSIONS))
def dvc(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dvc:
    if UV is None:
        pytest.skip("uv is not installed")
    place = tmp_path_factory.mktemp("dvc" + request.param)
    python = place / "bin" / "python"
    environ = {name: one for name, one in os.environ.items() if not name.startswith("PYTHON")}
    environ.update(DVC_NO_ANALYTICS="1", DVC_SITE_CACHE_DIR=str(place / "site"))
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, place], check=True)
    done = subprocess.run(
        [UV, "pip", "install", "-q", "--python", python, *VERSIONS[request.param]],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("DVC %s cannot be installed here: %s" % (request.param, done.stderr[-200:]))

    def run(folder: Path, *words: str) -> None:
        subprocess.run(
            [python, "-m", "dvc", *words], cwd=folder, env=environ, check=True, capture_output=True
        )

    return run


def stated(root: Path) -> list[Fact]:
    found: list[Fact] = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and ".dvc" not in path.relative_to(root).parts:
            source = Source(str(path.relative_to(root)), path.read_bytes())
            if formats.module_of(source.path) == "dvc":
                found += formats.read(source).facts
    return found


def filled(root: Path) -> None:
    """Write a repository whose data has what digests may stumble over."""
    draw = random.Random(5)
    lines = b"".join(b"%d,%d\r\n" % (n, n * n) for n in range(200_000))
    files = {
        "data/windows.csv": b"a,b\r\n1,2\r\n",
        "data/large.csv": lines,
        "data/sub/unix.csv": b"a,b\n1,2\n",
        'data/sub/deeper/\u00e9 "quoted" \u4e2d.txt': "h\u00e9\r\n".encode(),
        "data/sub/empty": b"",
        "data/bytes.bin": draw.randbytes(3_000_000),
        "data/nearly.txt": b"text with \x00 in it\r\n",
        "data/UPPER.txt": b"x",
        "data/lower.txt": b"y",
        "straddles.csv": b"x" * (2**20 - 1) + b"\r\n" + b"tail\r\n",
        "code/fit.py": b"print(1)\n",
    }
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "data" / "link.csv").symlink_to("windows.csv")


def test_the_same_as_dvc(dvc: Dvc, tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q", root], check=True)
    dvc(root, "init", "-q")
    dvc(root, "config", "cache.type", "copy")
    filled(root)
    dvc(root, "add", "-q", "data", "straddles.csv")
    words = "stage add -n make -d code -d data -o out.txt".split()
    dvc(root, *words, "%s -c \"open('out.txt', 'w').write('1')\"" % sys.executable)
    dvc(root, "repro", "-q")
    found = stated(root)
    assert {one.name for one in found if one.digest} >= {"data", "straddles.csv", "out.txt", "code"}
    same = compare_data(found, str(root))
    assert same.differences == ()
    assert same.equal == len({(one.name, one.digest) for one in found if one.digest}) == 4
    (root / ".dvc" / "cache").rename(root / ".dvc" / "away")
    assert compare_data(found, str(root)).differences == (), "the digest itself, without the list"
    changed = root / "data" / "sub" / "unix.csv"
    changed.chmod(0o644)
    changed.write_bytes(b"a,b\n1,3\n")
    assert {one.name for one in compare_data(found, str(root)).differences} == {"data"}
    (root / ".dvc" / "away").rename(root / ".dvc" / "cache")
    (one,) = compare_data(found, str(root)).differences
    assert one.text == "has other content: 1 of 10 files: sub/unix.csv"
    assert [place.partition(":")[0] for place in one.where] == ["data.dvc", "dvc.lock"]
