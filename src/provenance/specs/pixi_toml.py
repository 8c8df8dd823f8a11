"""pixi.toml: what conda and pypi are to give, by platform and feature.

What stands outside of features, and in those of the environment ``default``, counts always; what
other features add is of the feature's group. Versions are conda's: "1.2" is exact, "1.2.*" not.
``[tool.pixi]`` of a pyproject.toml has the same tables (`state`), as has conda-lock's
``[tool.conda-lock.dependencies]`` (`dependencies`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provenance.specs import _conda, _matchspec, _poetry, _toml
from provenance.specs._gathered import NO_PACKAGE, Gathered
from provenance.specs._lines import Document, Key, shown
from provenance.specs.model import (
    CONDA,
    CUDA,
    NAMED,
    PLACED,
    PYPI,
    RANGE,
    Fact,
    Source,
    Spec,
    Unreadable,
)

FORMAT = "pixi.toml"
_CONDAS = (
    ("dependencies", ""),
    ("host-dependencies", "group:host"),
    ("build-dependencies", "group:build"),
)
_NOT_A_VERSION = "A dependency is a version or a table with one."


def read(source: Source) -> Spec:
    """Return what a pixi.toml states."""
    file = _toml.load(source)
    if not any(name in file.root for name in ("workspace", "project", "dependencies", "package")):
        raise Unreadable("No file of pixi's: it has neither a workspace nor dependencies.", 1)
    told = Gathered(source.path)
    state(file, (), told)
    return told.spec(FORMAT, False, nothing=NO_PACKAGE)


def state(file: Document, top: Key, told: Gathered) -> None:
    """Add what pixi's tables below ``top`` state to ``told``."""
    head: Key = (*top, "workspace") if file.table(*top, "workspace") else (*top, "project")
    places = [
        (one, file.line(*head, "platforms", at))
        for at, one in enumerate(file.items(*head, "platforms"))
        if isinstance(one, str)
    ]
    _conda.platforms(places, told)
    channels = [one for one in file.items(*head, "channels") if isinstance(one, str)]
    if channels:
        shortened = [_conda.without_secret(one)[:100] for one in channels[:20]]
        told.note("Channels, the first one first: %s." % ", ".join(shortened))
    _part(file, top, "", told)
    always = _of_default(file, top)
    for name in file.table(*top, "feature"):
        group = "" if name in always else "group:" + name[:100]
        _part(file, (*top, "feature", name), group, told)


def _of_default(file: Document, top: Key) -> set[str]:
    """Return the features of the environment that is used where nobody asks for another."""
    value = file.get(*top, "environments", "default")
    features = value.get("features") if isinstance(value, dict) else value
    return (
        {one for one in features if isinstance(one, str)} if isinstance(features, list) else set()
    )


def _part(file: Document, key: Key, group: str, told: Gathered) -> None:
    """State the tables of the whole file or of one feature, and those for single platforms."""
    _tables(file, key, "", group, told)
    cuda = file.get(*key, "system-requirements", "cuda")
    if isinstance(cuda, str) and cuda:
        where = file.where(*key, "system-requirements", "cuda")
        told.take(Fact(CUDA, "cuda", RANGE, where, "", ">=" + cuda[:40], CONDA, group=group))
    for name in file.table(*key, "target"):
        marker = _conda.selector(name)
        if marker is None:
            why = "No platform that is known; what is below counts everywhere."
            inner = next(iter(file.table(*key, "target", name)), "")
            told.miss(file.line(*key, "target", name, inner), name, why)
        _tables(file, (*key, "target", name), marker or "", group, told)


def _tables(file: Document, key: Key, marker: str, group: str, told: Gathered) -> None:
    for table, other in _CONDAS:
        dependencies(file, (*key, table), told, marker, group or other)
    for name, value in file.table(*key, "pypi-dependencies").items():
        place: Key = (*key, "pypi-dependencies", name)
        for found in _poetry.entry(name, value, file, place, group):
            if isinstance(found, Fact):
                told.take(found._replace(marker=_conda.both(found.marker, marker)))
            else:
                told.miss(file.line(*place), found.text, found.why)


def dependencies(
    file: Document, key: Key, told: Gathered, marker: str = "", group: str = ""
) -> None:
    """State a table of conda's packages: ``name = "1.2"`` or ``name = {version = ...}``."""
    for name, value in file.table(*key).items():
        for at, one in _each(value, (*key, name)):
            _dependency(file, name, one, at, marker, told, group)


def _each(value: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    if isinstance(value, list):
        yield from (((*key, at), one) for at, one in enumerate(value))
    else:
        yield key, value


def _dependency(
    file: Document, name: str, value: Any, key: Key, marker: str, told: Gathered, group: str
) -> None:
    table = {"version": value} if isinstance(value, str) else value
    line = file.line(*key)
    version = table.get("version", "*") if isinstance(table, dict) else None
    if not isinstance(version, str):
        told.miss(line, shown(value), _NOT_A_VERSION)
        return
    try:
        one = _matchspec.parse(name)
        bare = _matchspec.parse("x " + version.strip()) if version.strip() else one
    except ValueError as error:
        told.miss(line, "%s = %s" % (name[:60], shown(value)), str(error))
        return
    place = _poetry.place_of(table)
    build, channel, subdir = (_text(table, word) for word in ("build", "channel", "subdir"))
    told.take(
        Fact(
            kind=_conda.kind_of(one.name),
            name=one.name,
            exactness=PLACED if place and not bare.version else bare.exactness,
            where=told.where(line),
            version=bare.version,
            specifier="" if bare.exactness == NAMED else bare.specifier,
            ecosystem=PYPI if _text(table, "source") == "pypi" else CONDA,
            marker=_conda.both(marker, _conda.marker_of(subdir)),
            url=_conda.without_secret(place),
            build=build or bare.build,
            channel=_conda.without_secret(channel),
            group=group,
        )
    )


def _text(table: dict[str, Any], name: str) -> str:
    value = table.get(name)
    return value if isinstance(value, str) else ""
