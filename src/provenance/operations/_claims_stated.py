"""The claims of a project, read from ``prov.yaml`` or ``[tool.prov]`` as they are written.

Numbers keep their digits: "91.70" says more than 91.7. Nothing is constructed from tags, and what
is nested too deeply or too large is refused.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

from provenance import config
from provenance.compare import _claim_form
from provenance.compare._claim_form import Said
from provenance.compare.claims import Claim
from provenance.errors import BadRecord

_DEEPEST, _MOST_NODES, _MOST_BYTES = 12, 20_000, 4 << 20
_INTEGER = re.compile(r"[+-]?\d+")


def read(root: str) -> tuple[Claim, ...]:
    """Return the claims of the project at ``root``. Raises `BadRecord` with file, line, member."""
    path, text = source(root)
    if "claims" not in text or (path.endswith(".toml") and "tool.prov" not in text):
        return ()
    config.load(root)  # what else is wrong with the settings is told first
    shown = os.path.basename(path)
    said = _of_yaml(text, path) if shown == config.FILE else _of_toml(text)
    return () if said is None else _claim_form.read(said, shown)


def source(root: str) -> tuple[str, str]:
    """Return the path and text of the settings of the project at ``root``; "" where none are."""
    for name in (config.FILE, "pyproject.toml"):
        path = os.path.join(root, name)
        try:
            with open(path, encoding="utf-8") as stream:
                return path, stream.read(_MOST_BYTES)
        except (OSError, UnicodeDecodeError):
            continue
    return os.path.join(root, config.FILE), ""


def of_text(text: str, path: str) -> tuple[Claim, ...]:
    """Return the claims that ``text``, YAML of a settings file, states. Raises `BadRecord`."""
    said = _of_yaml(text, path)
    return () if said is None else _claim_form.read(said, os.path.basename(path))


def _of_yaml(text: str, path: str) -> Said | None:
    import yaml  # not where no claim is stated

    try:
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = "%s:%d" % (path, mark.line + 1) if mark is not None else path
        raise BadRecord("%s is not valid YAML." % place, "mend or remove the line") from error
    if not isinstance(top, yaml.MappingNode):
        return None
    for key, value in top.value:
        if isinstance(key, yaml.ScalarNode) and key.value == "claims":
            return _Reader(os.path.basename(path)).said(value, key.start_mark.line + 1)
    return None


class _Reader:
    """Turns YAML nodes into values; aliases may name a node again and again, but not for ever."""

    def __init__(self, path: str) -> None:
        self.path, self.count = path, 0

    def said(self, node: Any, line: int, depth: int = 0) -> Said:
        import yaml

        self.count += 1
        if depth > _DEEPEST or self.count > _MOST_NODES:
            raise BadRecord("%s:%d: claims are nested too deeply." % (self.path, line))
        if isinstance(node, yaml.MappingNode):
            return Said(self.mapping(node, depth), "", line)
        if isinstance(node, yaml.SequenceNode):
            items = [self.said(one, one.start_mark.line + 1, depth + 1) for one in node.value]
            return Said(items, "", line)
        plain = node.style is None
        return Said(_plain(node.value) if plain else node.value, node.value, line)

    def mapping(self, node: Any, depth: int) -> dict[str, Said]:
        import yaml

        found: dict[str, Said] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise BadRecord("%s:%d: a name must be a word." % (self.path, line))
            if key.value in found:
                raise BadRecord("%s:%d: %s is there twice." % (self.path, line, key.value))
            found[key.value] = self.said(value, line, depth + 1)
        return found


def _plain(text: str) -> Any:
    """Return what an unquoted word means."""
    if text.lower() in ("", "~", "null"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text) and len(text) < 20:
        return int(text)
    try:
        return float(text)
    except ValueError:
        return text


class _Digits(float):
    """A number of a TOML file with its own characters."""

    text = ""


def _digits(text: str) -> _Digits:
    one = _Digits(text)
    one.text = text
    return one


def _of_toml(text: str) -> Said | None:
    if sys.version_info >= (3, 11):
        import tomllib as toml
    else:
        import tomli as toml
    document = toml.loads(text, parse_float=_digits)
    claims = document.get("tool", {}).get("prov", {}).get("claims")
    return None if claims is None else _from_toml(claims, text, ())


def _from_toml(value: Any, text: str, names: tuple[str, ...]) -> Said:
    line = _line(text, names)
    if isinstance(value, dict):
        members = {name: _from_toml(one, text, (*names, name)) for name, one in value.items()}
        return Said(members, "", line)
    if isinstance(value, list):
        return Said([_from_toml(one, text, names) for one in value], "", line)
    if isinstance(value, _Digits):
        return Said(float(value), value.text, line)
    return Said(value, str(value).lower() if isinstance(value, bool) else str(value), line)


def _line(text: str, names: tuple[str, ...]) -> int:
    """Return the line of a claim in a TOML file, found by its words; 0 where it is not found."""
    if not names:
        return 0
    quoted = r"\"?%s\"?" % re.escape(names[0])
    head = re.search(
        r"^\s*\[\s*tool\.prov\.claims\.%s\s*[\].]|^\s*(?:claims\.)?%s\s*=" % (quoted, quoted),
        text,
        re.MULTILINE,
    )
    if head is None:
        return 0
    at = head.start() + len(head[0]) - len(head[0].lstrip())
    for name in names[1:2]:
        found = re.compile(r"^\s*%s\s*=" % re.escape(name), re.MULTILINE).search(text, head.end())
        at = found.end() if found else at
    return text.count("\n", 0, at) + 1
