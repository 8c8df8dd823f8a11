"""Readers and writers of tables and arrays: Arrow, Polars, DuckDB, HDF5, netCDF, LMDB ...

Run by ``sitecustomize``; see `_prov_shims`, which also explains the lines below.
"""

import glob
import os
import re

load = globals()["load"]
_shims = load("_prov_shims")

TABLE = {
    "pyarrow.lib": """
        memory_map 0 path mode
        create_memory_map 0 path write
        encode_file_path 0 path either
    """,
    "pyarrow._csv": """
        read_csv 0 input_file read
        open_csv 0 input_file read
        write_csv 1 output_file write
    """,
    "pyarrow._json": """
        read_json 0 input_file read
        open_json 0 input_file read
    """,
    "pyarrow.feather": """
        read_table 0 source read
        read_feather 0 source read
        write_feather 1 dest write
    """,
    "pyarrow.orc": """
        ORCFile.__init__ 1 source read
        read_table 0 source read
        ORCWriter.__init__ 1 where write
        write_table 1 where write
    """,
    "pyarrow.dataset": """
        dataset 0 source tree
        parquet_dataset 0 metadata_path tree
    """,
    "pyarrow.parquet.core": """
        ParquetFile.__init__ 1 source read
        ParquetDataset.__init__ 1 path_or_paths tree
        read_table 0 source tree
        ParquetWriter.__init__ 1 where write
        write_table 1 where write
    """,
    "polars.io.csv.functions": """
        read_csv 0 source tree
        scan_csv 0 source tree
        read_csv_batched 0 source tree
    """,
    "polars.io.parquet.functions": """
        read_parquet 0 source tree
        scan_parquet 0 source tree
        read_parquet_schema 0 source read
        read_parquet_metadata 0 source read
    """,
    "polars.io.ipc.functions": """
        read_ipc 0 source tree
        scan_ipc 0 source tree
        read_ipc_stream 0 source read
    """,
    "polars.io.ndjson": """
        read_ndjson 0 source tree
        scan_ndjson 0 source tree
    """,
    "polars.io.json.read": "read_json 0 source read",
    "polars.io.json": "read_json 0 source read",
    "polars.io.avro": "read_avro 0 source read",
    "polars.dataframe.frame": "\n".join(
        "DataFrame.write_%s 1 file write" % kind
        for kind in "csv parquet ipc ipc_stream json ndjson avro".split()
    ),
    "polars.lazyframe.frame": "\n".join(
        "LazyFrame.sink_%s 1 path write" % kind for kind in "csv parquet ipc ndjson".split()
    ),
    "fastparquet.api": "ParquetFile.__init__ 1 fn tree",
    "h5py._hl.files": "File.__init__ 1 name mode",
    "tables.file": "open_file 0 filename mode",
    "netCDF4._netCDF4": "Dataset.__init__ 1 filename mode",
    "lmdb.cpython": "open 0 path lmdb",
    "tensorstore._tensorstore": "open 0 spec spec",
    "tensorstore": "open 0 spec spec",
    "_duckdb": "duckdb",
    "duckdb.duckdb": "duckdb",
    "duckdb": "duckdb",
}
"""Module to its functions."""

_SQL = "sql query execute executemany query_df from_query".split()
_DUCK = "connect read_csv read_parquet read_json from_csv_auto from_parquet".split()
_GLOBS = frozenset(("polars", "duckdb"))
_LITERAL = re.compile(r"'((?:[^'\n]){1,1000})'|\"([^\"\n]{1,1000})\"")
_INTO = re.compile(r"(?i)\bto\s*$")


def patch(name, module):
    """Replace what is known of ``module``, which has just been imported."""
    lines = TABLE[name]
    if lines == "duckdb":
        for owner in (module, getattr(module, "DuckDBPyConnection", None)):
            _duckdb(owner)
    elif name == "lmdb.cpython":
        _shims["wrap"](module, "open", _lmdb)
    elif lines.endswith("spec"):
        _shims["wrap"](module, "open", _spec)
    elif name.startswith("polars.io"):
        for line in lines.strip().splitlines():
            _shims["wrap"](module, line.split()[0], _globbing)
    else:
        _shims["install"](TABLE, name, module)


def _matching(path):
    """Take note of the files that a pattern matches, or of a file or folder."""
    if isinstance(path, (list, tuple)):
        for one in path[:20000]:
            _matching(one)
    elif isinstance(path, str) and glob.has_magic(path) and not os.path.exists(path):
        _shims["note"](sorted(glob.glob(path, recursive=True)), 0)
    else:
        _shims["note"](path, 0)


def _globbing(original, *args, **kwargs):
    try:
        _matching(args[0] if args else kwargs.get("source"))
    except Exception:
        pass
    return original(*args, **kwargs)


def _lmdb(original, *args, **kwargs):
    """Take note of an environment: a folder with the data, and locks that are none."""
    try:
        path = os.fsdecode(args[0] if args else kwargs.get("path"))
        below = args[2] if len(args) > 2 else kwargs.get("subdir", True)
        readonly = args[3] if len(args) > 3 else kwargs.get("readonly", False)
        file = os.path.join(path, "data.mdb") if below else path
        _shims["note"](file, 0 if readonly else os.O_RDWR | os.O_CREAT)
    except Exception:
        pass
    return original(*args, **kwargs)


def _spec(original, *args, **kwargs):
    """TensorStore: where its specification says; what is written is found on the disk."""
    try:
        if not (kwargs.get("create") or kwargs.get("delete_existing")):
            _stored(args[0] if args else kwargs.get("spec"), 0)
    except Exception:
        pass
    return original(*args, **kwargs)


def _stored(spec, depth):
    if isinstance(spec, str) and spec.startswith("file://"):
        _shims["note"](spec.partition("|")[0], 0)
    if hasattr(spec, "to_json"):
        spec = spec.to_json()
    if isinstance(spec, dict) and depth < 8 and not spec.get("create"):
        if spec.get("driver") == "file" and isinstance(spec.get("path"), str):
            _shims["note"](spec["path"], 0)
        for name in ("kvstore", "base"):
            _stored(spec.get(name), depth + 1)


def _duckdb(owner):
    for name in _DUCK + _SQL:
        if owner is not None and hasattr(owner, name):
            try:
                _shims["wrap"](owner, name, _in_caller(name))
            except (TypeError, AttributeError):
                continue


_CALL = compile("_prov_call(*_prov_args, **_prov_kwargs)", "<frozen importlib._bootstrap>", "eval")


def _in_caller(name):
    """Return a wrapper that calls in a frame with the caller's variables.

    DuckDB looks there for the tables that a query names.
    """

    def around(original, *args, **kwargs):
        frame = _shims["user_frame"]()
        try:
            given = [one for one in (*args[:2], *kwargs.values()) if _is_path(one)]
            for text in given:
                _duck_words(name, text, kwargs)
        except Exception:
            pass
        if frame is None or name not in _SQL:
            return original(*args, **kwargs)
        here = dict(frame.f_locals, _prov_call=original, _prov_args=args, _prov_kwargs=kwargs)
        return eval(_CALL, frame.f_globals, here)  # noqa: S307 - our own code

    return around


def _is_path(value):
    return isinstance(value, (str, list, tuple)) or hasattr(value, "__fspath__")


def _duck_words(name, text, kwargs):
    """Take note of the files that are named: by themselves, or in quotes in a query."""
    if name == "connect":
        path = os.fsdecode(text) if not isinstance(text, (list, tuple)) else ""
        if path and not path.startswith(":"):
            _shims["note"](path, 0 if kwargs.get("read_only") else os.O_RDWR | os.O_CREAT)
    elif name not in _SQL:
        _matching(text)
    elif isinstance(text, str):
        for found in list(_LITERAL.finditer(text[:100000]))[:1000]:
            path = found.group(1) or found.group(2)
            if _INTO.search(text[: found.start()]):
                _shims["note"](path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            elif os.sep in path or "." in path or os.path.exists(path):
                _attached(text[: found.start()], path)


def _attached(before, path):
    if re.search(r"(?i)\battach\s*(?:database\s*)?(?:if\s+not\s+exists\s*)?$", before):
        _shims["note"](path, os.O_RDWR | os.O_CREAT)
    elif glob.has_magic(path) or os.path.isfile(path):
        _matching(path)
