"""A pickle read symbolically: its instructions are followed, and nothing is imported or called.

Unpickling runs whatever the file says. Lists of what is harmless did not hold either:
``torch.load(weights_only=True)`` could be made to run code before torch 2.6 (CVE-2025-32434), and
to write outside of memory before 2.10 (CVE-2026-24747). Here a global is two texts, a
call is a mark, and what a known call stands for is worked out from its arguments.

Source of the instructions: the standard library's ``pickletools``, protocols 0 to 5.
"""

from __future__ import annotations

import codecs
import pickle
import struct
from collections.abc import Callable
from typing import Any

from provenance.readers._bytes import Span
from provenance.readers._pickle_input import MOST_TEXT, Input
from provenance.readers._pickle_nodes import Bag, Call, Long, Name, Pairs, Persistent
from provenance.readers.model import Unreadable

MOST_STEPS = 5_000_000
"""Instructions; a step makes an object of some hundred bytes at most, and takes a microsecond."""

SHORT = 1 << 16
"""Bytes up to which a text or bytes are held; longer ones stay in the file."""

LONGEST_NUMBER = 1024
After = Callable[["Machine", Call], Any]
"""Asked after BUILD what stands for the call (joblib puts the array's bytes there), or itself."""

_MARK = object()


def read(span: Span, start: int = 0, after: After | None = None) -> tuple[Any, int]:
    """Return what the pickle at ``start`` holds, and where it ends; raises `Unreadable`."""
    machine = Machine(span, start, after)
    try:
        return machine.run(), machine.input.place
    except Unreadable:
        raise
    except (IndexError, KeyError, ValueError, TypeError, AttributeError, OverflowError):
        text = "is no pickle, or a damaged one, at byte %d"
        raise Unreadable(text % (span.start + machine.input.place)) from None


class Machine:
    """Follows the instructions of one pickle."""

    def __init__(self, span: Span, start: int, after: After | None) -> None:
        self.input = Input(span, start)
        self.after = after
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.held = 0

    def run(self) -> Any:
        """Return what stands on the stack at the end."""
        take, table = self.input.take, _TABLE
        for _ in range(MOST_STEPS):
            code = take(1)
            if code == b".":
                return self.pop()
            step = table.get(code)
            if step is None:
                raise ValueError(code)
            step(self)
        raise Unreadable("is a pickle of more than %d instructions" % MOST_STEPS)

    def number(self, form: str) -> int:
        """Return the next number, packed as ``form``."""
        found = struct.unpack(form, self.input.take(struct.calcsize(form)))[0]
        return int(found)

    def push(self, value: Any) -> None:
        """Put ``value`` on the stack."""
        self.stack.append(value)

    def pop(self) -> Any:
        """Take the topmost value, which must not be a mark."""
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value should be")
        return value

    def top(self) -> Any:
        """Return the topmost value, which stays."""
        if self.stack[-1] is _MARK:
            raise ValueError("a mark where a value should be")
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        """Take all that was put there since the last mark, and the mark."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                values = self.stack[place + 1 :]
                del self.stack[place:]
                return values
        raise ValueError("no mark")

    def bytes_of(self, size: int, form: str) -> Any:
        """Return a text or bytes, in memory where they are short."""
        if size < 0:
            raise ValueError("a negative size")
        if size > SHORT:
            return Long(self.input.skip(size), form)
        self.hold(size)
        content = self.input.take(size)
        if form == "bytes":
            return content
        return content.decode(form, "surrogatepass" if form == "utf-8" else "strict")

    def hold(self, size: int) -> None:
        """Count what is held in memory."""
        self.held += size
        if self.held > MOST_TEXT:
            raise Unreadable("is a pickle of more than %d MiB of texts" % (MOST_TEXT >> 20))

    def text(self) -> str:
        """Return a line, which names something."""
        line = self.input.line()
        self.hold(len(line))
        return line.decode("utf-8", "replace")

    def remember(self, place: int, value: Any) -> None:
        """Keep ``value`` under a number."""
        if not 0 <= place < 1 << 32:
            raise ValueError("a place in the memo that makes no sense")
        self.memo[place] = value


def _sized(form: str, meaning: str) -> Callable[[Machine], None]:
    return lambda m: m.push(m.bytes_of(m.number(form), meaning))


def _constant(value: Any) -> Callable[[Machine], None]:
    return lambda m: m.push(value)


def _persistent(m: Machine) -> None:
    pid = m.pop()
    # torch before 1.6 puts the source of a class beside its name; the name is enough.
    is_class = isinstance(pid, tuple) and len(pid) == 4 and pid[0] == "module"
    m.push(pid[1] if is_class and isinstance(pid[1], Name) else Persistent(pid))


def _int_line(m: Machine) -> None:
    line = m.input.line().strip()
    if len(line) > LONGEST_NUMBER:
        raise ValueError("a number of many digits")
    m.push({b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line))


def _long_line(m: Machine) -> None:
    line = m.input.line().strip().rstrip(b"L")
    if len(line) > LONGEST_NUMBER:
        raise ValueError("a number of many digits")
    m.push(int(line or b"0"))


def _long(form: str) -> Callable[[Machine], None]:
    def step(m: Machine) -> None:
        size = m.number(form)
        if not 0 <= size <= LONGEST_NUMBER:
            raise ValueError("a number of many digits")
        m.push(pickle.decode_long(m.input.take(size)))

    return step


def _string_line(m: Machine) -> None:
    line = m.input.line().strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":
        raise ValueError("a text without quotes")
    m.hold(len(line))
    m.push(codecs.escape_decode(line[1:-1])[0].decode("latin-1"))


def _unicode_line(m: Machine) -> None:
    line = m.input.line()
    m.hold(4 * len(line))
    m.push(line.decode("raw-unicode-escape"))


def _append(m: Machine) -> None:
    value = m.pop()
    _extend(m.top(), [value])


def _extend(onto: Any, values: list[Any]) -> None:
    if isinstance(onto, list):
        onto.extend(values)
    elif isinstance(onto, Bag | Call):
        onto.items.extend(values)
    elif not isinstance(onto, Persistent):
        raise TypeError("nothing to append to")


def _appends(m: Machine) -> None:
    values = m.since_mark()
    _extend(m.top(), values)


def _set_items(m: Machine) -> None:
    _put_items(m.since_mark(), m)


def _put_items(values: list[Any], m: Machine) -> None:
    onto = m.top()
    if len(values) % 2 or not isinstance(onto, Pairs | Call):
        raise TypeError("no items, or nothing to put them into")
    onto.pairs.extend(zip(values[::2], values[1::2], strict=True))


def _set_item(m: Machine) -> None:
    value = m.pop()
    key = m.pop()
    _put_items([key, value], m)


def _dict(m: Machine) -> None:
    values = m.since_mark()
    m.push(Pairs())
    _put_items(values, m)


def _tuple(size: int) -> Callable[[Machine], None]:
    def step(m: Machine) -> None:
        m.push(tuple([m.pop() for _ in range(size)][::-1]))

    return step


def _global(m: Machine) -> None:
    module, name = m.text(), m.text()
    m.push(Name(module, name))


def _stack_global(m: Machine) -> None:
    name, module = m.pop(), m.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise TypeError("a name that is no text")
    m.push(Name(module, name))


def _extension(form: str) -> Callable[[Machine], None]:
    return lambda m: m.push(Name("copyreg", "extension %d" % m.number(form)))


def _inst(m: Machine) -> None:
    module, name = m.text(), m.text()
    m.push(Call(Name(module, name), tuple(m.since_mark())))


def _obj(m: Machine) -> None:
    values = m.since_mark()
    m.push(Call(values[0], tuple(values[1:])))


def _reduce(m: Machine) -> None:
    args = m.pop()
    m.push(Call(m.pop(), args))


def _newobj_ex(m: Machine) -> None:
    kwargs, args = m.pop(), m.pop()
    m.push(Call(m.pop(), args, kwargs))


def _build(m: Machine) -> None:
    state = m.pop()
    onto = m.top()
    if isinstance(onto, Call):
        onto.states.append(state)
        if m.after is not None:
            m.stack[-1] = m.after(m, onto)


def _drop(m: Machine) -> None:
    m.stack.pop()


def _duplicate(m: Machine) -> None:
    m.push(m.top())


def _pop_mark(m: Machine) -> None:
    m.since_mark()


def _memoize(m: Machine) -> None:
    m.remember(len(m.memo), m.top())


_TABLE: dict[bytes, Callable[[Machine], None]] = {
    pickle.MARK: _constant(_MARK),
    pickle.POP: _drop,
    pickle.POP_MARK: _pop_mark,
    pickle.DUP: _duplicate,
    pickle.FLOAT: lambda m: m.push(float(m.input.line())),
    pickle.INT: _int_line,
    pickle.BININT: lambda m: m.push(m.number("<i")),
    pickle.BININT1: lambda m: m.push(m.input.take(1)[0]),
    pickle.BININT2: lambda m: m.push(m.number("<H")),
    pickle.LONG: _long_line,
    pickle.NONE: _constant(None),
    pickle.PERSID: lambda m: m.push(Persistent(m.text())),
    pickle.BINPERSID: _persistent,
    pickle.REDUCE: _reduce,
    pickle.STRING: _string_line,
    pickle.BINSTRING: _sized("<i", "latin-1"),
    pickle.SHORT_BINSTRING: _sized("<B", "latin-1"),
    pickle.UNICODE: _unicode_line,
    pickle.BINUNICODE: _sized("<I", "utf-8"),
    pickle.APPEND: _append,
    pickle.BUILD: _build,
    pickle.GLOBAL: _global,
    pickle.DICT: _dict,
    pickle.EMPTY_DICT: lambda m: m.push(Pairs()),
    pickle.APPENDS: _appends,
    pickle.GET: lambda m: m.push(m.memo[int(m.input.line()[:20])]),
    pickle.BINGET: lambda m: m.push(m.memo[m.input.take(1)[0]]),
    pickle.INST: _inst,
    pickle.LONG_BINGET: lambda m: m.push(m.memo[m.number("<I")]),
    pickle.LIST: lambda m: m.push(m.since_mark()),
    pickle.EMPTY_LIST: lambda m: m.push([]),
    pickle.OBJ: _obj,
    pickle.PUT: lambda m: m.remember(int(m.input.line()[:20]), m.top()),
    pickle.BINPUT: lambda m: m.remember(m.input.take(1)[0], m.top()),
    pickle.LONG_BINPUT: lambda m: m.remember(m.number("<I"), m.top()),
    pickle.SETITEM: _set_item,
    pickle.TUPLE: lambda m: m.push(tuple(m.since_mark())),
    pickle.EMPTY_TUPLE: _constant(()),
    pickle.SETITEMS: _set_items,
    pickle.BINFLOAT: lambda m: m.push(struct.unpack(">d", m.input.take(8))[0]),
    pickle.PROTO: lambda m: _discard(m.input.take(1)),
    pickle.NEWOBJ: _reduce,
    pickle.EXT1: _extension("<B"),
    pickle.EXT2: _extension("<H"),
    pickle.EXT4: _extension("<i"),
    pickle.TUPLE1: _tuple(1),
    pickle.TUPLE2: _tuple(2),
    pickle.TUPLE3: _tuple(3),
    pickle.NEWTRUE: _constant(True),
    pickle.NEWFALSE: _constant(False),
    pickle.LONG1: _long("<B"),
    pickle.LONG4: _long("<i"),
    pickle.BINBYTES: _sized("<I", "bytes"),
    pickle.SHORT_BINBYTES: _sized("<B", "bytes"),
    pickle.SHORT_BINUNICODE: _sized("<B", "utf-8"),
    pickle.BINUNICODE8: _sized("<Q", "utf-8"),
    pickle.BINBYTES8: _sized("<Q", "bytes"),
    pickle.EMPTY_SET: lambda m: m.push(Bag()),
    pickle.ADDITEMS: _appends,
    pickle.FROZENSET: lambda m: m.push(Bag(m.since_mark())),
    pickle.NEWOBJ_EX: _newobj_ex,
    pickle.STACK_GLOBAL: _stack_global,
    pickle.MEMOIZE: _memoize,
    pickle.FRAME: lambda m: _discard(m.input.take(8)),
    pickle.BYTEARRAY8: _sized("<Q", "bytes"),
    pickle.NEXT_BUFFER: lambda m: m.push(Name("pickle", "a buffer that is not in the file")),
    pickle.READONLY_BUFFER: lambda m: _discard(m.top()),
}
"""What to do for each instruction, under the names that the standard library has for them."""


def _discard(_: Any) -> None:
    pass
