r"""The file that says which tensor of one archive is which of another: its grammar.

A map is a YAML file of up to three parts. The left side speaks of the first file of ``prov diff
OLD NEW --map``, the right side of the second one, and of what has to be done to it::

    tensors:
      conv1.weight: conv1/kernel | HWIO -> OIHW
      lstm.bias_ih + lstm.bias_hh: lstm/bias
      qkv.weight: concat(q/kernel, k/kernel, v/kernel) on axis 1 | transpose
    rules:
      blocks\.(\d+)\.fc\.weight: block_\1/dense/kernel | transpose
    ignore:
      - "*.num_batches_tracked"

``side = source { " | " step }``, ``source = name { " + " name }`` or ``concat(name, ...)`` or
``stack(name, ...)``, both with `` on axis N`` behind where it is not 0. A name that holds a space,
a comma, a bracket, ``|`` or ``"`` stands in double quotes. In rules the left side is a regular
expression that fits whole names; on the right ``\1`` is its first group and ``\{1+2}`` that
number plus 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from provenance.compare._mapping_steps import Malformed, Step, parse
from provenance.errors import BadRecord

LIMIT = 4 << 20
"""Bytes up to which a map is read: ten thousand tensors need one."""
_MEMBERS = ("tensors", "rules", "ignore")
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s|,()"]+)')


class Side(NamedTuple):
    """One side of an entry. join: "" for one name, "sum", "concat" or "stack"."""

    names: tuple[str, ...]
    join: str = ""
    axis: int = 0
    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        """Return the side as it is written in a map."""
        names = [quoted(name) for name in self.names]
        if self.join in ("concat", "stack"):
            source = "%s(%s)" % (self.join, ", ".join(names))
            source += " on axis %d" % self.axis if self.axis else ""
        else:
            source = " + ".join(names)
        return " | ".join([source, *(str(step) for step in self.steps)])


class Entry(NamedTuple):
    """One line: what ``left`` is of the first file is ``right`` of the second. line: from 1 on."""

    left: Side
    right: Side
    line: int = 0


class Rule(NamedTuple):
    """One line for many tensors. pattern: fits whole names of the first file."""

    pattern: re.Pattern[str]
    right: Side
    line: int = 0


class Map(NamedTuple):
    """A whole map. ignore: shell patterns of names of either file. path: for messages."""

    entries: tuple[Entry, ...] = ()
    rules: tuple[Rule, ...] = ()
    ignore: tuple[str, ...] = ()
    path: str = "map"


def quoted(name: str) -> str:
    """Return ``name`` as it is written in a map."""
    found = _NAME.fullmatch(name)
    if found and found.group(2) and name not in ("+", "on"):
        return name
    return '"%s"' % name.replace("\\", "\\\\").replace('"', '\\"')


def parse_side(text: str) -> Side:
    """Return the side that ``text`` states. Raises `Malformed`."""
    source, _, rest = _at_bar(text)
    steps = []
    while rest:
        one, _, rest = _at_bar(rest)
        steps.append(parse(one))
    names, join, axis = _source(source.strip())
    return Side(names, join, axis, tuple(steps))


def _at_bar(text: str) -> tuple[str, str, str]:
    """Split at the first ``|`` outside of quotes; what follows it must not be empty."""
    found = re.match(r'((?:"(?:[^"\\]|\\.)*"|[^"|])*)(\||$)', text)
    if not found:
        raise Malformed('a double quote is not closed in "%s"' % text)
    if found.group(2) and not text[found.end() :].strip():
        raise Malformed("nothing stands behind the last |")
    return found.group(1), found.group(2), text[found.end() :]


def _source(text: str) -> tuple[tuple[str, ...], str, int]:
    joined = re.fullmatch(r"(concat|stack) ?\((.*)\)(?: on axis (-?\d{1,2}))?", text, re.DOTALL)
    if joined:
        names = tuple(_names(joined.group(2), ","))
        return names, joined.group(1), int(joined.group(3) or 0)
    names = tuple(_names(text, "+"))
    return names, "sum" if len(names) > 1 else "", 0


def _names(text: str, between: str) -> Iterator[str]:
    """Yield the names in ``text``. Raises `Malformed`."""
    place, text = 0, text.strip()
    while True:
        found = _NAME.match(text, place)
        if not found or found.group() == between:
            raise Malformed("a name is missing in '%s'" % text)
        yield _unquoted(found)
        rest = text[found.end() :]
        if not rest:
            return
        gap = re.match(r"\s*,\s*" if between == "," else r"\s+\+\s+", rest)
        if not gap:
            raise Malformed(
                "'%s' is not understood behind '%s'; names with spaces, commas or brackets stand"
                " in double quotes" % (rest.strip(), found.group())
            )
        place = found.end() + gap.end()


def _unquoted(found: re.Match[str]) -> str:
    if found.group(2) is not None:
        return found.group(2)
    return re.sub(r"\\(.)", r"\1", found.group(1), flags=re.DOTALL)


def load(path: str) -> Map:
    """Read the map at ``path``. Raises `BadRecord` with file, line and what is wrong."""
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read(LIMIT + 1)
    except OSError as error:
        raise BadRecord("%s cannot be read: %s." % (path, error.strerror)) from error
    except UnicodeDecodeError as error:
        raise BadRecord("%s is not text in UTF-8." % path) from error
    return loads(text, path)


def loads(text: str, path: str = "map") -> Map:
    """Return the map that ``text`` states; ``path`` is for messages. Raises `BadRecord`."""
    if len(text) > LIMIT:
        raise BadRecord("%s is longer than %d MiB, which no map is." % (path, LIMIT >> 20))
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise BadRecord(_yaml_says(path, error), "see docs/ported-weights.md") from error
    except RecursionError as error:
        raise BadRecord("%s is nested too deeply for a map." % path) from error
    if root is None:
        return Map(path=path)
    reader = _Reader(path)
    parts: dict[str, Any] = dict.fromkeys(_MEMBERS, ())
    for name, line, value in reader.members(root, "a map has the members " + ", ".join(_MEMBERS)):
        if name not in _MEMBERS:
            reader.fail(line, "'%s' is no member; there are: %s" % (name, ", ".join(_MEMBERS)))
        parts[name] = tuple(getattr(reader, name)(value))
    return Map(parts["tensors"], parts["rules"], parts["ignore"], path)


def _yaml_says(path: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "a character that YAML does not allow"
    place = "%s:%d" % (path, mark.line + 1) if mark is not None else path
    return "%s: this is not YAML: %s." % (place, problem)


class _Reader:
    """Reads the nodes of one file, so that every mistake is told with its line."""

    def __init__(self, path: str) -> None:
        self.path = path

    def fail(self, line: int, text: str) -> None:
        """Raise `BadRecord`."""
        raise BadRecord("%s:%d: %s." % (self.path, line, text), "see docs/ported-weights.md")

    def members(self, node: yaml.Node, wanted: str) -> Iterator[tuple[str, int, yaml.Node]]:
        """Yield the members of a mapping: name, line, value."""
        if not isinstance(node, yaml.MappingNode):
            self.fail(node.start_mark.line + 1, wanted)
        seen: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            name = self.text(key)
            if name in seen:
                self.fail(line, "'%s' stands here twice" % name)
            seen.add(name)
            yield name, line, value

    def text(self, node: yaml.Node) -> str:
        """Return the text of a scalar."""
        if not isinstance(node, yaml.ScalarNode):
            self.fail(node.start_mark.line + 1, "a name or an expression is wanted here")
        return str(node.value)

    def tensors(self, node: yaml.Node) -> Iterator[Entry]:
        """Yield the entries."""
        for left, line, value in self.members(node, "tensors: wants lines 'name: name | steps'"):
            right = self.text(value)
            try:
                yield Entry(parse_side(left), parse_side(right), line)
            except Malformed as error:
                self.fail(line, str(error))

    def rules(self, node: yaml.Node) -> Iterator[Rule]:
        """Yield the rules."""
        for left, line, value in self.members(node, "rules: wants lines 'pattern: name | steps'"):
            right = self.text(value)
            try:
                yield Rule(re.compile(left), parse_side(right), line)
            except Malformed as error:
                self.fail(line, str(error))
            except (re.error, OverflowError, RecursionError) as error:
                self.fail(line, "'%s' is no regular expression: %s" % (left, error))

    def ignore(self, node: yaml.Node) -> Iterator[str]:
        """Yield the patterns of what is left out."""
        if not isinstance(node, yaml.SequenceNode):
            self.fail(node.start_mark.line + 1, "ignore: wants a list of names or patterns")
        for one in node.value:
            yield self.text(one)


def expanded(right: Side, found: re.Match[str]) -> Side:
    r"""Return a rule's right side with ``\1`` and ``\{1+2}`` filled in. Raises `Malformed`."""

    def fill(place: re.Match[str]) -> str:
        number, shift = int(place.group(1) or place.group(2)), place.group(3)
        try:
            text = found.group(number)
        except IndexError:
            raise Malformed("the pattern has no group %d" % number) from None
        if shift is None:
            return text or ""
        if not re.fullmatch(r"[0-9]{1,9}", text or ""):
            raise Malformed("group %d is '%s', which is no number to add to" % (number, text))
        return str(int(text) + int(shift))

    places = re.compile(r"\\(?:(\d)|\{(\d)([+-]\d{1,6})\})")
    return right._replace(names=tuple(places.sub(fill, name) for name in right.names))
