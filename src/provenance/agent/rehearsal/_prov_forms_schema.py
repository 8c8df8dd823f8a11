"""What is needed to make up a value of the same kind, and the making up.

A schema is JSON-able and holds no element of the data but the ends of its ranges and, where a
column repeats few texts, those texts: ``categories``. Whoever keeps it redacts them.
"""

import re
import sys
from math import isnan

load = None
CATEGORIES = 32
"""Different values up to which a column counts as one of categories, if each repeats."""
_LOOKED = 5000
_FORMATS = (
    (re.compile(r"^\d{4}-\d\d-\d\d$"), "%Y-%m-%d"),
    (re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"), "%Y-%m-%d %H:%M:%S"),
    (re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(r"^(?:0\d|1[0-2])/\d\d/\d{4}$"), "%m/%d/%Y"),
    (re.compile(r"^\d\d/\d\d/\d{4}$"), "%d/%m/%Y"),
    (re.compile(r"^\d\d\.\d\d\.\d{4}$"), "%d.%m.%Y"),
    (re.compile(r"^\d{8}$"), "%Y%m%d"),
)
_DAY = 86400


def schema(value, depth=0):
    """Return the schema of a value; None for what cannot be made up."""
    kind = type(value)
    if value is None or kind in (bool, int, float):
        return {"k": "plain", "value": load("_prov_forms_plain").simple(value)}
    if kind is str:
        return {"k": "str", "column": _column([value])}
    if kind in (list, tuple) and depth < 4:
        return _sequence(value, kind, depth)
    if kind is dict and depth < 4 and all(type(key) in (str, int) for key in value):
        items = [[key, schema(one, depth + 1)] for key, one in list(value.items())[:100]]
        return {"k": "dict", "items": items} if all(one for _, one in items) else None
    name = load("_prov_forms").name_of(kind)
    top, last = name.partition(".")[0], name.rpartition(".")[2]
    if top == "pandas" and last in ("DataFrame", "Series"):
        return _table(value, last)
    if name == "numpy.ndarray":
        return _array(value)
    if top == "torch" and last in ("Tensor", "Parameter"):
        return _tensor(value)
    return None


def _sequence(value, kind, depth):
    kinds = {type(one) for one in value[:_LOOKED]}
    if kinds and kinds <= {int, float, str, bool, type(None)} and len(value) > 8:
        return {"k": kind.__name__, "n": len(value), "column": _column(list(value[:_LOOKED]))}
    items = [schema(one, depth + 1) for one in value[:100]]
    return {"k": kind.__name__, "items": items} if all(items) else None


def _array(value):
    if value.dtype.kind not in "biufUM":
        return None
    flat = value.reshape(-1)[:_LOOKED]
    if value.dtype.kind == "M":
        flat = flat.astype("M8[s]").astype("i8")
    known = {"k": "array", "dtype": value.dtype.str, "shape": list(value.shape)}
    return dict(known, column=_column(flat.tolist()))


def _tensor(value):
    torch = sys.modules["torch"]
    data = torch.Tensor.detach(value).reshape(-1)[:_LOOKED].cpu()
    known = {"k": "tensor", "dtype": str(value.dtype).rpartition(".")[2]}
    known["shape"] = [int(n) for n in value.shape]
    return dict(known, column=_column(data.tolist()), grad=bool(value.requires_grad))


def _table(value, kind):
    frame = value.to_frame() if kind == "Series" else value
    columns = []
    for place in range(frame.shape[1]):
        one = frame.iloc[:_LOOKED, place]
        known = {"name": str(frame.columns[place]), "dtype": str(one.dtype)}
        if known["dtype"].startswith("datetime64"):
            known["column"] = _column([int(stamp.timestamp()) for stamp in one.dropna()])
            known["column"]["missing"] = float(one.isna().mean())
        else:
            missing = one.isna().tolist()
            items = one.astype(object).tolist()
            known["column"] = _column([None if m else v for m, v in zip(missing, items)])
        columns.append(known)
    return {"k": kind, "rows": int(frame.shape[0]), "columns": columns}


def _column(items):
    """Return the facts of elements of a column: range or categories, missing, sorted, unique."""
    present = [v for v in items if v is not None and not (type(v) is float and isnan(v))]
    known = {"missing": 1.0 - len(present) / float(len(items) or 1)}
    kinds = {type(one) for one in present}
    if not present:
        return known
    if kinds <= {int, float, bool}:
        different = len(set(present))
        known.update(min=float(min(present)), max=float(max(present)))
        known["whole"] = kinds <= {int, bool} or all(one == int(one) for one in present)
        known["bool"] = kinds == {bool}
    elif kinds == {str}:
        different = len(set(present))
        known.update(_texts(present, different))
    else:
        return known
    known["unique"] = different == len(present) > 1
    known["sorted"] = len(present) > 1 and all(a <= b for a, b in zip(present, present[1:]))
    return known


def _texts(present, different):
    for pattern, name in _FORMATS:
        if all(pattern.match(one) for one in present[:200]):
            return {"format": name}
    if different <= CATEGORIES and (different < len(present) or len(present) == 1):
        return {"categories": [one[:80] for one in sorted(set(present))]}
    return {"patterns": sorted({_pattern(one) for one in present[:200]})[:8]}


def _pattern(text):
    """Return a text with each letter as ``a`` or ``A`` and each digit as ``9``."""
    text = re.sub(r"[^\W\d_]", lambda m: "A" if m.group().isupper() else "a", text[:60])
    return re.sub(r"\d", "9", text)


# --- making up -----------------------------------------------------------------------------------


def synthetic(known, rows=None):
    """Return a made-up value; the same each time, whatever the global generators' states."""
    import random

    return _make(known, rows, random.Random(20))  # noqa: S311  # the same each time


def _make(known, rows, draw):
    kind = known["k"]
    if kind == "plain":
        value = known["value"]
        return float(value[1]) if type(value) is list and value[0] == "f" else value
    if kind == "str":
        return _elements(known["column"], 1, draw)[0]
    if kind == "dict":
        return {key: _make(one, rows, draw) for key, one in known["items"]}
    if kind in ("list", "tuple"):
        if "items" in known:
            made = [_make(one, rows, draw) for one in known["items"]]
        else:
            made = _elements(known["column"], _cut(known["n"], rows), draw)
        return made if kind == "list" else tuple(made)
    if kind in ("array", "tensor"):
        return _made_array(known, rows, draw)
    return _made_table(known, rows, draw)


def _cut(count, rows):
    return count if rows is None else min(count, rows)


def _made_array(known, rows, draw):
    shape = list(known["shape"])
    if shape:
        shape[0] = _cut(shape[0], rows)
    count = 1
    for one in shape:
        count *= one
    items = _elements(known["column"], count, draw)
    if known["k"] == "tensor":
        import torch

        made = torch.tensor(items).reshape(shape).to(getattr(torch, known["dtype"]))
        return made.requires_grad_() if known.get("grad") else made
    import numpy

    if "M8" in known["dtype"]:
        seconds = numpy.array([int(one or 0) for one in items], "i8").astype("M8[s]")
        return seconds.astype(known["dtype"]).reshape(shape)
    plain = [float("nan") if one is None else one for one in items]
    return numpy.array(plain).astype(known["dtype"]).reshape(shape)


def _made_table(known, rows, draw):
    import pandas

    count = _cut(known["rows"], rows)
    made = {}
    for one in known["columns"]:
        items = _elements(one["column"], count, draw)
        dtype = one["dtype"]
        if dtype.startswith("datetime64"):
            column = pandas.Series(pandas.to_datetime(items, unit="s"))
        else:
            column = pandas.Series(items, dtype=object)
            try:
                column = column.astype(dtype)
            except (TypeError, ValueError):
                column = column.infer_objects()
        made[one["name"]] = column
    frame = pandas.DataFrame(made, columns=[one["name"] for one in known["columns"]])
    return frame.iloc[:, 0] if known["k"] == "Series" else frame


def _elements(known, count, draw):
    """Return made-up elements of a column."""
    if known.get("min") is not None:
        made = _numbers(known, count, draw)
    elif "format" in known:
        import time

        start = 1577836800
        stamps = [start + draw.randrange(1000 * _DAY) for _ in range(count)]
        made = [time.strftime(known["format"], time.gmtime(stamp)) for stamp in stamps]
    elif "categories" in known:
        made = [draw.choice(known["categories"]) for _ in range(count)]
    elif "patterns" in known:
        made = [_written(draw.choice(known["patterns"]), draw) for _ in range(count)]
    else:
        return [None] * count
    if known.get("sorted"):
        made.sort()
    share = known.get("missing", 0.0)
    return [None if share and draw.random() < share else one for one in made]


def _numbers(known, count, draw):
    low, high = known["min"], known["max"]
    if known.get("bool"):
        return [draw.random() < 0.5 for _ in range(count)] if low != high else [bool(low)] * count
    if known.get("whole"):
        span = int(high) - int(low) + 1
        if known.get("unique") and span >= count:
            return draw.sample(range(int(low), int(high) + 1), count)
        return [int(low) + draw.randrange(span) for _ in range(count)]
    if high - low == float("inf"):
        return [low] * count
    return [low + (high - low) * draw.random() for _ in range(count)]


def _written(pattern, draw):
    letters = "abcdefghijklmnopqrstuvwxyz"
    pick = {"a": letters, "A": letters.upper(), "9": "0123456789"}
    return "".join(draw.choice(pick[one]) if one in pick else one for one in pattern)
