"""Small real files of every format, made by the libraries themselves or kept beside the tests."""

from __future__ import annotations

import collections
import io
import json
import pickle
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FILES = Path(__file__).parent / "files"
RNG = np.random.default_rng(0)

ARRAYS: dict[str, Any] = {
    "matrix": RNG.random((6, 5)),
    "fortran": np.asfortranarray(RNG.random((4, 3, 5))),
    "big_endian": np.arange(7, dtype=">i4"),
    "text": np.array(["ab", "ü"], ">U4"),
    "bytes": np.array([b"ab", b"c"]),
    "flags": np.array([True, False, True]),
    "scalar": np.float32(3),
    "empty": np.zeros((0, 3)),
    "complex": RNG.random(4) + 1j,
    "days": np.array(["2020-01-01", "NaT"], "M8[D]"),
    "half": np.array([1.5, np.nan], np.float16),
}
RECORDS = np.array(
    [(1, 2.0, [[1, 2], [3, 4]], (True, b"x")), (3, 4.0, [[5, 6], [7, 8]], (False, b"y"))],
    dtype=[("x", "i4"), ("y", ">f8"), ("m", "i2", (2, 2)), ("in", [("b", "?"), ("s", "S1")])],
)


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(packed: bool = False) -> bytes:
    stream = io.BytesIO()
    save = np.savez_compressed if packed else np.savez
    save(stream, **ARRAYS, records=RECORDS)
    return stream.getvalue()


def safetensors() -> bytes:
    from safetensors.numpy import save

    plain = {name: ARRAYS[name] for name in ("matrix", "flags", "empty", "half")}
    return save(plain, metadata={"format": "np"})


def hdf5() -> bytes:
    import h5py

    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/a.h5"
        with h5py.File(path, "w") as file:
            for name in ("matrix", "big_endian", "flags", "scalar", "empty", "bytes"):
                file["group/" + name] = ARRAYS[name]
            file["records"] = RECORDS[["x", "y"]]
            file["names"] = ["one", "two"]
            file.create_dataset("packed", data=ARRAYS["fortran"], chunks=(3, 2, 2), compression=4)
            file.attrs["layers"] = [b"a", b"b"]
            file["group"].attrs["epoch"] = 3
        return Path(path).read_bytes()


def keras(packing: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential"}))
        archive.writestr("model.weights.h5", hdf5())
    return stream.getvalue()


def arrow_table() -> Any:
    import datetime

    import pyarrow as pa

    return pa.table(
        {
            "id": [1, 2, 3],
            "x": [1.5, None, 3.0],
            "name": ["a", None, "c"],
            "flag": [True, False, True],
            "gap": [1, None, 3],
            "when": [datetime.datetime(2020, 1, 1)] * 3,
            "list": [[1], [2, 3], None],
            "kind": pa.array(["p", "q", "p"]).dictionary_encode(),
        }
    )


def parquet() -> bytes:
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(arrow_table(), stream)
    return stream.getvalue()


def feather() -> bytes:
    import pyarrow.feather

    stream = io.BytesIO()
    pyarrow.feather.write_feather(arrow_table(), stream)
    return stream.getvalue()


def pickled(protocol: int) -> bytes:
    held = {**ARRAYS, "records": RECORDS, "long": RNG.random((100, 100)), **plain_things()}
    return pickle.dumps(held, protocol)


def plain_things() -> dict[str, Any]:
    import datetime
    import decimal

    return {
        "epoch": np.int64(3),
        "set": {3, 1, 2},
        "day": datetime.date(2020, 1, 2),
        "ordered": collections.OrderedDict(a=1, b=None),
        "default": collections.defaultdict(list, a=[1]),
        "price": decimal.Decimal("1.5"),
        "z": 1 + 2j,
        "objects": np.array(["a", None], object),
        "raw": b"x" * 100,
        "story": "t" * 100_000,
        "deep": {"er": [1, {"most": "here"}]},
    }


CSV = b'id,name,x,flag,code\n1,"a,b",0.5,True,007\n2,c,,False,008\n3,"d\ne",nan,True,009\n'
JSONL = b'{"a": 1, "b": "x"}\n{"a": 2.5, "c": [1]}\n\n{"a": null, "b": "y"}\n'


@cache
def archives() -> dict[str, bytes]:
    """Return the files that are archives by name."""
    kept = {path.name: path.read_bytes() for path in FILES.iterdir() if path.suffix != ".py"}
    made = {
        "a.npy": npy(ARRAYS["fortran"]),
        "records.npy": npy(RECORDS),
        "a.npz": npz(),
        "packed.npz": npz(packed=True),
        "a.safetensors": safetensors(),
        **{"a-p%d.pkl" % protocol: pickled(protocol) for protocol in range(6)},
    }
    return {**made, **kept}


@cache
def apart() -> dict[str, bytes]:
    """Return the archives that are read in a process apart."""
    return {"a.h5": hdf5(), "a.keras": keras()}


@cache
def tables() -> dict[str, bytes]:
    """Return tables as text, by name."""
    import gzip

    return {
        "a.csv": CSV,
        "a.tsv": b"x\ty\n1\t2\n3\t4.5\n",
        "a.csv.gz": gzip.compress(CSV),
        "a.jsonl": JSONL,
    }
