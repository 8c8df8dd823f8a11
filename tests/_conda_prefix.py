"""A conda prefix as conda's own libraries make it, where no channel can be reached.

Solver and installer are rattler's, the specifications are those of a real environment.yml, Python
is a real one. The other packages are hollow: metadata of the stated name and version with an empty
module, in a channel of files. That is enough for what only looks, and nothing to compute with.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import yaml

_SKIPPED = {"test", "tests", "idlelib", "lib2to3", "tkinter", "turtledemo", "ensurepip",
            "site-packages", "__pycache__"}  # fmt: skip


def make(prefix: Path, environment: Path, python: str, scratch: Path) -> Path:
    """Make a prefix of the conda part of ``environment``; return its interpreter.

    python: an interpreter, which becomes the package "python" with the version in its folder's
    name. scratch: where channel and caches stand.
    """
    from rattler import MatchSpec
    from rattler.index import index_fs

    stated = yaml.safe_load(environment.read_text())
    asked = [one for one in stated["dependencies"] if isinstance(one, str)]
    # the solver takes "conda-forge::" for the channel on the web, which ours only stands for
    specs = [MatchSpec(one.rpartition("::")[2]) for one in asked]
    channel = scratch / "channels" / "conda-forge"
    for spec in specs:
        name = spec.name.normalized
        if name == "python":
            _package(channel, name, _version(python), _tree(python), "linux-64")
        else:
            version = str(spec.version).lstrip("=").removesuffix(".*") if spec.version else "23.3"
            _package(channel, name, version, _hollow(name, version), "noarch")
    asyncio.run(index_fs(channel))
    asyncio.run(_install(scratch, specs, prefix))
    return prefix / "bin" / "python"


async def _install(scratch: Path, specs: list[Any], prefix: Path) -> None:
    from rattler import Channel, ChannelConfig, Gateway, VirtualPackage, install, solve

    places = ChannelConfig(channel_alias=(scratch / "channels").as_uri() + "/")
    records = await solve(
        [Channel("conda-forge", places)],
        specs,
        platforms=["linux-64", "noarch"],
        virtual_packages=VirtualPackage.detect(),
        gateway=Gateway(cache_dir=scratch / "repodata"),
    )
    await install(records, prefix, cache_dir=scratch / "packages", show_progress=False)


def _version(python: str) -> str:
    return Path(python).resolve().parent.parent.name


def _tree(python: str) -> dict[str, Path | bytes]:
    """Return the files of an interpreter that can be moved, by their paths in a prefix."""
    base = Path(python).resolve().parent.parent
    short = ".".join(_version(python).split(".")[:2])
    library = base / "lib" / ("python" + short)
    files: dict[str, Path | bytes] = {}
    for path in sorted(library.rglob("*")):
        parts = path.relative_to(library).parts
        if path.is_file() and not set(parts) & _SKIPPED and not parts[0].startswith("config-"):
            files["lib/python%s/%s" % (short, "/".join(parts))] = path
    for name in ("python", "python3", "python" + short):
        files["bin/" + name] = base / "bin" / ("python" + short)
    return files


def _hollow(name: str, version: str) -> dict[str, Path | bytes]:
    if name == "cudatoolkit":
        return {"lib/libcudart.so.%s" % version: b""}
    folder = "site-packages/%s-%s.dist-info/" % (name.replace("-", "_"), version)
    about = "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version)
    module = {"scikit-learn": "sklearn"}.get(name, name)
    return {
        "site-packages/%s/__init__.py" % module: b"",
        folder + "METADATA": about.encode(),
        folder + "INSTALLER": b"conda\n",
        folder + "RECORD": b"",
    }


def _package(
    channel: Path, name: str, version: str, files: dict[str, Path | bytes], subdir: str
) -> None:
    """Write a conda package; one of "noarch" that has modules is of Python."""
    build = "h0_0"
    target = channel / subdir / ("%s-%s-%s.tar.bz2" % (name, version, build))
    target.parent.mkdir(parents=True, exist_ok=True)
    of_python = subdir == "noarch" and any(path.startswith("site-packages/") for path in files)
    about: dict[str, Any] = {
        "name": name, "version": version, "build": build, "build_number": 0, "subdir": subdir,
        "depends": ["python"] if of_python else [], "license": "MIT", "timestamp": 1700000000000,
        "arch": "x86_64" if subdir != "noarch" else None,
        "platform": "linux" if subdir != "noarch" else None,
    }  # fmt: skip
    if subdir == "noarch":
        about["noarch"] = "python" if of_python else "generic"
    if name == "python":
        short = ".".join(version.split(".")[:2])
        about["python_site_packages_path"] = "lib/python%s/site-packages" % short
    listed = []
    with tarfile.open(target, "w:bz2", compresslevel=1) as archive:

        def add(path: str, data: bytes, mode: int = 0o644) -> None:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))

        for path, content in files.items():
            data = content if isinstance(content, bytes) else content.read_bytes()
            add(path, data, 0o755 if path.startswith("bin/") else 0o644)
            digest = hashlib.sha256(data).hexdigest()
            listed.append({"_path": path, "path_type": "hardlink", "sha256": digest,
                           "size_in_bytes": len(data)})  # fmt: skip
        add("info/index.json", json.dumps(about).encode())
        add("info/paths.json", json.dumps({"paths": listed, "paths_version": 1}).encode())
        add("info/files", "\n".join(files).encode())
        if of_python:
            link = {"noarch": {"type": "python"}, "package_metadata_version": 1}
            add("info/link.json", json.dumps(link).encode())
