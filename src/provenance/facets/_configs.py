"""Values of the configuration files that the run read: YAML, JSON, TOML, INI, by dotted name.

A file is read where its form, size and place say that a person wrote it to configure the run. Data
that happens to be JSON, files of packages and of models are none, nor is what the run itself wrote.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from provenance.core.context import Context
from provenance.core.filekinds import environment_folders, is_ignored, suffix
from provenance.core.paths import is_inside

LARGEST = 256 << 10
"""Bytes of a file that is read; a larger one is data."""
_MOST_FILES, _MOST_VALUES, _DEEPEST, _LONGEST_LIST = 50, 400, 8, 64

_FORMS = {
    ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml", ".ini": "ini",
    ".cfg": "ini", ".conf": "ini",
}  # fmt: skip
_OTHERS = re.compile(
    r"(^|[_\-.])((package|package-lock|tsconfig|pyproject|setup|tox|mypy|pytest|environment|conda|"
    r"poetry|uv|dvc|mlproject|citation|metadata|manifest)\.(json|ya?ml|toml|cfg|ini)|"
    r"(tokenizer(_config)?|vocab|merges|added_tokens|special_tokens_map|preprocessor_config|"
    r"generation_config|adapter_config|index|dataset_infos?|dataset_dict|state|annotations?|"
    r"captions?|instances|labels?|class_indices|metrics?|results?|history|predictions?|meta|"
    r"train|val|valid|validation|test|dev|data)\.json)$",
    re.IGNORECASE,
)
"""Names of files that are of packages, models, data sets or results."""


class Read(NamedTuple):
    """values: name, value and file of each setting. notes: what could not be read."""

    values: Tuple[Tuple[str, Any, str], ...]
    notes: Tuple[str, ...] = ()


def read(context: Context) -> Read:
    """Return the settings in the files that the run read before it wrote them."""
    found: List[Tuple[str, Any, str]] = []
    notes: List[str] = []
    for path in _candidates(context):
        try:
            with open(path, "rb") as file:
                values = _parsed(_FORMS[suffix(path)], file.read(LARGEST + 1))
        except ImportError:
            notes.append("%s is not read: PyYAML is missing" % os.path.basename(path))
            continue
        except Exception:  # noqa: BLE001  # four formats' parsers raise a dozen kinds of errors
            continue
        flat = dict(_flat(values, "", 0)) if isinstance(values, dict) else {}
        if flat and len(flat) <= _MOST_VALUES:
            name = _shown(path, context)
            found += [(key, value, name) for key, value in flat.items()]
    return Read(tuple(found), tuple(notes))


def _candidates(context: Context) -> Iterator[str]:
    """Yield the files, each once, that may be configuration of the run."""
    folders = environment_folders(context.interpreters)
    tops = _tops(context)
    named = {os.path.basename(word) for word in context.command}
    count = 0
    seen = set()
    for use in context.observed.files:
        if not use.read or use.first != "r" or suffix(use.path) not in _FORMS:
            continue
        path = os.path.realpath(use.path)
        base = os.path.basename(path)
        if path in seen or suffix(path) not in _FORMS:
            continue
        seen.add(path)
        if is_ignored(use.path, folders, tops) or (_OTHERS.search(base) and base not in named):
            continue
        if base not in named and not any(is_inside(use.path, top) for top in tops):
            continue
        try:
            if not 0 < os.path.getsize(path) <= LARGEST:
                continue
        except OSError:
            continue
        count += 1
        if count > _MOST_FILES:
            return
        yield use.path


def _tops(context: Context) -> Tuple[str, ...]:
    """Return the folders of the project."""
    return context.roots.tops()


def _shown(path: str, context: Context) -> str:
    for top in _tops(context):
        if is_inside(path, top):
            return os.path.relpath(path, top)
    return os.path.basename(path)


def _parsed(form: str, text: bytes) -> Any:
    if form == "json":
        return json.loads(text.decode("utf-8-sig"))
    if form == "yaml":
        import yaml  # type: ignore[import-untyped,unused-ignore]  # the host has it, an agent not

        if getattr(yaml, "__with_libyaml__", False):
            return yaml.load(text, Loader=yaml.CSafeLoader)
        return yaml.safe_load(text)
    if form == "toml":
        import tomllib  # type: ignore[import-not-found,unused-ignore]  # from 3.11 on

        return tomllib.loads(text.decode("utf-8"))
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text.decode("utf-8-sig"))
    sections = {name: dict(parser.items(name)) for name in parser.sections()}
    return {"DEFAULT": dict(parser.defaults()), **sections} if parser.defaults() else sections


def _flat(value: Any, name: str, depth: int) -> Iterator[Tuple[str, Any]]:
    """Yield the values by dotted name; a short list is one value, a long one no setting."""
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, one in list(value.items())[: _MOST_VALUES + 1]:
            for found in _flat(one, "%s.%s" % (name, key) if name else str(key), depth + 1):
                yield found
    elif isinstance(value, list):
        plain = _listed(value, 0)
        if plain is not None:
            yield name, plain
    elif isinstance(value, dict):
        return
    else:
        yield name, _scalar(value)


def _listed(value: List[Any], depth: int) -> Optional[List[Any]]:
    if len(value) > _LONGEST_LIST or depth > 3:
        return None
    found: List[Any] = []
    for one in value:
        if isinstance(one, list):
            inner = _listed(one, depth + 1)
            if inner is None:
                return None
            found.append(inner)
        elif isinstance(one, dict):
            flat: Dict[str, Any] = dict(_flat(one, "", depth + 4))
            found.append(flat if len(flat) <= _LONGEST_LIST else "{...}")
        else:
            found.append(_scalar(one))
    return found


def _scalar(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
