"""Forms of what the language itself has: numbers, texts, containers, functions, exceptions."""

# ruff: noqa: ARG001  # each maker takes the walk and the depth, whether it needs them or not

import re
import sys
from math import isnan

load = None
ROOTS = []
"""Folders that stand as ``<scratch>``, the longest first."""

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b")
_TEMPORARY = re.compile(r"/tmp/[\w.\-]+|/var/folders/[\w.\-/]+")  # noqa: S108
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_ELEMENTS = 100000
"""Elements of a list of numbers or texts that are looked at for its statistics."""
_HEAD, _TAIL = 1000, 400


def _forms():
    return load("_prov_forms")


def simple(value):
    """Return the form of None, a truth value, an int, a float or a str."""
    kind = type(value)
    if kind is float:
        if value - value == 0.0:
            return value
        return ["f", "nan" if isnan(value) else "inf" if value > 0 else "-inf"]
    if kind is int:
        if -(1 << 63) <= value < 1 << 63:
            return value
        text = "%x" % value
        short = text if len(text) <= 64 else _forms().digest(text.encode())
        return ["i", short, value.bit_length()]
    if kind is str:
        return text_form(value)
    return value


def text_form(text):
    """Return the form of a text: whole where short, else its ends and what it says in between."""
    forms = _forms()
    text = shown(text)
    if len(text) <= forms.TEXT:
        return text
    part = text[:1000000]
    skeleton = " ".join(_NUMBER.sub("#", part).split())
    numbers = [float(one) for one in _NUMBER.findall(part)[:_ELEMENTS]]
    known = {"n": len(text), "head": text[:_HEAD], "tail": text[-_TAIL:]}
    known["words"] = forms.digest(skeleton.encode("utf-8", "replace"))
    known["h"] = forms.digest(text.encode("utf-8", "replace"))
    known["numbers"] = number_facts(numbers, 16)
    return ["s", known]


def shown(text):
    """Return a text without what is of this machine and moment alone: addresses, folders."""
    for root in ROOTS:
        if root in text:
            text = text.replace(root, "<scratch>")
    if "0x" in text:
        text = _ADDRESS.sub("0x?", text)
    if "/tmp/" in text or "/var/folders/" in text:  # noqa: S108  # looked for, not written to
        text = _TEMPORARY.sub("<temporary>", text)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def number_facts(numbers, wanted):
    """Return the samples and statistics of a list of plain numbers: those of an array's form."""
    at = _forms().spots(len(numbers), wanted)
    known = {"at": [simple(numbers[i]) for i in at]}
    if len(at) == len(numbers):
        return known
    part = numbers[:_ELEMENTS]
    known.update(load("_prov_forms_numbers").of_list(part, wanted))
    if all(type(one) is int for one in part):
        known["h"] = _forms().digest(repr(part).encode())
    return known


# --- numbers, bytes, subclasses -----------------------------------------------------------------


def complex_number(value, walk, depth):
    value = complex(value.real, value.imag)
    return ["c", simple(value.real), simple(value.imag)]


def octets(value, walk, depth):
    data = bytes(value[:10000000]) if type(value) is not memoryview else value.tobytes()[:10000000]
    if (
        len(data) == len(value)
        and data[:1] == b"\x80"
        and data[1:2] < b"\x06"
        and data[-1:] == b"."
    ):
        return _forms().opaque(value, {"pickle": len(value)})  # holds its library's own layout
    return ["by", len(value), _forms().digest(data), data[:16].hex()]


def subclass(value, walk, depth):
    """Return the form of a number or text of a class of its own: what it holds."""
    for base in (int, float, str):
        if isinstance(value, base):
            plain = base.__str__(value) if base is str else base.__add__(value, base())
            return simple(plain)
    return _forms().opaque(value)


# --- containers ---------------------------------------------------------------------------------


def sequence(value, walk, depth):
    """Return the form of a list, tuple, named tuple or deque."""
    base = list if isinstance(value, list) else tuple if isinstance(value, tuple) else None
    names = getattr(type(value), "_fields", None) if base is tuple else None
    if names and type(names) is tuple and len(names) == tuple.__len__(value):
        pairs = zip(names, tuple.__iter__(value))
        kept = [[str(name), walk.of(item, depth + 1)] for name, item in pairs]
        return ["nt", _forms().name_of(type(value)), kept]
    if base is None:
        import collections

        items = list(collections.deque.__iter__(value)) if len(value) < 10000 else []
        return ["l", len(value), *_items(items, walk, depth)]
    tag = "l" if base is list else "t"
    return [tag, base.__len__(value), *_items(value, walk, depth, base)]


def _items(items, walk, depth, base=list):
    """Return the forms of elements, by position, and facts on all where not all are kept."""
    count, wanted = base.__len__(items), walk.items(depth)
    if count <= wanted:
        beside, walk.beside = walk.beside, max(walk.beside, count)
        made = [walk.of(item, depth + 1) for item in base.__iter__(items)]
        walk.beside = beside
        return [made, {}]
    kinds = {type(item) for item in base.__getitem__(items, slice(0, _ELEMENTS))}
    if kinds <= {int, float}:
        return [[], number_facts(list(base.__iter__(items)), wanted)]
    known = {}
    if kinds == {str} or kinds <= {int, float, bool, str, type(None)}:
        part = base.__getitem__(items, slice(0, _ELEMENTS))
        known["h"] = _forms().digest(repr(list(part)).encode("utf-8", "replace"))
    at = _forms().spots(count, max(wanted // 2, 4))
    return [[[i, walk.of(base.__getitem__(items, i), depth + 1)] for i in at], known]


def mapping(value, walk, depth):
    """Return the form of a dict of any kind, in its own order."""
    import collections

    if isinstance(value, collections.OrderedDict):
        pairs, count = collections.OrderedDict.items(value), dict.__len__(value)
    elif isinstance(value, dict):
        pairs, count = dict.items(value), dict.__len__(value)
    else:
        pairs, count = value.items(), len(value)
    kept = []
    beside, walk.beside = walk.beside, max(walk.beside, count)
    for key, item in pairs:
        if len(kept) >= max(walk.items(depth), 16):
            break
        kept.append([walk.of(key, depth + 1), walk.of(item, depth + 1)])
    walk.beside = beside
    return ["d", _forms().name_of(type(value)), count, kept]


def held(value, walk, depth):
    """Return the form of what a UserDict or UserList holds."""
    inner = vars(value).get("data")
    made = walk.of(inner, depth)
    if made.__class__ is list and made[:1] == ["d"]:
        made[1] = _forms().name_of(type(value))
    return made


def collection(value, walk, depth):
    """Return the form of a set: its elements in an order that does not depend on their hashes."""
    import json

    base = set if isinstance(value, set) else frozenset
    count = base.__len__(value)
    if count > 5000:
        return ["set", _forms().name_of(type(value)), count, []]
    walk.left += count
    made = [walk.of(item, depth + 1) for item in base.__iter__(value)]
    walk.left = max(walk.left, 0)
    made.sort(key=lambda one: (one.__class__.__name__, json.dumps(one)))
    at = _forms().spots(count, walk.items(depth))
    return ["set", _forms().name_of(type(value)), count, [made[i] for i in at]]


def view(value, walk, depth):
    """Return the form of a view on a dict's keys, values or items."""
    if len(value) > 10000:
        return ["l", len(value), [], {}]
    return ["l", len(value), *_items(list(value), walk, depth)]


# --- small things -------------------------------------------------------------------------------


def sliced(value, walk, depth):
    parts = [walk.of(part, depth + 1) for part in (value.start, value.stop, value.step)]
    return ["r", type(value).__name__, parts]


def enumeration(value, walk, depth):
    return ["e", _forms().name_of(type(value)), str(value._name_)]


def path(value, walk, depth):
    return ["v", "path", shown(str(value))]


def moment(value, walk, depth):
    return ["v", "datetime." + _base(value), str(value)]


def _base(value):
    names = ("datetime", "date", "time", "timedelta")
    return next((k.__name__ for k in type(value).__mro__ if k.__name__ in names), "")


def exact(value, walk, depth):
    return ["v", type(value).__name__, str(value)]


def hidden(value, walk, depth):
    """Return the form of what differs each time, or may not be looked at: its class."""
    return _forms().opaque(value)


def constant(value, walk, depth):
    return ["q", "constant", repr(value)]


def named(value, walk, depth):
    """Return the form of a function, method, class or module: its name."""
    kind = type(value).__name__
    if isinstance(value, type):
        return ["q", "class", _forms().name_of(value)]
    if type(value) is type(sys):
        return ["q", "module", str(value.__name__)]
    name = _forms().name_of(value)
    own = getattr(value, "__self__", None)
    if own is not None and type(own) is not type(sys) and "builtin" in kind:
        owner = own if isinstance(own, type) else type(own)
        name = _forms().name_of(owner) + "." + value.__name__
    return ["q", "function", shown(name)]


def partial(value, walk, depth):
    parts = [walk.of(one, depth + 1) for one in (value.func, value.args, value.keywords)]
    return ["r", "partial", parts]


def exception(value, walk, depth):
    """Return the form of an exception: its class and, where it is plain, what it says."""
    arguments = BaseException.__getattribute__(value, "args")
    said = [one for one in arguments if type(one) in (str, int, float)]
    message = " ".join(shown(str(one))[:400] for one in said)
    return ["x", _forms().name_of(type(value)), message]


def other(value, walk, depth):
    """Return the form of an object of a class that nobody knows: its fields where they are plain.

    A dataclass is its fields; of anything else they are evidence. Only what stands in the object's
    own dictionary is looked at; no method and no property of it is called.
    """
    kind = type(value)
    names = type.__getattribute__(kind, "__dict__")
    fields = getattr(kind, "__dataclass_fields__", None)
    try:
        known = object.__getattribute__(value, "__dict__")
    except AttributeError:
        known = None
    if fields and known.__class__ is dict:
        kept = [[str(n), walk.of(known.get(n), depth + 1)] for n in fields if n in known]
        return ["nt", _forms().name_of(kind), kept[:32]]
    if known.__class__ is not dict or ("__dict__" in names and "__getattribute__" in names):
        return _forms().opaque(value)
    if depth > 2 or type(value).__module__ in ("builtins", "_io", "threading"):
        return _forms().opaque(value)
    return _forms().opaque(value, fields_of(known, walk, depth))


def fields_of(known, walk, depth, wanted=24):
    """Return the forms of an object's plain attributes: evidence."""
    kept = {}
    for name, item in list(dict.items(known)):
        if len(kept) >= wanted or walk.left < 0:
            break
        if type(name) is str and name[:2] != "__":
            kept[name] = walk.of(item, max(depth + 1, 3))
    return kept
