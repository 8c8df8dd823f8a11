"""What a value looks like, without keeping it: type, shape, dtype, digest, summary.

The digest of an array is over its dtype, its shape and its elements in C order and little-endian,
so that the same numbers have the same digest in every library. No random numbers are drawn, no
iterator is consumed, no value is changed, and a large value costs no more than a bounded one.
"""

from __future__ import annotations

import array
import hashlib
import json
import math
import os
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

WHOLE = 1 << 28
"""Bytes of all arrays of one value, up to which each is digested whole."""
SAMPLE, BLOCK = 1 << 20, 1 << 16
"""Bytes of each array that are digested otherwise, in evenly spread blocks of this size."""
SUMMED = 1 << 20
"""Elements of an array that its summary is made of, evenly spread where it has more."""
ELEMENTS = 100000
"""Python objects in one list or array of objects that are looked at, evenly spread."""
PARTS, DEPTH, LONGEST = 1000, 8, 2000
SAMPLED = "sha256-sampled-1"
_PLAIN = (bool, int, float, str, bytes, type(None), complex, range)


def type_name(value: Any) -> str:
    """Return the full name of a value's type; built-in ones without their module."""
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
    return module + kind.__qualname__


def plain(value: Any, depth: int = 0) -> Any:
    """Return ``value`` as plain data of bounded size."""
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        text = str(value)
        return text if len(text) <= 100 * LONGEST else text[: 100 * LONGEST] + "..."
    if isinstance(value, (list, tuple, set, frozenset)) and depth < 4:
        some = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        return [plain(one, depth + 1) for one in list(some)[:PARTS]]
    if isinstance(value, dict) and depth < 4:
        return {str(key): plain(one, depth + 1) for key, one in list(value.items())[:PARTS]}
    if hasattr(value, "__fspath__"):
        return os.fsdecode(os.fspath(value))
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return "%s.%s" % (value.__module__, value.__qualname__)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return plain(value.item(), depth + 1)
    text = repr(value)
    return "<%s>" % type_name(value) if " at 0x" in text else text[:LONGEST]


def describe(value: Any) -> Dict[str, Any]:
    """Return what ``value`` looks like.

    type; shape, dtype, bytes, summary (of arrays); value (of short plain ones); size and parts (of
    what has parts); digest, empty where there is none and ``reason`` says why.
    """
    return _described(value, _total(value, 0) > WHOLE, 0)


def _described(value: Any, much: bool, depth: int) -> Dict[str, Any]:
    told: Dict[str, Any] = {"type": type_name(value)}
    try:
        if type(value) in _PLAIN:
            told.update(_of_plain(value))
        else:
            grid = _grid(value)
            if grid is not None:
                told.update(grid.told(much))
            else:
                told.update(_of_parts(value, much, depth))
    except Exception as error:  # noqa: BLE001  # what libraries raise is their affair
        told.update(digest={}, reason="%s: %s" % (type(error).__name__, str(error)[:200]))
    return told


def _of_plain(value: Any) -> Dict[str, Any]:
    data = value if isinstance(value, bytes) else repr(value).encode("utf-8", "surrogatepass")
    told: Dict[str, Any] = {"digest": {"sha256": hashlib.sha256(data).hexdigest()}}
    if isinstance(value, (str, bytes)):
        told["size"] = len(value)
    if not isinstance(value, (bytes, complex, range)) and len(data) <= 200:
        told["value"] = value
    return told


# --- what has parts ------------------------------------------------------------------------------


def _of_parts(value: Any, much: bool, depth: int) -> Dict[str, Any]:
    known = getattr(value, "_fingerprint", None)
    if isinstance(known, str) and type(value).__module__.startswith("datasets."):
        return {"size": len(value), "digest": {"datasets": known}}
    if isinstance(value, (list, tuple)) and value and all(type(o) in _PLAIN for o in value[:100]):
        return _of_objects(value, len(value))
    parts = _parts(value)
    if parts is None:
        reason = "an iterator is not consumed" if hasattr(value, "__next__") else "no known form"
        return {"digest": {}, "reason": reason}
    if depth >= DEPTH:
        return {"digest": {}, "reason": "nested too deeply"}
    found = {name: _described(one, much, depth + 1) for name, one in parts[:PARTS]}
    told: Dict[str, Any] = {"size": len(parts), "parts": found}
    kinds = {kind for one in found.values() for kind in one["digest"]}
    if all(one["digest"] for one in found.values()) and len(parts) <= PARTS:
        rows = sorted((name, sorted(one["digest"].items())) for name, one in found.items())
        data = json.dumps(rows).encode("ascii")
        kind = SAMPLED if SAMPLED in kinds else "sha256"
        told["digest"] = {kind: hashlib.sha256(data).hexdigest()}
    else:
        told.update(digest={}, reason="some of its parts have no digest")
    return told


def _parts(value: Any) -> Optional[List[Tuple[str, Any]]]:
    """Return the named parts of a batch, data frame, sparse array or model; None for none."""
    if isinstance(value, (list, tuple)):
        names = getattr(value, "_fields", None) or ["[%d]" % n for n in range(len(value))]
        return list(zip(names, value))
    if hasattr(value, "filled") and hasattr(value, "mask"):
        return [
            ("data", value.filled(0) if value.dtype.kind in "biufc" else value.data),
            ("mask", value.mask),
        ]
    names = getattr(getattr(value, "dtype", None), "names", None)
    if names:
        return [(name, value[name]) for name in names]
    if hasattr(value, "to_numpy") and hasattr(value, "columns"):
        return _columns(value)
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return [(str(key), value[key]) for key in list(value.keys())]
    if isinstance(value, (set, frozenset)):
        return [("values", sorted(value, key=repr))]
    if hasattr(value, "indptr") and hasattr(value, "indices"):
        return [(name, getattr(value, name)) for name in ("data", "indices", "indptr")]
    for method in ("state_dict", "get_weights"):
        if callable(getattr(value, method, None)) and not isinstance(value, type):
            return _parts(getattr(value, method)())
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return [(name, getattr(value, name)) for name in fields if hasattr(value, name)]
    return None


def _columns(frame: Any) -> List[Tuple[str, Any]]:
    names = [str(one) for one in frame.columns]
    if hasattr(frame, "iloc"):
        parts = [(name, frame.iloc[:, n]) for n, name in enumerate(names)]
        return [*parts, ("(index)", frame.index)]
    return [(name, frame[name]) for name in names]


def _total(value: Any, depth: int) -> int:
    """Return how many bytes the arrays in ``value`` have, as far as they say so cheaply."""
    try:
        size = getattr(value, "nbytes", None)
        if isinstance(size, int):
            return size
        if type(value) in _PLAIN or depth >= DEPTH:
            return 0
        element = getattr(value, "element_size", None)
        if callable(element):
            return int(element() * value.numel())
        if isinstance(value, (list, tuple)) and all(type(o) in _PLAIN for o in value[:100]):
            return 0
        return sum(_total(one, depth + 1) for _, one in (_parts(value) or ())[:PARTS])
    except Exception:  # noqa: BLE001  # what has no size is small
        return 0


# --- arrays --------------------------------------------------------------------------------------


class _Grid:
    """An array. piece(start, stop): these elements, in C order, as bytes of equal items."""

    def __init__(
        self,
        shape: Any,
        dtype: str,
        item: int,
        piece: Callable[[int, int], Any],
        some: Callable[[int], Any],
    ) -> None:
        self.shape = [int(n) for n in shape]
        self.count = 1
        for n in self.shape:
            self.count *= n
        self.dtype, self.item, self.piece, self.some = dtype, item, piece, some

    def told(self, much: bool) -> Dict[str, Any]:
        """Return shape, dtype, size, digest and summary."""
        size = self.count * self.item
        sampled = much and size > SAMPLE
        state = hashlib.sha256(json.dumps([self.dtype, self.shape]).encode("ascii"))
        step = max(1, BLOCK // max(1, self.item))
        starts = range(0, self.count, step)
        if sampled:
            starts = _spread(self.count, step)  # type: ignore[assignment]  # whole numbers both
        for start in starts:
            state.update(self.piece(start, min(start + step, self.count)))
        told: Dict[str, Any] = {"shape": self.shape, "dtype": self.dtype, "bytes": size}
        told["digest"] = {SAMPLED if sampled else "sha256": state.hexdigest()}
        summary = _summary(self.some(max(1, -(-self.count // SUMMED)))) if self.count else None
        if summary:
            told["summary"] = summary
        return told


def _spread(count: int, step: int) -> List[int]:
    """Return where blocks of ``step`` elements begin: evenly spread, the first and last as well."""
    blocks = SAMPLE // BLOCK
    last = max(0, count - step)
    return sorted({last * n // (blocks - 1) for n in range(blocks)})


def _grid(value: Any) -> Optional[_Grid]:
    """Return ``value`` as an array; None where it is none. Raises where it cannot be read."""
    numpy: Any = sys.modules.get("numpy")
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(value, getattr(torch, "Tensor", ())):
        return _of_tensor(torch, value)
    if isinstance(value, (bytearray, memoryview, array.array)):
        data = memoryview(value).cast("B") if not isinstance(value, bytearray) else value
        return _Grid([len(data)], "uint8", 1, lambda i, j: bytes(data[i:j]), lambda _: None)
    if numpy is None or isinstance(value, (list, tuple, type)) or hasattr(value, "columns"):
        return None
    if isinstance(value, numpy.ndarray) and (value.dtype.names or hasattr(value, "filled")):
        return None  # what has fields or a mask is looked at part by part
    if not isinstance(value, (numpy.ndarray, numpy.generic)):
        convert = getattr(value, "to_numpy", None) or getattr(value, "numpy", None)
        if convert is not None and hasattr(value, "dtype"):
            value = convert()
        elif hasattr(value, "__array__") or hasattr(value, "__array_interface__"):
            value = numpy.asarray(value)
        else:
            return None
    return _of_array(numpy.asarray(value))


def _of_array(value: Any) -> _Grid:
    kind = value.dtype
    if kind.hasobject:
        return _Objects(value)
    if kind.byteorder == ">" or (kind.byteorder == "=" and sys.byteorder == "big"):
        value = value.astype(kind.newbyteorder("<"))
    flat = value.reshape(-1) if value.flags.c_contiguous else value.flat

    def some(every: int) -> Any:
        return flat[::every] if kind.kind in "biuf" or kind.name == "bfloat16" else None

    return _Grid(
        value.shape, kind.name, kind.itemsize, lambda i, j: flat[i:j].tobytes(), some
    )  # fmt: skip


def _of_tensor(torch: Any, value: Any) -> _Grid:
    tensor = value.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    flat = tensor.resolve_conj().reshape(-1) if tensor.is_complex() else tensor.reshape(-1)
    name = str(tensor.dtype).rpartition(".")[2]

    def piece(start: int, stop: int) -> bytes:
        return bytes(flat[start:stop].cpu().contiguous().view(torch.uint8).numpy().tobytes())

    def some(every: int) -> Any:
        if tensor.is_complex():
            return None
        part = flat[::every].cpu()
        return (part.double() if part.is_floating_point() else part).numpy()

    return _Grid(tensor.shape, name, tensor.element_size(), piece, some)


def _summary(part: Any) -> Optional[Dict[str, Any]]:
    """Return least, greatest, mean, standard deviation and how many are not a number."""
    numpy: Any = sys.modules.get("numpy")
    if part is None or numpy is None:
        return None
    with numpy.errstate(all="ignore"):
        told: Dict[str, Any] = {}
        values = part.astype("float64")
        finite = numpy.isfinite(values)
        bad = int(part.size - finite.sum())
        if bad:
            told["nan"] = int(numpy.isnan(values).sum())
            told["infinite"] = bad - told["nan"]
            part, values = part[finite], values[finite]
        if values.size:
            told.update(min=part.min().item(), max=part.max().item())
            told.update(mean=float(values.mean()), std=float(values.std()))
        told["of"] = int(finite.size)
        return told


# --- objects -------------------------------------------------------------------------------------


class _Objects(_Grid):
    """An array of Python objects."""

    def __init__(self, value: Any) -> None:
        super().__init__(value.shape, "object", 8, lambda _i, _j: b"", lambda _: None)
        self._flat = value.reshape(-1)

    def told(self, much: bool) -> Dict[str, Any]:  # noqa: ARG002  # as an array of numbers has it
        """Return shape and digest; ``much`` makes no difference."""
        told = {"shape": self.shape, "dtype": "object"}
        return dict(told, **_of_objects(self._flat, self.count))


def _of_objects(values: Any, count: int) -> Dict[str, Any]:
    """Return size and digest of plain objects, and a summary where all are numbers."""
    every = max(1, -(-count // ELEMENTS))
    state = hashlib.sha256(b"%d" % count)
    numbers: List[float] = []
    for given in _each(values, count, every):
        one = given if type(given) in _PLAIN else plain(given)
        if type(one) in (int, float) and abs(one) < 1e300:
            numbers.append(one)
        data = repr(one).encode("utf-8", "surrogatepass")
        state.update(b"%d " % len(data) + data)
    kind = SAMPLED if every > 1 else "sha256"
    told: Dict[str, Any] = {"size": count, "digest": {kind: state.hexdigest()}}
    if numbers and len(numbers) == -(-count // every):
        mean = math.fsum(numbers) / len(numbers)
        std = math.sqrt(math.fsum((n - mean) ** 2 for n in numbers) / len(numbers))
        told["summary"] = {"min": min(numbers), "max": max(numbers), "mean": mean, "std": std}
    return told


def _each(values: Any, count: int, every: int) -> Iterator[Any]:
    for place in range(0, count, every):
        yield values[place]
