"""Settings of a project: ``prov.yaml`` at its top, or ``[tool.prov]`` in ``pyproject.toml``.

Members, all optional: ``data`` and ``outputs`` (paths relative to the file, recorded with every
run; of data also addresses, or a path with the ``url`` that it comes from), ``remote_seconds`` (how
long servers may take to tell the version of what a run read from them; 0: they are not asked),
``digest_seconds`` (how long ``prov run`` may go on digesting after the command has ended),
``fail_on`` (the effect from which ``prov verify`` exits 1), ``rtol`` and ``atol`` (tolerance for
results), ``tolerance`` (the same for single metrics, by name or pattern), ``calls`` (how the user's
calls are compared: auto, off, synthetic, cut or full), ``call_table`` (whether ``prov run`` keeps a
table of them), ``remotes`` (places to push to, by name: an address, or options with ``url``),
``remote`` (the name of the one that is meant where none is said), ``claims`` (of the paper: they
are read and checked by `operations._claims_stated`, which keeps their digits and lines).
PyYAML is imported only where there is a setting to read.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from provenance.core.redact import without_credentials
from provenance.core.urls import public
from provenance.errors import BadRecord

FILE = "prov.yaml"


class Settings(NamedTuple):
    """A project's settings; see the module for their meaning. Paths are absolute.

    sources: of the declared data what lies elsewhere, as address and local path, "" for none.
    """

    data: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    digest_seconds: float = 30.0
    remote_seconds: float = 2.0
    sources: tuple[tuple[str, str], ...] = ()
    fail_on: str = "known"
    rtol: float | None = None
    atol: float | None = None
    calls: str = "auto"
    call_table: bool = False
    tolerance: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    remotes: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    remote: str = ""


_NAMES = (*(one for one in Settings._fields if one != "sources"), "claims")


def load(root: str) -> Settings:
    """Return the settings of the project at ``root``; defaults where it states none.

    Raises `BadRecord` naming the file and the member that is wrong.
    """
    values, path = _stated(root)
    return _checked(values, path, root)


def stated(root: str) -> dict[str, Any]:
    """Return the settings of the project at ``root`` as they are written, unchecked.

    Raises `BadRecord` where the file cannot be read.
    """
    return _stated(root)[0]


def _stated(root: str) -> tuple[dict[str, Any], str]:
    path = os.path.join(root, FILE)
    values = _from_yaml(path)
    if values is None:
        path = os.path.join(root, "pyproject.toml")
        values = _from_pyproject(path)
    return values or {}, path


def _from_yaml(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadRecord("%s cannot be read: %s" % (path, error)) from error
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        return {}
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = "%s:%d" % (path, mark.line + 1) if mark is not None else path
        raise BadRecord("%s is not valid YAML." % place, "mend or remove the line") from error
    return _mapping(value if value is not None else {}, path)


def _from_pyproject(path: str) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as stream:
            raw = stream.read()
    except OSError:
        return None
    if b"tool.prov" not in raw:
        return None
    if sys.version_info >= (3, 11):
        import tomllib as toml
    else:
        import tomli as toml
    try:
        document = toml.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, toml.TOMLDecodeError) as error:
        raise BadRecord("%s is not valid TOML: %s" % (path, error)) from error
    return _mapping(document.get("tool", {}).get("prov", {}), path)


def _mapping(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRecord("%s: expected settings as `name: value`, found %.40r." % (path, value))
    return value


def _checked(values: dict[str, Any], path: str, root: str) -> Settings:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:  # `remotes:` with nothing below it, or all of it commented out
            continue
        if name == "data":
            found["data"], found["sources"] = _data(value, path, root)
        elif name == "outputs":
            paths = [value] if isinstance(value, str) else value
            _require(_is_texts(paths), path, name, "a list of paths")
            found[name] = tuple(os.path.normpath(os.path.join(root, p)) for p in paths)
        elif name in ("digest_seconds", "remote_seconds", "rtol", "atol"):
            found[name] = _amount(value, path, name)
        elif name == "tolerance":
            found[name] = _tolerances(value, path)
        elif name == "remotes":
            found[name] = _remotes(value, path)
        elif name == "remote":
            _require(isinstance(value, str) and value, path, name, "the name of a remote")
            found[name] = value
        elif name == "fail_on":
            known = ("unknown", "possible", "known", "broken")
            _require(value in known, path, name, "one of " + ", ".join(known))
            found[name] = value
        elif name == "call_table":
            _require(isinstance(value, bool), path, name, "true or false")
            found[name] = value
        elif name == "calls":
            word = "off" if value is False else value  # YAML reads a bare `off` as false
            modes = ("auto", "off", "synthetic", "cut", "full")
            _require(word in modes, path, name, "one of " + ", ".join(modes))
            found[name] = word
        elif name not in _NAMES:
            _misspelt(str(name), path)
    return Settings(**found)


def _misspelt(name: str, path: str) -> None:
    """Raise `BadRecord` for what is nearly a setting: it would do nothing, and say nothing.

    Names that are like none may be of a newer version.
    """
    import difflib

    near = difflib.get_close_matches(name, _NAMES, 1, 0.75)
    _require(not near, path, name, "%s: there is no such setting" % "".join(near))


def _data(value: Any, path: str, root: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the paths, and the addresses with their local path. Raises `BadRecord`."""
    expected = "a list of paths and addresses, or of {path: data/x.csv, url: https://...}"
    paths: list[str] = []
    sources: list[tuple[str, str]] = []
    for one in value if isinstance(value, list) else [value]:
        members = {"url" if is_url(one) else "path": one} if isinstance(one, str) else one
        fits = isinstance(members, dict) and members and set(members) <= {"path", "url"}
        _require(fits and all(isinstance(o, str) for o in members.values()), path, "data", expected)
        local = members.get("path", "")
        url = members.get("url", "")
        _require(not url or is_url(url), path, "data", "%s (%.60r is none)" % (expected, url))
        place = os.path.normpath(os.path.join(root, local)) if local else ""
        paths += [place] if place else []
        sources += [(url, place)] if url else []
    return tuple(paths), tuple(sources)


def is_url(text: str) -> bool:
    """Return whether ``text`` names something elsewhere, and no path of this machine."""
    scheme, mark, rest = text.partition("://")
    return bool(mark and rest) and scheme.replace("+", "").isalnum() and scheme not in _LOCAL


_LOCAL = ("file", "local", "memory")


def _tolerances(value: Any, path: str) -> dict[str, dict[str, Any]]:
    """Return the tolerances of single metrics. Raises `BadRecord` naming the member."""
    example = "metrics by name, each with rtol, atol or ulp: tolerance: {val_acc: {atol: 0.005}}"
    _require(isinstance(value, dict), path, "tolerance", example)
    found: dict[str, dict[str, Any]] = {}
    for metric, members in value.items():
        place = "tolerance/%s" % metric
        _require(isinstance(members, dict) and members, path, place, "rtol, atol or ulp by name")
        found[str(metric)] = dict(members)
        for member, one in members.items():
            below = "%s/%s" % (place, member)
            if member in ("rtol", "atol"):
                found[str(metric)][member] = _amount(one, path, below)
            elif member == "ulp":
                _require(type(one) is int and one >= 0, path, below, "a whole number >= 0")
            elif member == "dtype":
                types = ("float64", "float32", "float16")
                _require(one in types, path, below, "one of " + ", ".join(types))
            else:
                _require(False, path, below, "rtol, atol, ulp or dtype")
    return found


def _amount(value: Any, path: str, name: str) -> float:
    """Return a stated tolerance. YAML 1.1 reads 1e-4, without a point, as text: it is a number."""
    if isinstance(value, str) and _AS_TEXT.match(value):
        value = float(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    known = number and math.isfinite(value) and value >= 0
    _require(known, path, name, "a number >= 0 (1e-4), not %r" % (value,))
    return float(value)


_AS_TEXT = re.compile(r"\s*\+?\d+(?:\.\d*)?[eE][+-]?\d{1,3}\s*$")


def _remotes(value: Any, path: str) -> dict[str, dict[str, Any]]:
    """Return the options of each remote. Raises `BadRecord`, also for anything that is secret."""
    example = "addresses by name: remotes: {team: s3://bucket/path}"
    _require(isinstance(value, dict), path, "remotes", example)
    found = {}
    for name, one in value.items():
        place = "remotes/%s" % name
        options = {"url": one} if isinstance(one, str) else one
        _require(isinstance(options, dict) and options.get("url"), path, place, "an address")
        url = options["url"]
        _require(isinstance(url, str), path, place, "an address")
        _require(not _lets_in(url), path, place, "an address without " + _HINT)
        for option, stated in options.items():
            secret = any(part in str(option) for part in _SECRET) and not isinstance(stated, bool)
            where = "%s/%s" % (place, option)
            _require(not secret, path, where, "left out: an address has no " + _HINT)
        found[str(name)] = {str(option): stated for option, stated in options.items()}
    return found


_SECRET = ("password", "secret", "token", "passphrase", "access_key", "connection_string", "sas")
"""Parts of the names of DVC's options that hold secrets (``ask_password: true`` holds none)."""


_HINT = "password or key: DVC's settings, the environment or an SSH key have it"


def _lets_in(url: str) -> bool:
    """Return whether an address has a password, or parameters that sign it."""
    scheme, _, rest = url.partition("://")
    user, at, _ = rest.partition("/")[0].rpartition("@")
    return (bool(at) and (":" in user or scheme.startswith("http"))) or (
        "?" in rest and public(url) != without_credentials(url)
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _require(holds: object, path: str, name: str, expected: str) -> None:
    if not holds:
        raise BadRecord("%s%s: %s must be %s." % (path, _line(path, str(name)), name, expected))


def _line(path: str, name: str) -> str:
    """Return ``:12`` for the line in which the member ``a/b`` is stated, "" where nothing tells."""
    if not path.endswith(FILE):
        return ""
    import yaml

    try:
        with open(path, encoding="utf-8") as stream:
            node = yaml.compose(stream, Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    line, rest = 0, name
    while rest and isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if rest == str(key.value) or rest.startswith("%s/" % key.value):
                line, rest, node = key.start_mark.line + 1, rest[len(key.value) + 1 :], value
                break
        else:
            break
    return ":%d" % line if line else ""
