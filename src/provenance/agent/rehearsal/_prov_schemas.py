"""Schemas of what comes from data files, fit to be published, and values made up from them.

A schema names kinds, shapes and ranges; `_prov_schemas_private` takes what is of the data out.
"""

import json
import os
import sys

load = None
MOST_PARTS = 20
"""Elements of a sequence that are described one by one."""
MOST_NAMES = 1000
MOST_TEXT = 1 << 20
HANDLE = {"k": "handle"}


def described(value, depth=0):
    """Return the schema of a value, None where none of its kind can be made up."""
    kind = type(value)
    if kind in (list, tuple) and depth < 4 and len(value) <= MOST_PARTS:
        parts = [described(one, depth + 1) for one in value]
        if depth == 0 and parts and not all(parts) and any(parts):
            parts = [one or HANDLE for one in parts]
        if all(parts) and not _is_column(value):
            return {"k": kind.__name__, "items": parts}
    if isinstance(value, dict) and depth < 4:
        return _mapping(value, depth)
    if kind in (list, tuple) and depth < 4:
        rows = load("_prov_schemas_rows").described(value, described, depth)
        if rows:
            return rows
    if kind is str:
        return _text(value)
    if kind in (bytes, bytearray):
        return {"k": "bytes", "n": min(len(value), MOST_TEXT)}
    if isinstance(value, os.PathLike):
        return {"k": "path", "value": _relative(os.fspath(value))}
    return _of_library(value) or load("_prov_forms_schema").schema(value, depth)


def _is_column(value):
    return len(value) > 8 and {type(one) for one in value} <= {int, float, str, bool, type(None)}


def _mapping(value, depth):
    if not all(type(key) in (str, int) for key in value):
        return None
    items = [[key, described(one, depth + 1)] for key, one in list(value.items())[:100]]
    if not all(one for _, one in items):
        return None
    name = type(value).__name__
    return {
        "k": "mapping",
        "type": name if name in ("OrderedDict", "Bunch") else "",
        "items": items,
    }


def _text(value):
    """Return the schema of a text: what is in it if it is JSON, the patterns of its lines."""
    if value[:1] in ("{", "[") and len(value) <= MOST_TEXT:
        try:
            known = described(json.loads(value), 1)
        except ValueError:
            known = None
        if known:
            return {"k": "json", "of": known}
    lines = value[:MOST_TEXT].split("\n")
    if len(lines) > 1:
        column = {"missing": 0.0, "patterns": _patterns(lines[1:201])}
        return {"k": "lines", "n": len(lines) - 1, "first": lines[0][:200], "column": column}
    column = {"missing": 0.0, "categories": [value]} if len(value) <= 60 else None
    return {"k": "str", "column": column or {"missing": 0.0, "patterns": _patterns([value])}}


def _patterns(texts):
    pattern = load("_prov_forms_schema")._pattern
    return sorted({pattern(one) for one in texts})[:8]


def _relative(path):
    inside = os.path.isabs(path) and path.startswith(os.getcwd() + os.sep)
    return os.path.relpath(path) if inside else path


def _of_library(value):
    schema = load("_prov_forms_schema")
    top, last = type(value).__module__.partition(".")[0], type(value).__name__
    try:
        if top == "numpy":
            return _of_numpy(value, schema)
        if top == "polars" and last == "DataFrame":
            columns = [
                {
                    "name": n,
                    "dtype": str(value[n].dtype),
                    "column": schema._column(_items(value[n])),
                }
                for n in value.columns
            ]
            return {"k": "polars", "rows": value.height, "columns": columns}
        if top == "pyarrow" and last == "Table":
            of = _of_pandas(value.slice(0, 5000).to_pandas(), schema)
            return {"k": "arrow", "of": dict(of, rows=value.num_rows)} if of else None
        if top == "PIL" and hasattr(value, "convert") and hasattr(value, "size"):
            return {"k": "image", "mode": value.mode, "size": list(value.size)}
        if top == "pandas" and last in ("DataFrame", "Series"):
            return _of_pandas(value, schema)
        if top == "scipy" and hasattr(value, "nnz") and len(value.shape) == 2:
            column = schema._column(value.tocoo().data[:5000].tolist())
            known = {"k": "sparse", "format": value.format, "shape": [int(n) for n in value.shape]}
            return dict(known, nnz=int(value.nnz), dtype=value.dtype.str, column=column)
    except Exception:
        return None
    return None


def _items(column):
    return column.head(5000).to_list()


def _of_numpy(value, schema):
    numpy = sys.modules["numpy"]
    if isinstance(value, numpy.generic) and value.dtype.kind in "biufU":
        return {"k": "scalar", "of": schema._array(numpy.asarray(value))}
    if not isinstance(value, numpy.ndarray):
        return None
    if value.dtype.kind == "O":
        items = value.reshape(-1)[:5000].tolist()
        if not all(type(one) in (str, int, float, bool, type(None)) for one in items):
            return None
        column = schema._column(items)
        return {"k": "array", "dtype": "|O", "shape": list(value.shape), "column": column}
    return schema._array(numpy.asarray(value))


def _of_pandas(value, schema):
    known = schema.schema(value)
    name = value.name if type(value).__name__ == "Series" else None
    if known and type(value).__name__ == "Series":
        known["name"] = name if type(name) in (str, int) else None
    if known and type(value.index).__name__ != "RangeIndex" and value.index.nlevels == 1:
        known["index"] = schema.schema(value.index.to_series())
        known["index_name"] = value.index.name if type(value.index.name) is str else None
    if known and type(value).__name__ == "DataFrame":
        for column, one in zip(value.columns, known["columns"]):
            one["name"] = column if type(column) in (str, int) else str(column)
    return known


def names(texts, public):
    """Return a schema that keeps all of a list of texts, None where one is not public."""
    if type(texts) is list and 0 < len(texts) <= MOST_NAMES:
        whole = all(type(one) is str and one in public for one in texts)
        return {"k": "names", "value": list(texts)} if whole else None
    return None


# --- making up -----------------------------------------------------------------------------------


def made(known, rows, seed):
    """Return a made-up value of the kind that a schema describes."""
    import random

    return _make(known, rows, random.Random(seed))  # noqa: S311  # the same each time


def _make(known, rows, draw):
    schema, kind = load("_prov_forms_schema"), known["k"]
    if kind in ("list", "tuple") and "items" in known:
        items = [_make(one, rows, draw) for one in known["items"]]
        return items if kind == "list" else tuple(items)
    if kind == "array" and known["dtype"] == "|O":
        import numpy

        shape = list(known["shape"])
        shape[:1] = [schema._cut(one, rows) for one in shape[:1]]
        count = 1
        for one in shape:
            count *= one
        made = numpy.empty(count, dtype=object)
        made[:] = schema._elements(known["column"], count, draw)
        return made.reshape(shape)
    if kind == "rows":
        return load("_prov_schemas_rows").made(known, rows, draw, _make)
    if kind == "number":
        return load("_prov_schemas_private").number(known, draw)
    if kind == "names":
        return list(known["value"])
    if kind == "handle":
        return load("_prov_feed").Handle()
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker(known, rows, draw)
    value = schema._make(known, rows, draw)
    return _finished(known, value, rows, draw) if kind in ("DataFrame", "Series") else value


def _finished(known, value, rows, draw):
    if known["k"] == "Series":
        value.name = known.get("name")
    if known.get("index"):
        value.index = list(_make(known["index"], rows, draw))
        value.index.name = known.get("index_name")
    return value


def _make_mapping(known, rows, draw):
    items = [(key, _make(one, rows, draw)) for key, one in known["items"]]
    if known.get("type") == "OrderedDict":
        import collections

        return collections.OrderedDict(items)
    if known.get("type") == "Bunch" and "sklearn" in sys.modules:
        return sys.modules["sklearn.utils"].Bunch(**dict(items))
    return dict(items)


def _make_lines(known, rows, draw):
    count = known["n"] if rows is None else min(known["n"], rows)
    lines = load("_prov_forms_schema")._elements(known["column"], count, draw)
    return "\n".join([known["first"], *lines])


def _make_bytes(known, rows, draw):  # noqa: ARG001
    return bytes(bytearray(draw.randrange(256) for _ in range(min(known["n"], 65536))))


def _make_polars(known, rows, draw):
    import polars

    count = known["rows"] if rows is None else min(known["rows"], rows)
    columns = []
    for one in known["columns"]:
        items = load("_prov_forms_schema")._elements(one["column"], count, draw)
        columns.append(polars.Series(one["name"], items, strict=False))
        try:
            dtype = getattr(polars, one["dtype"])
            columns[-1] = columns[-1].cast(dtype, strict=False)
        except Exception:
            continue
    return polars.DataFrame(columns)


def _make_arrow(known, rows, draw):
    import pyarrow

    return pyarrow.Table.from_pandas(_make(known["of"], rows, draw))


def _make_image(known, rows, draw):  # noqa: ARG001
    from PIL import Image

    size = tuple(known["size"])
    noise = Image.new("L", size)
    values = [draw.randrange(256) for _ in range(997)]
    noise.putdata([values[place % 997] for place in range(size[0] * size[1])])
    return noise.convert(known["mode"])


def _make_sparse(known, rows, draw):
    from scipy import sparse

    height, width = known["shape"]
    nnz = known["nnz"]
    if rows is not None and height > rows:
        nnz, height = nnz * rows // height, rows
    places = sorted({(draw.randrange(height), draw.randrange(width)) for _ in range(nnz)})
    items = load("_prov_forms_schema")._elements(known["column"], len(places), draw)
    pair = ([a for a, _ in places], [b for _, b in places])
    whole = sparse.coo_matrix((items, pair), shape=(height, width), dtype=known["dtype"])
    return whole.asformat(known["format"])


def _make_path(known, rows, draw):  # noqa: ARG001
    import pathlib

    return pathlib.Path(known["value"])


_MAKERS = {
    "mapping": _make_mapping,
    "dict": _make_mapping,
    "lines": _make_lines,
    "bytes": _make_bytes,
    "polars": _make_polars,
    "arrow": _make_arrow,
    "image": _make_image,
    "sparse": _make_sparse,
    "path": _make_path,
    "json": lambda known, rows, draw: json.dumps(_make(known["of"], rows, draw)),
    "scalar": lambda known, rows, draw: _make(known["of"], rows, draw)[()],
}
