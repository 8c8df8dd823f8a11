"""A conda-lock.yml, written by conda-lock's own models; pip's packages apart from conda's."""

from __future__ import annotations

import hashlib
import pathlib
import re
import tempfile
from typing import Any

from provenance.errors import SystemRefused, missing_extra
from provenance.exports import _environment
from provenance.exports._environment import CondaFile, Environment, Release

_PLATFORMS = {
    "linux-x86_64": "linux-64",
    "linux-aarch64": "linux-aarch64",
    "linux-ppc64le": "linux-ppc64le",
    "darwin-x86_64": "osx-64",
    "darwin-arm64": "osx-arm64",
    "win32-AMD64": "win-64",
}
"""What conda calls a platform (its subdirs)."""

_SUBDIR = re.compile(r"/((?:linux|osx|win)-[a-z0-9_]+)/")


def render(one: Environment) -> str:
    """Return the file. Raises `MissingExtra` without conda-lock, `SystemRefused` if it refuses.

    Importing conda-lock takes seconds: it is imported here only.
    """
    try:
        from conda_lock import lockfile  # noqa: PLC0415
        from conda_lock.lockfile.v1.models import LockMeta  # noqa: PLC0415
        from conda_lock.lockfile.v2prelim.models import Lockfile  # noqa: PLC0415
        from conda_lock.models.channel import Channel  # noqa: PLC0415
    except ImportError as error:
        raise missing_extra("--format conda-lock", "conda") from error
    stated = [found for package in one.conda for found in _SUBDIR.findall(package.url)]
    platform = next(iter(stated), _PLATFORMS.get(one.platform))
    if platform is None:
        raise SystemRefused("conda has no name for the platform %s." % one.platform)
    try:
        packages = [_conda(package, platform) for package in one.conda]
        packages += [_pip(release, platform) for release in one.releases if release.url]
        digest = hashlib.sha256("".join(p.url for p in packages).encode("utf-8")).hexdigest()
        channels = dict.fromkeys(package.channel for package in one.conda if package.channel)
        made = Lockfile(
            package=packages,
            metadata=LockMeta(
                content_hash={platform: digest},
                channels=[Channel.from_string(channel) for channel in channels],
                platforms=[platform],
                sources=["prov.lock"],
            ),
        )
        made.alphasort_inplace()
        with tempfile.TemporaryDirectory(prefix="prov-conda-lock-") as folder:
            path = pathlib.Path(folder) / "conda-lock.yml"
            lockfile.write_conda_lock_file(made, path, metadata_choices=set())
            text = path.read_text(encoding="utf-8")
    except (ValueError, TypeError, KeyError) as error:  # its models are pydantic's
        reason = str(error).splitlines()
        text = "conda-lock's models refuse this environment: %s"
        raise SystemRefused(text % "; ".join(reason[:3])) from error
    return "".join("# %s\n" % line for line in _environment.heading(one)) + text


def _conda(package: CondaFile, platform: str) -> Any:
    from conda_lock.lockfile.v1.models import HashModel  # noqa: PLC0415
    from conda_lock.lockfile.v2prelim.models import LockedDependency  # noqa: PLC0415

    return LockedDependency(
        name=package.name,
        version=package.version,
        manager="conda",
        platform=platform,
        dependencies={},
        url=package.url,
        hash=HashModel(md5=package.md5, sha256=package.sha256 or None),
        build=package.build,
        categories={"main"},
    )


def _pip(release: Release, platform: str) -> Any:
    from conda_lock.lockfile.v1.models import HashModel  # noqa: PLC0415
    from conda_lock.lockfile.v2prelim.models import LockedDependency  # noqa: PLC0415

    return LockedDependency(
        name=release.name,
        version=release.version,
        manager="pip",
        platform=platform,
        dependencies={},
        url=release.url,
        hash=HashModel(sha256=release.hashes[0].partition(":")[2]),
        categories={"main"},
    )
