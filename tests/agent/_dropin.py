"""A repository with a lock, the drop-in test and packages installed beside it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from provenance.core import canonical, codec, record
from provenance.core.interfaces import library
from provenance.core.paths import PathRef, Roots
from provenance.core.record import DONE, Record, captured
from provenance.core.sourcedigest import digests
from provenance.core.uses import uses
from provenance.knowledge import match
from provenance.operations import _baked_checks

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "test_provenance.py"
FIT = """\
import numpy as np
from sklearn.cluster import KMeans

X = np.loadtxt("data.csv", delimiter=",")
# eight clusters

# as in the paper
km = KMeans(8, random_state=0).fit(X)
"""
NOW = "%d.%d.%d" % sys.version_info[:3]


class Project:
    """A repository with code, data, a lock, and packages installed beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "fit.py").write_text(FIT)
        (folder / "data.csv").write_text("1,2\n3,4\n")
        (folder / "test_provenance.py").write_bytes(TEMPLATE.read_bytes())
        self.recorded = {
            "scikit-learn": self.package("scikit-learn", "1.1.3", "sklearn"),
            "numpy": self.package("numpy", "1.26.4", "numpy"),
            "tqdm": dict(self.package("tqdm", "4.66.0", "tqdm"), imported=False),
        }
        self.facets: dict[str, Any] = {"runtime": {"version": NOW}, "hardware": {"gpus": []}}
        self.around: list[dict[str, Any]] = []
        for name, version, module in (
            ("scikit_learn", "1.1.3", "sklearn"),
            ("numpy", "1.26.4", "numpy"),
            ("tqdm", "4.66.0", "tqdm"),
        ):
            self.install(name, version, module)

    @staticmethod
    def package(name: str, version: str, module: str) -> dict[str, Any]:
        return {"name": name, "version": version, "imported": True, "modules": [module]}

    def install(self, name: str, version: str, module: str) -> None:
        for old in self.folder.glob("site/%s-*" % name):
            for path in old.iterdir():
                path.unlink()
            old.rmdir()
        folder = self.folder / "site" / ("%s-%s.dist-info" % (name, version))
        folder.mkdir(parents=True)
        header = "Name: %s\nVersion: %s\n" % (name.replace("_", "-"), version)
        (folder / "METADATA").write_text(header)
        (folder / "RECORD").write_text("%s/__init__.py,,\n" % module)

    def file(self, name: str, **rest: Any) -> dict[str, Any]:
        data = (self.folder / name).read_bytes()
        found = dict(digests(name, data), sha256=hashlib.sha256(data).hexdigest())
        path = {"root": "repo", "path": name}
        return dict({"path": path, "digests": found, "size": len(data)}, **rest)

    def lock(self) -> dict[str, Any]:
        packages = {"distributions": self.recorded, "complete": True}
        self.facets.setdefault("code", {"used": [self.file("fit.py")]})
        self.facets.setdefault("data", {"files": [self.file("data.csv")]})
        sites = [use.to_json() for use in uses(FIT, "fit.py")]
        payloads = dict(self.facets, packages=packages, behaviour={"sites": sites})
        run = Record(
            id="20250502T100000Z-0000007f",
            command=("python", "fit.py"),
            cwd=PathRef("repo", "."),
            status=DONE,
            started="2025-05-02T10:00:00+00:00",
            facets={name: captured(1, payload) for name, payload in payloads.items()},
        )
        known = [codec.encode(concern) for concern in match.concerning(run)]
        top, site = str(self.folder), str(self.folder / "site")
        roots = Roots(top, top, str(self.folder / "home"))
        one = _baked_checks.Run(run, roots, library([site]), (site,))
        path = os.path.join(top, "prov.lock")
        return {
            "schema": "prov/lock/1",
            "tool": "test",
            "runs": [record.to_json(run)],
            "knowledge": known,
            "blobs": {},
            "checks": _baked_checks.of_runs([one], self.around, path, top),
        }

    def write(self, document: dict[str, Any] | None = None) -> None:
        sealed = canonical.seal(canonical.plain(document or self.lock()))
        (self.folder / "prov.lock").write_text(canonical.dumps(sealed))

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "PROV"))}
        environ = dict(kept, PYTHONPATH=str(self.folder / "site"), **environ)
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def plain(self, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.run("test_provenance.py", **environ)

    def said(self, **environ: str) -> str:
        """Return all that the test prints as a program."""
        done = self.plain(**environ)
        return done.stdout + done.stderr

    def pytest(self, **environ: str) -> subprocess.CompletedProcess[str]:
        words = ("-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-c", os.devnull)
        return self.run(*words, "--rootdir", str(self.folder), "test_provenance.py", **environ)
