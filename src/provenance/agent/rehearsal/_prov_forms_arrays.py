"""Forms of numpy's arrays, scalars and generators, and of what turns into an array."""

# ruff: noqa: ARG001  # each maker takes the walk and the depth, whether it needs them or not

import sys
from math import isnan

load = None
_BYTES = 1 << 24
"""Bytes of an array that are digested; of a larger one, evenly spread elements."""
_WORDS = 200000
"""Elements of an array of objects or texts that are digested."""
_NANOSECONDS = {"D": 864 * 10**11, "h": 36 * 10**11, "m": 6 * 10**10, "s": 10**9, "ms": 10**6}
_NANOSECONDS["us"] = 10**3


def _forms():
    return load("_prov_forms")


def array(value, walk, depth):
    """Return the form of an ndarray of any kind; of a subclass as what it holds."""
    numpy = sys.modules["numpy"]
    kind = _forms().name_of(type(value))
    if type(value) is not numpy.ndarray:
        masked_kind = getattr(getattr(numpy, "ma", None), "MaskedArray", None)
        if masked_kind is not None and isinstance(value, masked_kind):
            return masked(value, walk, depth)
        value = numpy.ndarray.view(value, numpy.ndarray)
        kind = "numpy.ndarray" if kind.rpartition(".")[2] == "memmap" else kind
    return ["a", kind, dtype_name(value.dtype), list(value.shape), facts(value, walk, depth)]


def facts(value, walk, depth, wanted=None):
    """Return samples by position, statistics and a digest of an ndarray."""
    numpy = sys.modules["numpy"]
    wanted = wanted or walk.samples(depth)
    flat = value.reshape(-1) if value.flags.c_contiguous else numpy.ravel(value)
    at = _forms().spots(flat.size, wanted)
    code = value.dtype.kind
    if code not in "biufcmM":
        return _words(flat, at, walk, depth)
    part = flat if len(at) == flat.size else flat[at]
    known = {"at": _samples(part, code, len(at) == flat.size)}
    if len(at) == flat.size:
        return known
    whole = flat
    if flat.nbytes > _BYTES:
        whole = flat[:: flat.nbytes // _BYTES + 1]
    if code in "mM":
        known["nan"] = int(numpy.isnat(whole).sum())
        known["h"] = _forms().digest(memoryview(numpy.ascontiguousarray(_in_ns(whole))))
        return known
    if wanted > 1 or code not in "fc":
        known["h"] = _forms().digest(memoryview(_native(whole).view("u1")))
    numbers, size = numpy.abs(whole) if code == "c" else whole, value.dtype.itemsize
    size = size // 2 if code == "c" else size if code == "f" else 8
    known.update(load("_prov_forms_numbers").of_array(numbers, wanted, size))
    return known


def _native(flat):
    numpy = sys.modules["numpy"]
    if not flat.dtype.isnative:
        flat = flat.astype(flat.dtype.newbyteorder("="))
    return numpy.ascontiguousarray(flat)


def _samples(part, code, exact):
    simple = load("_prov_forms_plain").simple
    if code == "m":
        missing = sys.modules["numpy"].isnat(part)
        pairs = zip(_in_ns(part).tolist(), missing.tolist())
        return ["NaT" if lost else number for number, lost in pairs]
    if code == "M":
        return [_iso(str(one)) for one in part]
    if code == "c":
        return [["c", simple(one.real), simple(one.imag)] for one in part.astype("c16").tolist()]
    if code == "f":
        numbers = part.astype("f8").tolist()
        return load("_prov_forms_numbers").samples(numbers, part.dtype.itemsize, exact)
    return [simple(one) for one in part.tolist()]


def _iso(text):
    """Return a date or time without the zeros that only tell its unit."""
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text[:-9] if text.endswith("T00:00:00") else text


def _in_ns(flat):
    """Return times as whole numbers of one unit, whatever the array's own is."""
    numpy = sys.modules["numpy"]
    unit = numpy.datetime_data(flat.dtype)
    scale = _NANOSECONDS.get(unit[0], 1) * unit[1]
    numbers = flat.view("i8") if flat.dtype.isnative else flat.astype("i8")
    missing = numpy.isnat(flat)
    return numpy.where(missing, 0, numbers * scale)


def _words(flat, at, walk, depth):
    """Return facts of an array of texts, objects or records."""
    code = flat.dtype.kind
    items = [flat[i] for i in at]
    if code == "V":
        items = [one.item() for one in items]
    known = {"at": [walk.of(one, depth + 1) for one in items]}
    if len(at) == flat.size:
        return known
    if code in "US":
        known["h"] = _forms().digest(repr(flat[:_WORDS].tolist()).encode("utf-8", "replace"))
    elif code == "V" and not flat.dtype.hasobject:
        known["h"] = _forms().digest(_native(flat[:_WORDS]).tobytes())
    elif code == "O":
        part = flat[:_WORDS].tolist()
        missing = sum(1 for one in part if one is None or (type(one) is float and isnan(one)))
        known["nan"] = missing
        if all(type(one) in (str, float, type(None), int, bool) for one in part):
            text = repr(
                ["" if one is None or (type(one) is float and isnan(one)) else one for one in part]
            )
            known["h"] = _forms().digest(text.encode("utf-8", "replace"))
    return known


def dtype_name(dtype):
    """Return a dtype's name without what does not tell: byte order, width of texts."""
    code = getattr(dtype, "kind", "")
    if code == "U":
        return "str"
    if code == "S":
        return "bytes"
    if code == "V" and getattr(dtype, "names", None):
        return "record(%s)" % ", ".join(
            "%s %s" % (name, dtype_name(dtype.fields[name][0])) for name in dtype.names
        )
    return str(getattr(dtype, "name", dtype))


def masked(value, walk, depth):
    """Return the form of a masked array: where it is masked it has no value."""
    numpy = sys.modules["numpy"]
    if value is getattr(numpy.ma, "masked", None):
        return ["q", "constant", "masked"]
    mask = numpy.ma.getmaskarray(value)
    data = numpy.ndarray.view(value, numpy.ndarray)
    inner = array(numpy.where(mask, data.dtype.type(0), data), walk, depth)
    inner[1] = "numpy.ma.MaskedArray"
    inner[4]["masked"] = int(mask.sum())
    inner[4]["mask"] = _forms().digest(numpy.packbits(mask).tobytes())
    return inner


def scalar(value, walk, depth):
    """Return the form of a numpy scalar."""
    simple = load("_prov_forms_plain").simple
    name, code = dtype_name(value.dtype), value.dtype.kind
    if code in "mM":
        return ["sc", name, str(value)]
    if code == "f":
        digits = {2: "%.5g", 4: "%.9g"}.get(value.dtype.itemsize)
        number = float(value)
        return ["sc", name, simple(float(digits % number) if digits else number)]
    if code == "V":
        return ["sc", name, walk.of(value.item(), depth + 1)]
    return ["sc", name, walk.of(value.item(), depth + 1)]


def dtype(value, walk, depth):
    return ["q", "dtype", dtype_name(value)]


def ufunc(value, walk, depth):
    return ["q", "function", "numpy." + value.__name__]


def stored(value, walk, depth):
    """Return the form of a dataset in a file, which is not read: its shape and dtype."""
    known = {"shape": [int(n) for n in value.shape], "dtype": dtype_name(value.dtype)}
    return _forms().opaque(value, known)


def hidden(value, walk, depth):
    return _forms().opaque(value)


# --- generators ---------------------------------------------------------------------------------


def generator(value, walk, depth):
    """Return the form of a Generator or RandomState: the state that it would draw from."""
    bits = getattr(value, "bit_generator", None)
    if bits is None:
        return ["m", _forms().name_of(type(value)), {"state": _state(value.get_state())}, [], {}]
    inner = getattr(bits, "state", None)
    return ["m", _forms().name_of(type(value)), {"state": _state(inner)}, [], {}]


def bits(value, walk, depth):
    return ["m", _forms().name_of(type(value)), {"state": _state(value.state)}, [], {}]


def seeds(value, walk, depth):
    return ["m", _forms().name_of(type(value)), {"state": _state(value.state)}, [], {}]


def python_generator(value, walk, depth):
    import random

    if not isinstance(value, random.Random) or isinstance(value, random.SystemRandom):
        return _forms().opaque(value)
    state = random.Random.getstate(value)
    return ["m", _forms().name_of(type(value)), {"state": _state(state)}, [], {}]


def _state(value):
    """Return the digest of a generator's state, however its library writes it."""
    return _forms().digest(repr(_flat(value)).encode())


def _flat(value):
    if isinstance(value, dict):
        return [(str(key), _flat(value[key])) for key in sorted(value, key=str)]
    if isinstance(value, (list, tuple)):
        return [_flat(one) for one in value]
    tolist = getattr(value, "tolist", None)
    return tolist() if tolist is not None else value


# --- what turns into an array --------------------------------------------------------------------


def sparse(value, walk, depth):
    """Return the form of a sparse matrix: its entries, sorted by place, as three arrays."""
    numpy = sys.modules["numpy"]
    name = _forms().name_of(type(value))
    entries = value.tocoo(copy=True)
    order = numpy.lexsort((entries.col, entries.row))
    parts = [[part, array(getattr(entries, part)[order], walk, depth + 1)] for part in _PARTS]
    for _, one in parts[:2]:
        one[2] = "int64"
    shape = {"shape": [int(n) for n in value.shape], "dtype": dtype_name(value.dtype)}
    return ["m", name, shape, parts, {}]


_PARTS = ("row", "col", "data")


def picture(value, walk, depth):
    """Return the form of a Pillow image; one that is not loaded yet stays so."""
    name = "PIL.Image.Image"
    meta = {"mode": str(value.mode), "size": [int(n) for n in value.size]}
    if getattr(value, "im", None) is None and type(value).__name__ != "Image":
        return ["o", name, meta]
    data = value.tobytes()
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return ["m", name, meta, [["pixels", ["by", len(data), _forms().digest(data), ""]]], {}]
    kind = {"F": "f4", "I": "i4"}.get(meta["mode"], "u1")
    return ["m", name, meta, [["pixels", array(numpy.frombuffer(data, kind), walk, depth)]], {}]
