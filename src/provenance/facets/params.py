"""With which parameters the program ran, and how each of them is known.

Several sources may speak of one parameter. The one that is nearest to what the program used gives
the value that is shown; the others are kept beside it.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional

from provenance.core import canonical, codec
from provenance.core.context import AFTER, DURING, PRESENT, Context
from provenance.core.difference import UNKNOWN, Comparison, Difference
from provenance.core.filekinds import is_config
from provenance.core.paths import is_inside
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _argv, _facet
from provenance.facets._merging import ARGV, FILE, SCRIPT, Other, Parameter, Saying, merged

if TYPE_CHECKING:
    from provenance.facets import _configs

NAME = "params"
VERSION = 1
PHASES = (DURING, AFTER)
SITE = _facet.TARGET

__all__ = ["Other", "Parameter", "Params", "Saying", "capture", "compare", "merged", "of"]

LONGEST = 2000
"""Longer texts are cut, with the SHA-256 of the whole."""

upgrade = _facet.nothing_to_upgrade


class Params(NamedTuple):
    """All parameters by name."""

    values: Dict[str, Parameter]


def capture(context: Context) -> Payload:
    """Return the parameters of the command line, of what the hook saw, and of files."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    sayings = _parsed(context)
    if context.observed.sdk:
        from provenance.facets import _sdk  # only where the code told something

        sayings += [Saying(one.name, one.value, one.source) for one in _sdk.params(context)]
    sayings += _words(context)
    notes: List[str] = []
    if context.phase == AFTER:
        sayings += _scripted(context)
        files = _settings(context)
        hydra = any(one.source == "hydra" for one in context.observed.parsed)
        composed = _ends(sayings) if hydra else {}
        for name, value, where in files.values if files else ():
            own = name == "defaults" or name.startswith("hydra.") or composed.get(name, 0) > 1
            if not (hydra and own):
                sayings.append(Saying(name, value, FILE, None, None, where))
        notes = list(files.notes) if files else []
    clean = [_clean(one, context) for one in sayings]
    return captured(VERSION, Params(merged(clean)))._replace(notes=tuple(notes))


def _ends(sayings: List[Saying]) -> Dict[str, int]:
    """Return how many of hydra's names end in which words: ``db.name`` and ``job.name`` in name.

    A file of a group that hydra composed says ``name``, and which of them that is it does not say.
    """
    names = {one.name for one in sayings if one.source == "hydra" and "." in one.name}
    found: Dict[str, int] = {}
    for name in names:
        parts = name.split(".")
        for place in range(1, len(parts)):
            end = ".".join(parts[place:])
            found[end] = found.get(end, 0) + 1
    return found


def _settings(context: Context) -> "Optional[_configs.Read]":
    """Return what the settings files hold that the run read, None where it read none."""
    if not any(is_config(use.path) for use in context.observed.files):
        return None
    from provenance.facets import _configs

    return _configs.read(context)


def _parsed(context: Context) -> List[Saying]:
    """Return what parsers and libraries said; with the script's name where there are several."""
    told = context.observed.parsed
    several = len({one.script for one in told}) > 1
    return [
        Saying(
            name,
            item.get("value"),
            one.source,
            item.get("default"),
            item.get("given"),
            one.script if several else "",
            one.job,
        )
        for one in told
        for name, item in one.values.items()
    ]


def _words(context: Context) -> List[Saying]:
    """Return what stands on the command line, and on those of the scripts that it started."""
    launcher = _argv.launched(context.command)
    found = [Saying(name, value, ARGV, None, True) for name, value in launcher.items()]
    hydra = any(one.source == "hydra" for one in context.observed.parsed)
    own = dict(_argv.parameters(context.command))
    for name in ("m", "multirun") if hydra else ():
        own.pop(name, None)
    found += [Saying(name, value, ARGV, None, True) for name, value in own.items()]
    for process in context.observed.processes:
        words = process.argv
        path = words[_argv.first_argument(words) - 1] if words else ""
        script = os.path.basename(path)
        if not process.forked and words != context.command:
            started = _argv.launched(words)
            found += [Saying(name, value, ARGV, None, True) for name, value in started.items()]
        if process.forked or not _argv.is_script(script) or _is_library(path, context):
            continue
        inner = dict(_argv.parameters(words))
        if hydra or inner == own:
            continue
        found += [Saying(name, value, ARGV, None, True, script) for name, value in inner.items()]
    return found


def _is_library(path: str, context: Context) -> bool:
    """Return whether a script was installed, so that its words are no parameters of the run's."""
    if "-packages" in path:
        return True
    prefixes = [p for one in context.interpreters for p in (one.prefix, one.base_prefix) if p]
    return any(is_inside(path, prefix) for prefix in prefixes if prefix != "/")


def _scripted(context: Context) -> List[Saying]:
    """Return the settings that stand in the scripts as plain values."""
    told = [one.value for one in context.observed.noted if one.topic == "main"]
    if not told:
        return []
    from provenance.facets import _scripts  # only where there is a script

    found: List[Saying] = []
    read = [use.path for use in context.observed.files if use.read and use.path.endswith(".py")]
    files = {str(one.get("file")) for one in told}
    for one in told:
        file = str(one.get("file"))
        where = os.path.basename(file) if len(files) > 1 else ""
        words = [word for process in context.observed.processes for word in process.argv[1:]]
        named = [path for path in read if any(path.endswith("/" + w) or path == w for w in words)]
        known = _scripts.of(file, named) if file else _in_notebooks(context)
        values = one.get("values")
        for name, (value, default, given) in _scripts.told(
            known, values if isinstance(values, dict) else {}
        ).items():
            found.append(Saying(name, value, SCRIPT, default, given, where))
        objects = one.get("objects")
        for name, held in (objects if isinstance(objects, dict) else {}).items():
            found += _held(context, name, held, where) if isinstance(held, dict) else []
    return found


def _in_notebooks(context: Context) -> List[Any]:
    """Return the settings in the notebooks that the run read: a kernel does not know its own."""
    from provenance.facets import _sheetsettings  # only where a kernel ran

    uses = context.observed.files
    return _sheetsettings.of(use.path for use in uses if use.read and use.path.endswith(".ipynb"))


def _held(context: Context, name: str, held: Dict[str, Any], where: str) -> List[Saying]:
    """Return what an object of settings held at the end.

    Where it is a parser's result, that is what the script added or changed afterwards.
    """
    parsed: Dict[str, Any] = {}
    for told in context.observed.parsed:
        parsed.update((key, item.get("value")) for key, item in told.values.items())
    if 2 * len(parsed.keys() & held.keys()) < len(held):
        return [Saying("%s.%s" % (name, k), v, SCRIPT, None, None, where) for k, v in held.items()]
    return [
        Saying(key, value, SCRIPT, None, None, where, final=True)
        for key, value in held.items()
        if key not in parsed or parsed[key] != value
    ]


def _clean(one: Saying, context: Context) -> Saying:
    """Return ``one`` without secrets and without what is too long to keep."""
    name = context.redact.text(one.name)
    where = context.redact.text(one.where)
    value = _short(context.redact.value(one.name, one.value))
    return one._replace(
        name=name,
        value=value,
        where=where,
        default=_short(context.redact.value(one.name, one.default)),
    )


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else ""
    if not isinstance(value, (str, int, float, bool, type(None))):
        text = canonical.compact(value).decode("utf-8", "replace")
    if len(text) <= LONGEST:
        return value
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return "%s... (%d characters, sha256 %s)" % (text[:200], len(text), digest)


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare value by value; what a changed parameter does is never known from here."""
    was, now = _of(old).values, _of(new).values
    subject = old.subjects[0].id
    found = []
    names = sorted(set(was) | set(now))
    for name in names:
        before, after = was.get(name), now.get(name)
        if before is None and after is not None:
            found.append(Difference(NAME, subject, "added", name, UNKNOWN, None, after.value))
        elif before is not None and after is None:
            found.append(Difference(NAME, subject, "removed", name, UNKNOWN, before.value, None))
        elif before is not None and after is not None and before.value != after.value:
            found.append(
                Difference(NAME, subject, "value", name, UNKNOWN, before.value, after.value)
            )
    return Comparison(tuple(found), len(names) - len(found), len(names), "parameters")


def _of(payload: Payload) -> Params:
    return codec.decode(Params, payload.subjects[0].payload)


def of(record: Record) -> Optional[Params]:
    """Return the parameters; None where the record has none."""
    found = record.payloads(NAME)
    return codec.decode(Params, found[0].payload) if found else None
