"""Values kept in plain JSON, and made of it again: no pickle, nothing is executed.

Numbers are packed bytes of an array; texts stay texts, so that whoever stores them can look for
secrets. Big values lose their last rows.
"""

import base64
import json
import sys
import zlib

load = None
MOST_BYTES = 64 << 10
"""Size of one kept value, compressed."""
MOST_ROWS = 2000


class Unkept(Exception):
    """A value that cannot be kept."""


def kept(value):
    """Return JSON for a value and the rows it was cut to (0: whole); (None, 0) if impossible."""
    rows = MOST_ROWS
    while rows >= 1:
        try:
            cut = _Packer(rows)
            packed = cut.pack(value, 0)
        except Exception:
            return None, 0
        text = json.dumps(packed, separators=(",", ":"))
        if len(zlib.compress(text.encode("utf-8"), 1)) <= MOST_BYTES:
            return packed, rows if cut.cut else 0
        rows //= 2
    return None, 0


class _Packer(object):
    def __init__(self, rows):
        self.rows, self.cut = rows, False

    def pack(self, value, depth):
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return {"k": "v", "v": value}
        if kind is float:
            return {"k": "f", "v": repr(value)}
        if kind in (bytes, bytearray):
            return {"k": "bytes", "z": _text(bytes(value))}
        if depth > 6:
            raise Unkept
        if kind in (list, tuple):
            return {"k": kind.__name__, "v": [self.pack(v, depth + 1) for v in self._short(value)]}
        if isinstance(value, dict):
            if not all(type(key) in (str, int) for key in value):
                raise Unkept
            name = kind.__name__ if kind.__name__ in ("OrderedDict", "Bunch") else ""
            items = [[key, self.pack(one, depth + 1)] for key, one in value.items()]
            return {"k": "mapping", "type": name, "items": items}
        return self._of_library(value, kind)

    def _of_library(self, value, kind):
        top, last = kind.__module__.partition(".")[0], kind.__name__
        numpy = sys.modules.get("numpy")
        if numpy is not None and isinstance(value, numpy.generic):
            return {"k": "scalar", "of": self._array(numpy.asarray(value))}
        if numpy is not None and isinstance(value, numpy.ndarray):
            return self._array(self._short(value) if value.ndim else value)
        if top == "pandas" and last in ("DataFrame", "Series"):
            return self._table(self._short(value), last)
        if top == "torch" and last in ("Tensor", "Parameter"):
            data = value.detach().cpu()
            data = self._short(data) if data.dim() else data
            return {"k": "tensor", "of": self._array(data.numpy()), "grad": value.requires_grad}
        if top == "polars" and last == "DataFrame":
            return {"k": "polars", "of": self._table(self._short(value).to_pandas(), "DataFrame")}
        if top == "pyarrow" and last == "Table":
            self.cut = self.cut or value.num_rows > self.rows
            return {
                "k": "arrow",
                "of": self._table(value.slice(0, self.rows).to_pandas(), "DataFrame"),
            }
        if top == "PIL" and hasattr(value, "tobytes"):
            known = {"k": "image", "mode": value.mode, "size": list(value.size)}
            return dict(known, z=_text(value.tobytes()))
        raise Unkept

    def _short(self, value):
        if len(value) <= self.rows:
            return value
        self.cut = True
        return value.iloc[: self.rows] if hasattr(value, "iloc") else value[: self.rows]

    def _array(self, value):
        if value.dtype.kind in "OUS":
            if value.dtype.kind == "S":
                raise Unkept
            items = [_simple(one) for one in value.reshape(-1).tolist()]
            known = {"k": "texts", "dtype": value.dtype.str, "shape": list(value.shape)}
            return dict(known, v=items)
        if value.dtype.kind not in "biufcMm":
            raise Unkept
        known = {"k": "array", "dtype": value.dtype.str, "shape": list(value.shape)}
        return dict(known, z=_text(value.tobytes()))

    def _table(self, value, kind):
        frame = value.to_frame() if kind == "Series" else value
        if frame.columns.nlevels > 1 or frame.index.nlevels > 1:
            raise Unkept
        columns = []
        for place in range(frame.shape[1]):
            name = frame.columns[place]
            if type(name) not in (str, int):
                raise Unkept
            columns.append([name, self._column(frame.iloc[:, place])])
        known = {"k": kind, "columns": columns, "n": len(frame)}
        if type(frame.index).__name__ != "RangeIndex" or frame.index[:1].tolist() not in ([], [0]):
            name = frame.index.name if type(frame.index.name) is str else None
            known["index"] = [name, self._column(frame.index.to_series())]
        if kind == "Series":
            known["unnamed"] = value.name is None
        return known

    def _column(self, column):
        dtype = str(column.dtype)
        plain = getattr(column.dtype, "kind", "O")
        if plain in "biuf" and type(column.dtype).__module__.startswith("numpy"):
            return {"dtype": dtype, "of": self._array(column.to_numpy())}
        if dtype.startswith("datetime64["):
            return {"dtype": dtype, "of": self._array(column.to_numpy())}
        missing = column.isna().tolist()
        items = column.astype(object).tolist()
        return {"dtype": dtype, "v": [None if m else _simple(v) for m, v in zip(missing, items)]}


def _simple(value):
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float:
        return value if abs(value) < float("inf") else None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):
        return _simple(value.item())
    raise Unkept


def _text(data):
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def _data(text):
    found = zlib.decompressobj().decompress(base64.b64decode(text), 256 << 20)
    return bytearray(found)


# --- and back ------------------------------------------------------------------------------------


def value_of(known):
    """Return the value that was kept."""
    return _MADE[known["k"]](known)


def _made_array(known):
    import numpy

    dtype = numpy.dtype(known["dtype"])
    return numpy.frombuffer(_data(known["z"]), dtype=dtype).reshape(known["shape"])


def _made_texts(known):
    import numpy

    made = numpy.empty(len(known["v"]), dtype=object)
    made[:] = known["v"]
    made = made.astype(known["dtype"]) if known["dtype"][1:] != "O" else made
    return made.reshape(known["shape"])


def _made_table(known):
    import pandas

    columns = [_made_column(one) for _, one in known["columns"]]
    frame = pandas.DataFrame(dict(enumerate(columns)), index=range(known["n"]))
    frame.columns = [name for name, _ in known["columns"]]
    if known.get("index"):
        name, one = known["index"]
        frame.index = pandas.Index(_made_column(one), name=name)
    if known["k"] == "DataFrame":
        return frame
    series = frame.iloc[:, 0]
    return series.rename(None) if known.get("unnamed") else series


def _made_column(known):
    import pandas

    if "of" in known:
        return pandas.Series(value_of(known["of"]))
    column = pandas.Series(known["v"], dtype=object)
    try:
        return column.astype(known["dtype"])
    except (TypeError, ValueError):
        return column


def _made_mapping(known):
    items = [(key, value_of(one)) for key, one in known["items"]]
    if known["type"] == "OrderedDict":
        import collections

        return collections.OrderedDict(items)
    if known["type"] == "Bunch" and "sklearn" in sys.modules:
        return sys.modules["sklearn.utils"].Bunch(**dict(items))
    return dict(items)


def _made_tensor(known):
    import torch

    made = torch.from_numpy(value_of(known["of"]).copy())
    return made.requires_grad_() if known.get("grad") else made


def _made_image(known):
    from PIL import Image

    return Image.frombytes(known["mode"], tuple(known["size"]), bytes(_data(known["z"])))


def _made_arrow(known):
    import pyarrow

    return pyarrow.Table.from_pandas(value_of(known["of"]))


def _made_polars(known):
    import polars

    return polars.from_pandas(value_of(known["of"]))


_MADE = {
    "v": lambda known: known["v"],
    "f": lambda known: float(known["v"]),
    "bytes": lambda known: bytes(_data(known["z"])),
    "list": lambda known: [value_of(one) for one in known["v"]],
    "tuple": lambda known: tuple(value_of(one) for one in known["v"]),
    "mapping": _made_mapping,
    "scalar": lambda known: value_of(known["of"])[()],
    "array": _made_array,
    "texts": _made_texts,
    "DataFrame": _made_table,
    "Series": _made_table,
    "tensor": _made_tensor,
    "arrow": _made_arrow,
    "image": _made_image,
    "polars": _made_polars,
}
