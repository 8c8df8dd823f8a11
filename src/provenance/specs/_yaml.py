"""YAML with line numbers, read safely: only texts, lists and maps come out.

The events of PyYAML's safe parser (libyaml's where it is there) are put together here, without
recursion, so that depth, size and the expansion of aliases are bounded while they are read. Tags
are not looked at; numbers and dates stay the text that stands in the file (3.10 is not 3.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import yaml

from provenance.specs._text import brief, decoded
from provenance.specs.model import Unreadable

SCALAR, LIST, MAP = "scalar", "list", "map"

MOST_BYTES = 32 << 20
"""What they may hold is bounded by `MOST_NODES`."""
MOST_NODES = 500_000
"""With those that aliases repeat; a second. The largest locks in repositories have some 200,000."""
DEEPEST = 64
"""Of nested lists and maps, with those that aliases stand for."""

_C = bool(getattr(yaml, "__with_libyaml__", False))
_LOADER: Any = yaml.CSafeLoader if _C else yaml.SafeLoader
_MOST_SLOW = 4 << 20
"""Bytes, where libyaml is not there: Python's own parser takes 20 times as long."""
_NULLS = ("", "~", "null", "Null", "NULL")
# YAML takes these for ends of lines, editors and our line numbers do not; YAML forbids the others.
_STRANGE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


class Node:
    """One value and the line where it begins.

    kind: SCALAR, LIST or MAP. line: from 1. text: of a scalar, as written without quotes. plain:
    whether it stands without quotes. items: of a list. pairs: of a map, keys and values in order;
    of a key that stands twice only the last pair, as YAML's readers take it. weight, height: how
    many nodes and levels it has, those that aliases stand for counted each time.
    """

    __slots__ = ("height", "items", "kind", "line", "pairs", "plain", "text", "weight")

    def __init__(self, kind: str, line: int, text: str = "", *, plain: bool = False) -> None:
        self.kind, self.line, self.text, self.plain = kind, line, text, plain
        self.items: list[Node] = [] if kind == LIST else _NO_ITEMS
        self.pairs: list[tuple[Node, Node]] = [] if kind == MAP else _NO_PAIRS
        self.weight = self.height = 1

    @property
    def empty(self) -> bool:
        """Whether it is null: nothing, ~ or null, without quotes."""
        return self.kind == SCALAR and self.plain and self.text in _NULLS

    def get(self, *names: str) -> Node | None:
        """Return the value below ``names``, one after the other, of maps; None if one is not."""
        at: Node | None = self
        for name in names:
            if at is None:
                return None
            at = next((value for key, value in at.pairs if key.text == name), None)
        return at

    def string(self, *names: str) -> str:
        """Return the text of the scalar below ``names``; "" for null and anything else."""
        at = self.get(*names)
        return at.text if at is not None and at.kind == SCALAR and not at.empty else ""

    def children(self, *names: str) -> list[Node]:
        """Return the items of the list below ``names``; a lone scalar is a list of one."""
        at = self.get(*names)
        if at is None or at.empty:
            return []
        return at.items if at.kind == LIST else [at] if at.kind == SCALAR else []


_NO_ITEMS: list[Node] = []
_NO_PAIRS: list[tuple[Node, Node]] = []
# Shared by the many nodes that have none, and never added to.


class Document(NamedTuple):
    """The first document of a file.

    root: None where there is nothing but comments. repeated: keys that stand twice in one map,
    each with the line of the one that counts. more: the line of a second document, 0 without.
    lines: the file's lines, for what is in comments (``lines[node.line - 1]``).
    """

    root: Node | None
    repeated: tuple[tuple[str, int], ...]
    more: int
    lines: list[str]

    @property
    def problems(self) -> Iterator[tuple[int, str, str]]:
        """Yield line, text and sentence of each thing that another reader may take otherwise."""
        for name, line in self.repeated:
            why = "The key stands twice in one map; only this last one counts."
            yield line, brief(name), why
        if self.more:
            yield self.more, "---", "A second document in the file; only the first one is read."


def document(data: bytes) -> Document:
    """Return what the YAML file ``data`` holds; raises Unreadable."""
    return document_of(decoded(data, MOST_BYTES if _C else _MOST_SLOW))


def document_of(text: str) -> Document:
    """Return what ``text`` holds, its lines ended by newlines; raises Unreadable."""
    lines = text.split("\n")
    builder = _Builder(len(lines))
    more = 0
    try:
        for event in yaml.parse(_STRANGE.sub(" ", text), Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent) and builder.documents:
                more = _start_of(event)
                break
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        why = (error.problem or "bad syntax").splitlines()[0]
        line = min(_line_of(error), len(lines))
        raise Unreadable("The file is not valid YAML: %s." % brief(why), line) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable("The file is not valid YAML: %s." % brief(str(error))) from None
    return Document(builder.root, tuple(builder.repeated), more, lines)


def _start_of(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _line_of(error: Any) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark else 0


class _Builder:
    """Puts events together: one open node for each level."""

    def __init__(self, last: int) -> None:
        self._last = last
        self.root: Node | None = None
        self.documents = 0
        self.repeated: list[tuple[str, int]] = []
        self._open: list[Node] = []
        self._keys: list[Node | None] = []
        self._seen: list[dict[str, int]] = []
        self._anchors: dict[str, Node] = {}
        self._count = 0

    def take(self, event: Any) -> None:
        """Take one event of the parser."""
        # What is left out at the end of the file stands behind it.
        line = min(_start_of(event), self._last)
        self._count += 1
        if self._count > MOST_NODES:
            raise Unreadable("More than %d values." % MOST_NODES, line)
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style is None or event.style == ""
            node = Node(SCALAR, line, event.value, plain=plain)
            self._named(event.anchor, node)
            self._put(node, line)
        elif isinstance(event, yaml.AliasEvent):
            anchor = event.anchor or ""
            target = self._anchors.get(anchor)
            if target is None:
                raise Unreadable("The alias *%s stands for nothing." % brief(anchor), line)
            if target in self._open:
                raise Unreadable("The alias *%s contains itself." % brief(anchor), line)
            self._put(target, line)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            node = Node(LIST if isinstance(event, yaml.SequenceStartEvent) else MAP, line)
            self._named(event.anchor, node)
            self._open.append(node)
            self._keys.append(None)
            self._seen.append({})
            if len(self._open) > DEEPEST:
                raise Unreadable("More than %d levels of lists and maps." % DEEPEST, line)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            node = self._open.pop()
            self._keys.pop()
            self._seen.pop()
            if node.kind == MAP:
                _merge(node)
            self._put(node, line)
        elif isinstance(event, yaml.DocumentEndEvent):
            self.documents += 1

    def _named(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _put(self, node: Node, line: int) -> None:
        """Hand a finished node to the list or map that is open."""
        if not self._open:
            self.root = node
            return
        above = self._open[-1]
        above.weight += node.weight
        if above.weight > MOST_NODES:
            raise Unreadable("More than %d values where aliases are expanded." % MOST_NODES, line)
        above.height = max(above.height, node.height + 1)
        if above.height > DEEPEST:
            raise Unreadable("More than %d levels of lists and maps." % DEEPEST, line)
        if above.kind == LIST:
            above.items.append(node)
            return
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = node
            return
        self._keys[-1] = None
        self._pair(above, key, node)

    def _pair(self, above: Node, key: Node, value: Node) -> None:
        places = self._seen[-1]
        if key.kind != SCALAR:
            above.pairs.append((key, value))
        elif key.text in places:
            if len(self.repeated) < 1000:
                self.repeated.append((key.text, key.line))
            above.pairs[places[key.text]] = (key, value)
        else:
            places[key.text] = len(above.pairs)
            above.pairs.append((key, value))


def _merge(node: Node) -> None:
    """Put the pairs of ``<<: *other`` in its place, but those that the map itself has."""
    merged = [value for key, value in node.pairs if key.text == "<<" and key.plain]
    if not merged:
        return
    own = [(key, value) for key, value in node.pairs if not (key.text == "<<" and key.plain)]
    names = {key.text for key, _ in own}
    for other in _maps(merged):
        new = [pair for pair in other.pairs if pair[0].text not in names]
        names.update(key.text for key, _ in new)
        own += new
    node.pairs = own


def _maps(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        if node.kind == MAP:
            yield node
        elif node.kind == LIST:
            yield from (one for one in node.items if one.kind == MAP)
