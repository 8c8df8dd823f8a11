"""JSON, YAML and TOML by their values: layout and order of keys do not count."""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from provenance.compare.judged import Judged
from provenance.compare.kinds.base import Opaque, Pair, read_text, suffix
from provenance.compare.values import Tally

KIND = "values"


def compare(pair: Pair) -> Judged:
    """Compare two documents leaf by leaf."""
    first, second = (parsed(path, name, which) for path, name, which in pair.sides)
    tally = Tally(pair.tolerance)
    tally.values("", first, second)
    return tally.judged(KIND)


def parsed(path: str, name: str, which: str) -> Any:
    """Return what a document holds. Raises `Opaque` with the line where it is broken."""
    form = suffix(name).removesuffix(".gz")
    text = read_text(path, name)
    try:
        if form in (".yaml", ".yml"):
            return _yaml(text)
        if form == ".toml":
            toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
            return toml.loads(text)
        if form in (".jsonl", ".ndjson"):
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return json.loads(text)
    except RecursionError:
        raise Opaque("%s is nested too deeply" % which) from None
    except ValueError as error:
        what = " ".join(str(error).split())[:100]
        raise Opaque("%s is not readable as %s: %s" % (which, form[1:].upper(), what)) from None


def _yaml(text: str) -> Any:
    """Return plain YAML. Raises ValueError where it is none, or asks for objects to be made."""
    yaml = importlib.import_module("yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)  # the safe one, in C where that is here
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
