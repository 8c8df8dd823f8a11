"""A small conda channel in a folder: real packages, among them a real Python, made without a net.

What rattler installs from it is a true prefix: its solver, its links, its ``conda-meta``.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import Any

HERE = "%d.%d" % sys.version_info[:2]
WHOLE = "%d.%d.%d" % sys.version_info[:3]
TAG = "py" + HERE.replace(".", "")
SITE = "lib/python%s/site-packages" % HERE
STAMP = 1_700_000_000_000


class Channel:
    """A channel below ``folder``, with packages of ``linux-64`` and ``noarch``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.indexes: dict[str, dict[str, Any]] = {"linux-64": {}, "noarch": {}}

    @property
    def url(self) -> str:
        """Its address."""
        return self.folder.as_uri()

    def add(
        self, name: str, version: str, build: str, files: dict[str, bytes | str],
        depends: tuple[str, ...] = (), noarch: str = "",
    ) -> None:  # fmt: skip
        """Add a package. files: bytes of files, or where a link leads to."""
        subdir = "noarch" if noarch else "linux-64"
        index: dict[str, Any] = {
            "name": name,
            "version": version,
            "build": build,
            "build_number": 0,
            "depends": list(depends),
            "subdir": subdir,
            "arch": None if noarch else "x86_64",
            "platform": None if noarch else "linux",
            "timestamp": STAMP,
        }
        if noarch:
            index["noarch"] = noarch
        told = {"info/index.json": json.dumps(index).encode()}
        told["info/paths.json"] = json.dumps(
            {"paths": [_path(*one) for one in sorted(files.items())], "paths_version": 1}
        ).encode()
        told["info/files"] = "\n".join(sorted(files)).encode()
        if noarch == "python":
            link = {"noarch": {"type": "python"}, "package_metadata_version": 1}
            told["info/link.json"] = json.dumps(link).encode()
        path = self.folder / subdir / ("%s-%s-%s.tar.bz2" % (name, version, build))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w:bz2", compresslevel=1) as archive:
            for where, content in (*told.items(), *sorted(files.items())):
                _put(archive, where, content)
        raw = path.read_bytes()
        digests = {name: hashlib.new(name, raw).hexdigest() for name in ("md5", "sha256")}
        self.indexes[subdir][path.name] = {**index, **digests, "size": len(raw)}

    def write(self) -> None:
        """Write what the channel has, for solvers."""
        for subdir, packages in self.indexes.items():
            path = self.folder / subdir / "repodata.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            data = {"info": {"subdir": subdir}, "packages": packages, "packages.conda": {}}
            path.write_text(json.dumps({**data, "removed": [], "repodata_version": 1}))

    def python(self) -> None:
        """Add this interpreter: its program is copied, its library linked to."""
        base = Path(sysconfig.get_path("stdlib"))
        program = Path(sys.base_prefix) / "bin" / ("python" + HERE)
        files: dict[str, bytes | str] = {"bin/python" + HERE: program.read_bytes()}
        files["bin/python"] = files["bin/python3"] = "python" + HERE
        for one in base.iterdir():
            if one.name not in ("site-packages", "dist-packages", "__pycache__", "test"):
                files["lib/python%s/%s" % (HERE, one.name)] = str(one)
        for library in (Path(sys.base_prefix) / "lib").glob("libpython%s*" % HERE):
            files["lib/" + library.name] = str(library)
        files[SITE + "/README.txt"] = b"packages go here\n"
        self.add("python", WHOLE, "habcdef0_0_cpython", files)
        self.add("python_abi", HERE, "0_cp" + TAG[2:], {})

    def wheel(self, site: Path, name: str, version: str) -> None:
        """Add an installed pure Python package of ``site`` as a ``noarch`` one."""
        info = next(site.glob("%s-%s.dist-info" % (name.replace("-", "_"), version)))
        listed = [line.partition(",")[0] for line in (info / "RECORD").read_text().splitlines()]
        kept = [one for one in listed if ".." not in one and not one.endswith(".pyc")]
        files = {"site-packages/" + one: (site / one).read_bytes() for one in kept}
        files = {path: text for path, text in files.items() if not path.endswith("direct_url.json")}
        files["site-packages/%s/INSTALLER" % info.name] = b"conda"
        depends = ("python >=3.8",)
        self.add(name, version, "pyhd8ed1ab_0", dict(files), depends, noarch="python")

    def module(self, name: str, version: str, build: str, known: str, also: str = "") -> None:
        """Add a package with one module.

        known: its name in its metadata; also: what its version has there beside ``version``.
        """
        info = "%s/%s-%s%s.dist-info" % (SITE, known.replace("-", "_"), version, also)
        metadata = "Metadata-Version: 2.1\nName: %s\nVersion: %s%s\n" % (known, version, also)
        files: dict[str, bytes | str] = {
            "%s/%s.py" % (SITE, known.replace("-", "_")): b"VALUE = 1\n",
            info + "/METADATA": metadata.encode(),
            info + "/INSTALLER": b"conda",
        }
        self.add(name, version, build, files, ("python %s.*" % HERE, "python_abi %s.*" % HERE))


def _path(name: str, content: bytes | str) -> dict[str, Any]:
    if isinstance(content, str):
        return {"_path": name, "path_type": "softlink"}
    digest = hashlib.sha256(content).hexdigest()
    return {"_path": name, "path_type": "hardlink", "sha256": digest, "size_in_bytes": len(content)}


def _put(archive: tarfile.TarFile, name: str, content: bytes | str) -> None:
    info = tarfile.TarInfo(name)
    info.mtime = STAMP // 1000
    info.mode = 0o755 if name.startswith("bin/") else 0o644
    if isinstance(content, str):
        info.type, info.linkname = tarfile.SYMTYPE, content
        archive.addfile(info)
    else:
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))


SCRIPT = """\
import asyncio, json, os, sys
import rattler

asked = json.loads(sys.argv[1])


async def main():
    records = await rattler.solve(
        [asked["channel"]], asked["specs"], platforms=["linux-64", "noarch"],
    )
    await rattler.install(
        records, asked["prefix"], cache_dir=asked["cache"], show_progress=False,
        platform=rattler.Subdir("linux-64") if hasattr(rattler, "Subdir") else None,
    )
    if asked.get("pixi"):
        platform = rattler.LockPlatform("linux-64")
        lock = rattler.LockFile([platform])
        lock.set_channels("default", [rattler.LockChannel(asked["channel"])])
        for one in records:
            lock.add_conda_package("default", platform, one)
        lock.to_path(asked["pixi"])
    print(json.dumps([
        {"name": str(r.name.normalized), "version": str(r.version), "build": str(r.build),
         "url": str(r.url), "subdir": r.subdir, "md5": r.md5.hex(), "sha256": r.sha256.hex()}
        for r in records
    ]))


asyncio.run(main())
sys.stdout.flush()
os._exit(0)  # it crashes now and then as it ends
"""
