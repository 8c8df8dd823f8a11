"""Claims to begin with: suggested from the metrics of runs, and written into ``prov.yaml``.

The file is edited as text, so that comments and order stay; the result is read again before it
takes the place of the old one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from provenance import config
from provenance.compare.claims import LAST
from provenance.core.record import Record
from provenance.core.volatile import is_volatile_name
from provenance.errors import NoSuchRun, UsageError
from provenance.facets import metrics
from provenance.operations import _claims_runs, _claims_stated
from provenance.operations._claims_runs import Pool
from provenance.store import files, project

_PLAIN = re.compile(r"[A-Za-z_][\w./@-]*|[+-]?\d+(\.\d+)?([eE][+-]?\d+)?|[+-]?\d+(\.\d+)? ?%")
_WORDS = frozenset("true false yes no on off null y n".split())
_DIGITS = 4
"""Significant digits of a suggested number: what tables print."""


class Wish(NamedTuple):
    """A claim to be written. members: by name, None for what is not stated.

    parameters, packages: as NAME=VALUE.
    """

    cwd: str
    name: str
    members: Mapping[str, str | None]
    parameters: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def suggested(cwd: str, names: tuple[str, ...]) -> str:
    """Return YAML of a claim per metric of the runs, and a comparison of two runs.

    Raises `NoSuchRun`.
    """
    pool = Pool(project.find(cwd), cwd)
    lines = ["claims:"]
    shared: list[tuple[str, dict[str, float]]] = []
    for name in names:
        found, why = pool.named(name)
        if not found:
            raise NoSuchRun(why + ".", "see: prov ls")
        values = _metrics([one.record for one in found])
        shared.append((name, {metric: value for metric, value, _ in values}))
        for metric, _, printed in values:
            members = {"says": "TODO: the paper's sentence", "run": name, "metric": metric}
            lines += _block(_name(name, metric), {**members, "value": printed})
    lines += _comparison(shared)
    return "\n".join(lines) + "\n"


def _metrics(runs: list[Record]) -> list[tuple[str, float, str]]:
    """Return the metrics that all ``runs`` have: name, mean, and as a table would print it."""
    found = []
    told = [metrics.of(run) for run in runs]
    names = list(told[0].final) if told and told[0] is not None else []
    for name in names:
        values = [_claims_runs.value_of(run, name, LAST).values for run in runs]
        if is_volatile_name(name) or not all(values):
            continue
        every = [one.number for part in values for one in part]
        mean = sum(every) / len(every)
        found.append((name, float(mean), "%.*g" % (_DIGITS, mean)))
    return found


def _comparison(shared: list[tuple[str, dict[str, float]]]) -> list[str]:
    if len(shared) < 2:
        return []
    (one, mine), (other, theirs) = shared[:2]
    metric = next((name for name in mine if name in theirs and mine[name] != theirs[name]), None)
    if metric is None:
        return []
    first, second = (one, other) if mine[metric] > theirs[metric] else (other, one)
    holds = "%s > %s" % tuple(_of(name, metric) for name in (first, second))
    says = "TODO: %s is above %s" % (first, second)
    return _block(_name(first, "above-" + second), {"says": says, "holds": holds})


def _of(run: str, metric: str) -> str:
    bare = re.compile(r"[\w.@/*-]+")
    return ":".join(p if bare.fullmatch(p) else '"%s"' % p for p in (run, metric))


def _name(*parts: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-")[:100] or "claim"


def _block(name: str, members: Mapping[str, Any]) -> list[str]:
    stated = ["    %s: %s" % (key, _yaml(key, value)) for key, value in members.items() if value]
    return ["  %s:" % name, *stated]


def _yaml(key: str, value: Any) -> str:
    """Return a value as it is written: words and numbers bare, anything else quoted."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (k, _yaml("", v)) for k, v in value.items())
    text = str(value)
    if key != "says" and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def add(wish: Wish) -> tuple[str, str]:
    """Write a claim into ``prov.yaml``; return its path and the lines. Raises `ProvError`."""
    root = project.find(wish.cwd).root
    path, text = _claims_stated.source(root)
    members = _members(wish, root)
    lines = _block(wish.name, members)
    if os.path.basename(path) != config.FILE:
        if text and re.search(r"^\s*\[\s*tool\.prov", text, re.MULTILINE):
            hint = "write it there yourself as [tool.prov.claims.%s]" % wish.name
            raise UsageError("the settings of this project are in pyproject.toml.", hint)
        path, text = os.path.join(root, config.FILE), ""
    if any(one.name == wish.name for one in _claims_stated.read(root)):
        raise UsageError("there is a claim %s already." % wish.name, "edit it in %s" % path)
    new = _with(text, lines)
    if not any(one.name == wish.name for one in _claims_stated.of_text(new, path)):
        hint = "write it there yourself:\n" + "\n".join(["claims:", *lines])
        raise UsageError("claims in %s are written on one line." % path, hint)
    files.write_atomic(path, new.encode("utf-8"))
    return path, "\n".join(["claims:", *lines]) + "\n"


def _members(wish: Wish, root: str) -> dict[str, Any]:
    members: dict[str, Any] = {key: one for key, one in wish.members.items() if one is not None}
    for key, pairs in (("parameters", wish.parameters), ("packages", wish.packages)):
        split = [one.partition("=") for one in pairs]
        if any(not name or not sign for name, sign, _ in split):
            raise UsageError("a %s is NAME=VALUE." % key.removesuffix("s"), "lr=1e-4")
        if split:
            members[key] = {name: value for name, _, value in split}
    if "metric" in members and "value" not in members and "run" in members:
        found, why = Pool(project.find(root), wish.cwd).named(members["run"])
        if not found:
            raise NoSuchRun(why + ".", "see: prov ls")
        known = _claims_runs.value_of(found[0].record, members["metric"], LAST)
        if known.why:
            raise UsageError(known.why + ".")
        members["value"] = "%.*g" % (_DIGITS, known.values[0].number)
    return members


def _with(text: str, lines: list[str]) -> str:
    """Return the settings with ``lines`` at the end of their claims, or claims at their end."""
    end = _end_of_claims(text)
    if end is None:
        before = text if not text or text.endswith("\n") else text + "\n"
        gap = "\n" if before.strip() else ""
        return before + gap + "\n".join(["claims:", *lines]) + "\n"
    known = text.splitlines()
    return "\n".join([*known[:end], *lines, *known[end:]]) + "\n"


def _end_of_claims(text: str) -> int | None:
    """Return after how many lines the claims end, None where there are none."""
    import yaml

    top = yaml.compose(text, Loader=yaml.SafeLoader)
    for key, value in top.value if isinstance(top, yaml.MappingNode) else ():
        if key.value != "claims":
            continue
        if isinstance(value, yaml.ScalarNode) and not value.value:
            return int(key.start_mark.line) + 1  # "claims:" with nothing below it
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            return _last_line(text.splitlines(), value.end_mark)
    return None


def _last_line(known: list[str], end_mark: Any) -> int:
    """Return after how many lines a block ends, without what is below it by empty lines."""
    end = min(int(end_mark.line), len(known))
    if end_mark.column and end < len(known):
        end += 1
    while end > 0 and (not known[end - 1].strip() or known[end - 1].startswith("#")):
        end -= 1
    return end
