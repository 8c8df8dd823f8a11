"""A folder of tiny wheels that stands for the index: real uv, and no network."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.facets._venvs import UV

MINOR = "%d.%d" % sys.version_info[:2]
VERSION = "%d.%d.%d" % sys.version_info[:3]


class Index:
    """The folder, and the environment in which uv looks nowhere else."""

    def __init__(self, folder: Path) -> None:
        if UV is None:
            pytest.skip("uv is not installed")
        self.wheels = folder / "wheels"
        self.wheels.mkdir(parents=True)
        settings = folder / "settings" / "uv.toml"  # not above where uv runs: it would find them
        settings.parent.mkdir()
        settings.write_text("no-index = true\n")
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("UV_", "PIP_", "PROV_", "VIRTUAL_ENV", "PYTHONPATH"))
        }
        self.environ.update(
            PATH=os.path.dirname(UV) + os.pathsep + os.environ["PATH"],
            UV_FIND_LINKS=str(self.wheels),
            UV_CONFIG_FILE=str(settings),
            UV_CACHE_DIR=str(folder / "uv-cache"),
            PROV_CACHE=str(folder / "cache"),
        )

    def away(self) -> dict[str, str]:
        """Return the environment in which the index cannot be reached."""
        rest = {name: one for name, one in self.environ.items() if name != "UV_CONFIG_FILE"}
        more = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
        return dict(rest, UV_NO_CONFIG="1", **more)

    def wheel(
        self,
        name: str,
        version: str,
        source: str = "",
        requires: tuple[str, ...] = (),
        module: str = "",
    ) -> Path:
        """Make a wheel of one module, or package below one ("sklearn.cluster")."""
        plain = name.replace("-", "_")
        module = (module or plain).replace(".", "/")
        info = "%s-%s.dist-info" % (plain, version)
        head = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
        head += "".join("Requires-Dist: %s\n" % one for one in requires)
        files = {
            "%s/__init__.py" % module: source or "VERSION = %r\n" % version,
            "%s/METADATA" % info: head,
            "%s/WHEEL" % info: "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\n"
            "Tag: py3-none-any\n",
        }
        while "/" in module:
            module = module.rpartition("/")[0]
            files["%s/__init__.py" % module] = ""
        record = "".join("%s,%s,%d\n" % (n, _sha(t), len(t)) for n, t in files.items())
        files["%s/RECORD" % info] = record + "%s/RECORD,,\n" % info
        path = self.wheels / ("%s-%s-py3-none-any.whl" % (plain, version))
        with zipfile.ZipFile(path, "w") as archive:
            for file, text in files.items():
                archive.writestr(file, text)
        return path

    def unbuildable(self, name: str, version: str) -> None:
        """Make a source distribution whose build says why it fails."""
        top = "%s-%s" % (name, version)
        folder = self.wheels.parent / top
        folder.mkdir()
        (folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        )
        (folder / "backend.py").write_text(
            "def build_wheel(*a, **k):\n    raise RuntimeError('it needs a flux compensator')\n"
        )
        head = "Metadata-Version: 2.2\nName: %s\nVersion: %s\n" % (name, version)
        (folder / "PKG-INFO").write_text(head)
        with tarfile.open(self.wheels / (top + ".tar.gz"), "w:gz") as archive:
            archive.add(folder, top)


def _sha(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")
