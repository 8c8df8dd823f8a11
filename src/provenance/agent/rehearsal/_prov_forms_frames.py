"""Forms of tables: pandas, polars, pyarrow."""

# ruff: noqa: ARG001  # each maker takes the walk and the depth, whether it needs them or not

import sys

load = None
COLUMNS, WIDE, OTHERS = 12, 24, 400
"""Columns of a table of which elements are noted; from there to the second number their statistics
alone; from there to the third the statistics of all put together."""


def _forms():
    return load("_prov_forms")


def _arrays():
    return load("_prov_forms_arrays")


def frame(value, walk, depth):
    """Return the form of a pandas DataFrame: its columns by position, each as an array."""
    rows, columns = value.shape
    index = walk.of(value.index, depth + 1)
    names = walk.of(value.columns, depth + 1)
    kept = []
    fewer = 16 if columns <= 4 else 6 if columns <= 8 else 3
    wide = WIDE if depth < 2 else 8
    for place in range(min(columns, wide)):
        name = walk.of(value.columns[place], depth + 2)
        wanted = fewer if place < COLUMNS else 1
        kept.append([name, _column(value.iloc[:, place], walk, depth, wanted)])
    walk.left -= len(kept)
    if columns > wide and depth < 2:
        kept += _others(value, walk, depth)
    kind = "pandas.DataFrame"
    return ["df", kind, [int(rows), int(columns)], names, index, kept]


def _others(value, walk, depth):
    """Return what is noted of the columns that are not noted each: numbers and digests."""
    places = range(WIDE, min(value.shape[1], OTHERS))
    made = [_column(value.iloc[:, place], walk, depth + 3, 1) for place in places]
    digests = [one[4].get("h") for one in made if "mean" not in one[4]]
    kept = load("_prov_forms_models").others([one[4] for one in made], "float64")
    kept.append(["(others).rest", _forms().digest(repr(digests).encode())])
    return kept


def series(value, walk, depth):
    """Return the form of a pandas Series: a table of one column."""
    name = walk.of(value.name, depth + 1)
    index = walk.of(value.index, depth + 1)
    column = _column(value, walk, depth, walk.items(depth))
    return ["df", "pandas.Series", [len(value)], name, index, [[name, column]]]


def index(value, walk, depth):
    """Return the form of an Index of any kind: RangeIndex and Int64Index hold the same."""
    names = list(value.names)
    name = walk.of(names[0] if len(names) == 1 else tuple(names), depth + 1)
    wanted = walk.items(depth)
    if len(names) > 1:
        return ["ix", "pandas.MultiIndex", name, _tuples(value, walk, depth, wanted)]
    kind = type(value).__name__
    if kind in ("PeriodIndex", "IntervalIndex"):
        return ["ix", "pandas.Index", name, _tuples(value, walk, depth, wanted)]
    return ["ix", "pandas.Index", name, _column(value, walk, depth, wanted)]


def _tuples(value, walk, depth, wanted):
    """Return the facts of an index whose elements are not plain, by position."""
    count = len(value)
    at = _forms().spots(count, min(wanted, 16))
    known = {"at": [walk.of(value[i], depth + 1) for i in at]}
    return ["a", "numpy.ndarray", "object", [count], known]


def _column(value, walk, depth, wanted):
    """Return the form of the elements of a Series or Index."""
    dtype = value.dtype
    name = str(dtype)
    if name == "category":
        return _categorical(value, walk, depth, wanted)
    numpy = sys.modules["numpy"]
    count = len(value)
    if isinstance(dtype, numpy.dtype):
        data = value.values if dtype.kind != "O" else _missing(value)
        data = data if type(data) is numpy.ndarray else numpy.asarray(data)
        known = _arrays().facts(data, walk, depth + 1, wanted)
        return ["a", "numpy.ndarray", _arrays().dtype_name(dtype), [count], known]
    return ["a", "numpy.ndarray", name, [count], _extension(value, name, walk, depth, wanted)]


def _missing(value):
    """Return a column of objects with each kind of missing value as NaN."""
    numpy = sys.modules["numpy"]
    data = numpy.array(value.values, dtype=object, copy=True)
    missing = value.isna() if hasattr(value, "isna") else None
    if missing is not None:
        data[numpy.asarray(missing)] = float("nan")
    return data


def _extension(value, name, walk, depth, wanted):
    """Return the facts of a column of a dtype of pandas' own: with missing values, time zones."""
    numpy = sys.modules["numpy"]
    low = name.lower()
    if low.startswith("datetime64"):
        unit = getattr(value.dtype, "unit", "ns")
        data = numpy.asarray(value.array.asi8).view("M8[%s]" % unit)
        return _arrays().facts(data, walk, depth + 1, wanted)
    missing = numpy.asarray(value.isna())
    if low.startswith(("int", "uint", "float", "boolean", "bool", "double")):
        filled = numpy.array(value, dtype=object, copy=True)
        filled[missing] = float("nan")
        known = _arrays().facts(filled.astype("f8"), walk, depth + 1, wanted)
        if missing.any():
            known["nan"] = int(missing.sum())
        return known
    return _arrays().facts(_missing(value), walk, depth + 1, wanted)


def _categorical(value, walk, depth, wanted):
    """Return the form of a categorical column: its values and its categories."""
    numpy = sys.modules["numpy"]
    held = getattr(value, "cat", value)
    codes = numpy.asarray(held.codes)
    categories = held.categories
    at = _forms().spots(len(codes), wanted)
    names = [walk.of(categories[i], depth + 2) for i in range(min(len(categories), 32))]
    lookup = [
        names[c] if 0 <= c < len(names) else ["f", "nan"] if c < 0 else ["..."]
        for c in (int(codes[i]) for i in at)
    ]
    known = {"at": lookup, "categories": ["l", len(categories), names, {}]}
    known["ordered"] = bool(held.ordered)
    if len(at) < len(codes):
        known["h"] = _forms().digest(codes.astype("i8").tobytes())
        known["nan"] = int((codes < 0).sum())
    return ["a", "numpy.ndarray", "category", [len(codes)], known]


def extension(value, walk, depth):
    """Return the form of an array of pandas' own."""
    if str(value.dtype) == "category":
        return _categorical(value, walk, depth, walk.items(depth))
    known = _extension(value, str(value.dtype), walk, depth, walk.items(depth))
    return ["a", "pandas.array", str(value.dtype), [len(value)], known]


def stamp(value, walk, depth):
    """Return the form of a Timestamp, Timedelta, Period or offset: what it says."""
    kind = type(value).__name__
    if kind in ("Timestamp", "Timedelta", "Period"):
        return ["v", "pandas." + kind, str(value)]
    return ["v", "pandas.offset", str(getattr(value, "freqstr", kind))]


def missing(value, walk, depth):
    return ["q", "constant", type(value).__name__]


def interval(value, walk, depth):
    parts = [walk.of(value.left, depth + 1), walk.of(value.right, depth + 1), str(value.closed)]
    return ["r", "Interval", parts]


def dtype(value, walk, depth):
    return ["q", "dtype", str(value)]


# --- polars and pyarrow ---------------------------------------------------------------------------


def polars_frame(value, walk, depth):
    rows, columns = value.shape
    names = list(value.columns)
    kept = [
        [names[i], _polars_column(value.to_series(i), walk, depth, 8 if columns < 9 else 3)]
        for i in range(min(columns, WIDE))
    ]
    return ["df", "polars.DataFrame", [rows, columns], walk.of(names, depth + 1), None, kept]


def polars_series(value, walk, depth):
    column = _polars_column(value, walk, depth, walk.items(depth))
    name = str(value.name)
    return ["df", "polars.Series", [len(value)], name, None, [[name, column]]]


def _polars_column(value, walk, depth, wanted):
    count = len(value)
    return _listed(value.slice(0, 100000).to_list, str(value.dtype), count, (walk, depth, wanted))


def arrow_table(value, walk, depth):
    names = [str(name) for name in value.schema.names]
    kept = [
        [names[i], _arrow_column(value.column(i), walk, depth, 8 if len(names) < 9 else 3)]
        for i in range(min(len(names), WIDE))
    ]
    size = [int(value.num_rows), len(names)]
    return ["df", "pyarrow.Table", size, walk.of(names, depth + 1), None, kept]


def arrow_array(value, walk, depth):
    return _arrow_column(value, walk, depth, walk.items(depth))


def _arrow_column(value, walk, depth, wanted):
    part = value.slice(0, 100000)
    return _listed(part.to_pylist, str(value.type), len(value), (walk, depth, wanted))


def arrow_type(value, walk, depth):
    return ["v", "pyarrow", str(value)]


def arrow_scalar(value, walk, depth):
    return walk.of(value.as_py(), depth + 1)


_DTYPES = {"double": "float64", "float": "float32", "Float64": "float64", "Float32": "float32"}


def _listed(read, dtype, count, how):
    """Return the form of a column by way of its first elements as Python's own values."""
    walk, depth, wanted = how
    items = read()
    plain = load("_prov_forms_plain")
    dtype = _DTYPES.get(dtype, dtype.lower())
    numbers = [float("nan") if one is None else one for one in items]
    if numbers and all(type(one) in (int, float) for one in numbers):
        known = plain.number_facts(numbers, wanted)
    else:
        at = _forms().spots(len(items), wanted)
        known = {"at": [walk.of(items[i], depth + 1) for i in at]}
        if len(at) < len(items) and all(type(one) in (str, type(None), bool) for one in items):
            known["h"] = _forms().digest(repr(items).encode("utf-8", "replace"))
            known["nan"] = sum(1 for one in items if one is None)
    return ["a", "arrow", dtype, [count], known]
