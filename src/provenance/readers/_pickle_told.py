"""What a pickle that was read symbolically holds, told as tensors and plain values by path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from provenance.readers import _tensors, npy
from provenance.readers._bytes import Memory
from provenance.readers._pickle_arrays import array_parts, data_of, dtype_of, small
from provenance.readers._pickle_nodes import Bag, Call, Long, Name, Pairs, Persistent
from provenance.readers._zips import shown
from provenance.readers.model import Tensor, Unreadable

DEEPEST = 100
MOST_VISITS = 1_000_000
"""Nodes that are looked at: one that is referred to ten times stands in ten places."""

MOST_NOTES = 20
TEXT_LIMIT = 4096
"""Characters or bytes up to which a text is a plain value; longer ones are told as bytes."""

DICTS = (
    "collections.OrderedDict",
    "collections.defaultdict",
    "collections.Counter",
    "builtins.dict",
    "__builtin__.dict",
)
SETS = ("builtins.set", "__builtin__.set", "builtins.frozenset", "__builtin__.frozenset")
OLD_OBJECT = ("copyreg._reconstructor", "copy_reg._reconstructor")
NEW_OBJECT = ("copyreg.__newobj__", "copy_reg.__newobj__", "copyreg.__newobj_ex__")
TEXTS = ("torch.device", "torch.Size", "datetime", "decimal", "fractions", "uuid", "pathlib")
RUNS = frozenset(
    "os posix nt subprocess sys socket shutil builtins __builtin__ runpy importlib ctypes pty "
    "webbrowser commands code codeop pip timeit cProfile pdb bdb operator asyncio".split()
)
"""Modules whose functions do something when a pickle calls them."""

HARMLESS = frozenset(
    "set frozenset dict list tuple bytes bytearray object complex slice range xrange int float str "
    "bool getattr print unicode long type itemgetter attrgetter methodcaller Ellipsis".split()
)

Special = Callable[["Told", str, Any, int], bool]
"""Tells what it knows how to tell (torch's tensors) and returns whether it did."""


class Told:
    """Gathers what stands where. special: asked first about every call and persistent thing."""

    def __init__(self, special: Special | None = None) -> None:
        self.special = special
        self.tensors: dict[str, Tensor] = {}
        self.values: dict[str, Any] = {}
        self.notes: dict[str, None] = {}
        self._visits = 0

    def note(self, text: str) -> None:
        """Add a sentence on what was left out."""
        if len(self.notes) < MOST_NOTES:
            self.notes[text] = None

    def add(self, one: Tensor) -> None:
        """Add a tensor; one of the same name gets another name."""
        name, number = one.name, 2
        while name in self.tensors:
            name, number = "%s#%d" % (one.name, number), number + 1
        self.tensors[name] = one._replace(name=name)

    def walk(self, path: str, node: Any, depth: int = 0) -> None:
        """Tell what ``node`` holds, under ``path``."""
        self._visits += 1
        if self._visits > MOST_VISITS:
            raise Unreadable("holds more than %d values" % MOST_VISITS)
        if depth > DEEPEST:
            self.note("%s... is nested too deep and was left out" % shown(path))
        elif is_plain(node):
            self.values[path] = node
        elif isinstance(node, Name):
            self.values[path] = node.dotted
        elif isinstance(node, Call | Persistent):
            self._thing(path, node, depth)
        elif isinstance(node, bytes | str | Long):
            self._bytes(path, node)
        elif isinstance(node, Pairs):
            self._pairs(path, node.pairs, depth)
        elif isinstance(node, list | tuple):
            self._items(path, node, depth)
        elif isinstance(node, Bag):
            self._items(path, _ordered(node.items), depth)

    def _pairs(self, path: str, pairs: list[tuple[Any, Any]], depth: int) -> None:
        for key, value in pairs:
            self.walk(joined(path, _key(key)), value, depth + 1)

    def _items(self, path: str, items: list[Any] | tuple[Any, ...], depth: int) -> None:
        self._visits += len(items)
        if all(is_plain(one) for one in items):
            self.values[path] = list(items)
            return
        for number, one in enumerate(items):
            self.walk(joined(path, str(number)), one, depth + 1)

    def _bytes(self, path: str, node: bytes | str | Long) -> None:
        """Tell long texts and bytes as a tensor of bytes: nobody wants to see them whole."""
        content = node.encode("utf-8", "surrogatepass") if isinstance(node, str) else node
        if isinstance(content, bytes) and len(content) <= 64:
            self.values[path] = content.hex()
            return
        data = Memory(content).all() if isinstance(content, bytes) else content.span
        code = _tensors.encoding(numpy.dtype("u1"))
        self.add(_tensors.tensor(path, code, (data.size,), data))

    def _thing(self, path: str, node: Call | Persistent, depth: int) -> None:
        try:
            if self.special is not None and self.special(self, path, node, depth):
                return
            if isinstance(node, Persistent):
                self.note("%s stands outside of the file and was not read" % shown(path))
            elif not self._array(path, node, depth):
                self._call(path, node, depth)
        except Unreadable as reason:
            if "cut short" in str(reason) or "more than" in str(reason):
                raise
            self.note("%s was not read: it %s" % (shown(path) or "the whole", reason))

    def _array(self, path: str, node: Call, depth: int) -> bool:
        parts = array_parts(node)
        if parts is None:
            return False
        dtype, shape, fortran, content = parts
        if dtype.hasobject:
            if isinstance(content, list):
                self._items(path, content, depth)
            else:
                self.walk(path, content, depth + 1)
            return True
        self.array(path, dtype, shape, fortran, content)
        return True

    def array(
        self, path: str, dtype: Any, shape: tuple[int, ...], fortran: bool, content: Any
    ) -> None:
        """Tell an array of numpy whose bytes the node ``content`` stands for."""
        if dtype.subdtype is not None:
            dtype, more = dtype.subdtype
            shape = (*shape, *more)
        data = data_of(content)
        if dtype.names is not None:
            for one in npy.fields(path, dtype, shape, data):
                self.add(one)
            return
        one = npy.plain(path, dtype, shape, fortran, data)
        if shape == () and dtype.kind in "biufUS":
            value: Any = one.load().item()
            self.values[path] = value.hex() if isinstance(value, bytes) else value
        else:
            self.add(one)

    def _call(self, path: str, node: Call, depth: int) -> None:
        made_by, args = node.made_by, node.args
        if node.is_of(*OLD_OBJECT, *NEW_OBJECT) and args:
            made_by = args[0]
            args = args[2:] if node.is_of(*OLD_OBJECT) else args[1:]
        if node.is_of(*DICTS):
            for one in args:
                # A factory (defaultdict), items (Python 2) or a dict (Counter).
                if isinstance(one, list) and all(_is_pair(item) for item in one):
                    self._pairs(path, [(key, value) for key, value in one], depth)
                elif isinstance(one, Pairs):
                    self._pairs(path, one.pairs, depth)
            self._pairs(path, node.pairs, depth)
            return
        if node.is_of("_codecs.encode") and isinstance(small(node), bytes):
            self._bytes(path, small(node))
            return
        if node.is_of(*SETS) and args and isinstance(args[0], list):
            self._items(path, _ordered(args[0]), depth)
            return
        if not isinstance(made_by, Name):
            self.walk(path, made_by, depth + 1)
        elif self._one_text(path, made_by, args):
            return
        else:
            self._warn(made_by)
            self.values[joined(path, "__class__")] = made_by.dotted
        self._contents(path, node, args, depth)

    def _contents(self, path: str, node: Call, args: tuple[Any, ...], depth: int) -> None:
        for number, one in enumerate(args):
            if one not in ((), None) or isinstance(one, Call):
                self.walk(joined(path, "args.%d" % number), one, depth + 1)
        if isinstance(node.kwargs, Pairs):
            self._pairs(path, node.kwargs.pairs, depth)
        for state in node.states:
            # What has __slots__ gives its dict and its slots.
            both = isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], Pairs)
            for one in state if both else (state,):
                if isinstance(one, Pairs):
                    self._pairs(path, one.pairs, depth)
                elif one is not None:
                    self.walk(joined(path, "state"), one, depth + 1)
        self._pairs(path, node.pairs, depth)
        if node.items:
            self._items(path, node.items, depth)

    def _one_text(self, path: str, made_by: Name, args: tuple[Any, ...]) -> bool:
        """Tell small things of one value as a text: a date, a path, a type, a complex number."""
        if made_by.module.split(".")[0] == "numpy" and made_by.name.endswith("dtype"):
            self.values[path] = str(dtype_of(Call(made_by, args)))
            return True
        known = made_by.dotted in TEXTS or made_by.module in TEXTS
        known = known or made_by.dotted in ("builtins.complex", "__builtin__.complex")
        known = known or made_by.name in ("slice", "range", "xrange")
        args = tuple(small(one) for one in args)
        if not known or not all(isinstance(one, bytes) or is_plain(one) for one in args):
            return False
        said = (one.hex() if isinstance(one, bytes) else repr(one) for one in args)
        self.values[path] = "%s(%s)" % (made_by.name, ", ".join(said))
        return True

    def _warn(self, made_by: Name) -> None:
        if made_by.module.split(".")[0] in RUNS and made_by.name not in HARMLESS:
            text = "it would call %s when it is unpickled; nothing was run here"
            self.note(text % shown(made_by.dotted))


def is_plain(node: Any) -> bool:
    """Return whether ``node`` is a plain value as it stands."""
    if isinstance(node, str):
        return len(node) <= TEXT_LIMIT
    return node is None or isinstance(node, bool | int | float)


def joined(path: str, name: str) -> str:
    """Return the path of what is called ``name`` below ``path``."""
    return "%s.%s" % (path, name) if path else name


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key[:TEXT_LIMIT]
    if isinstance(key, Name):
        return key.dotted
    if isinstance(key, tuple) and all(is_plain(one) for one in key):
        return repr(key)[:TEXT_LIMIT]
    return str(key) if is_plain(key) else "(%s)" % type(key).__name__.lower()


def _is_pair(item: Any) -> bool:
    return isinstance(item, list | tuple) and len(item) == 2


def _ordered(items: list[Any]) -> list[Any]:
    """Return the items of a set in an order that does not change from run to run."""
    plain = [one for one in items if is_plain(one)]
    rest = [one for one in items if not is_plain(one)]
    return sorted(plain, key=lambda one: (type(one).__name__, str(one))) + rest
