#!/usr/bin/env python3
"""The drop-in test: whether what a repository publishes in ``prov.lock`` is still true here.

Looks at the interpreter that runs it and at the files beside the lock; imports no package that it
checks. As a test file it gives pytest one test per package, and one each for Python, the code, the
data and the GPU; run as a program it prints the same and ends with 0, 1 (different), 3 (nothing
could be compared) or 4 (no readable lock). It is packed, with what it needs, into one file.

``PROV_LOCK``     the lock to read (else the nearest one above this file)
``PROV_ACCEPT``   packages whose changes are accepted, by name, with commas between
``PROV_FAIL_ON``  the least effect that fails: unknown, possible, known (default) or broken
``PROV_FULL=1``   digests files above 1 GiB as well

Made by prov 0.1.0.dev0 from its own source; renew it with:  prov init --test
"""

from __future__ import annotations

import ast
import codecs
import fnmatch
import glob
import hashlib
import json
import math
import os
import platform
import re
import sys
import typing
import warnings
from bisect import bisect_left
from types import SimpleNamespace
from typing import (
    Any,
    Callable,
    Collection,
    Dict,
    FrozenSet,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
)

# ---- provenance.core._types ----------------------------------------------------------------------
# What well-known calls return: enough to follow an object from its maker to its methods.
#
# Facts of the libraries' documented interfaces, kept to what is common in experiments. A call that
# stands nowhere here returns something unknown, which costs a finding its certainty, never its
# truth.

FRAME, SERIES, INDEX = "pandas.DataFrame", "pandas.Series", "pandas.Index"
ARRAY, TENSOR, GENERATOR = "numpy.ndarray", "torch.Tensor", "numpy.random.Generator"
GROUPS, COLUMN_GROUPS = "pandas.DataFrameGroupBy", "pandas.SeriesGroupBy"
IMAGE = "PIL.Image.Image"

COMMON = frozenset((FRAME, SERIES, INDEX, ARRAY, TENSOR, GROUPS, COLUMN_GROUPS))
"""Classes whose items are read everywhere, without anything that a release could change."""

_NUMPY_SCALARS = (
    "float16 float32 float64 longdouble complex64 complex128 "
    "int8 int16 int32 int64 uint8 uint16 uint32 uint64"
)
NUMPY_SCALARS: FrozenSet[str] = frozenset("numpy." + name for name in _NUMPY_SCALARS.split())

_NUMPY_ARRAYS = (
    "array asarray ascontiguousarray zeros ones empty full zeros_like ones_like empty_like "
    "full_like arange linspace logspace concatenate stack vstack hstack column_stack where sqrt "
    "exp log log2 log10 abs sin cos tan tanh power dot matmul einsum random.rand random.randn "
    "random.random random.normal random.uniform random.randint random.permutation random.choice "
    "loadtxt genfromtxt fromfile eye diag tile repeat clip round cumsum cumprod diff sort argsort"
)
_TORCH_TENSORS = (
    "tensor as_tensor from_numpy zeros ones empty full rand randn randint randperm arange linspace "
    "eye zeros_like ones_like rand_like randn_like empty_like full_like cat stack sin cos exp log "
    "sqrt abs matmul mm bmm einsum where softmax sigmoid tanh relu clamp sum mean std norm flatten "
    "reshape transpose permute squeeze unsqueeze normal bernoulli multinomial logspace"
)
_PANDAS_FRAMES = (
    "read_csv read_table read_parquet read_excel read_json read_feather read_pickle read_hdf "
    "read_sql read_sql_query read_fwf read_stata read_orc merge get_dummies pivot_table melt "
    "crosstab json_normalize concat pivot"
)
_NETWORKX = (
    "karate_club_graph gnp_random_graph erdos_renyi_graph fast_gnp_random_graph path_graph "
    "barabasi_albert_graph watts_strogatz_graph complete_graph from_pandas_edgelist read_edgelist"
)

RETURNS: Dict[str, str] = {
    "numpy.random.default_rng": GENERATOR,
    "jax.random.PRNGKey": "jax.Array",
    "jax.random.key": "jax.Array",
    "pandas.to_datetime": SERIES,
    "pandas.to_numeric": SERIES,
    "pandas.cut": SERIES,
    "pandas.qcut": SERIES,
    "pandas.date_range": "pandas.DatetimeIndex",
    "PIL.Image.open": IMAGE,
    "PIL.Image.new": IMAGE,
    "PIL.Image.fromarray": IMAGE,
    "PIL.Image.linear_gradient": IMAGE,
    "PIL.Image.radial_gradient": IMAGE,
    "PIL.Image.merge": IMAGE,
    "PIL.ImageDraw.Draw": "PIL.ImageDraw.ImageDraw",
    "gym.make": "gym.Env",
    "gymnasium.make": "gymnasium.Env",
    "xgboost.train": "xgboost.Booster",
    "lightgbm.train": "lightgbm.Booster",
    "sklearn.pipeline.make_pipeline": "sklearn.pipeline.Pipeline",
    "sklearn.compose.make_column_transformer": "sklearn.compose.ColumnTransformer",
    "pyarrow.table": "pyarrow.Table",
    "pyarrow.parquet.read_table": "pyarrow.Table",
    "pyarrow.Table.from_pandas": "pyarrow.Table",
    "polars.read_csv": "polars.DataFrame",
    "polars.read_parquet": "polars.DataFrame",
    "polars.scan_csv": "polars.LazyFrame",
    "polars.scan_parquet": "polars.LazyFrame",
    "optuna.create_study": "optuna.Study",
    "tensorflow.data.Dataset.from_tensor_slices": "tensorflow.data.Dataset",
    "datasets.load_dataset": "datasets.Dataset",
    "statsmodels.formula.api.ols": "statsmodels.regression.linear_model.OLS",
}
RETURNS.update(("numpy." + name, ARRAY) for name in _NUMPY_ARRAYS.split())
RETURNS.update((name, name) for name in NUMPY_SCALARS)
RETURNS.update(("torch." + name, TENSOR) for name in _TORCH_TENSORS.split())
RETURNS.update(("pandas." + name, FRAME) for name in _PANDAS_FRAMES.split())
RETURNS.update(("networkx." + name, "networkx.Graph") for name in _NETWORKX.split())

_SAME = (
    "abs add agg assign astype bfill clip copy cummax cummin cumprod cumsum diff div drop "
    "drop_duplicates dropna ffill fillna filter head iloc interpolate isin join loc map mask merge "
    "mul nlargest nsmallest pct_change pipe pow query rank reindex rename replace reset_index "
    "resample_ round sample select_dtypes set_index shift sort_index sort_values sub tail "
    "to_frame transform transpose truncate unstack where"
)
_KEEPS: Dict[str, FrozenSet[str]] = {
    FRAME: frozenset(_SAME.split()),
    SERIES: frozenset(_SAME.split()) - {"to_frame", "reset_index", "unstack"},
}
_MEMBERS: Dict[str, str] = {
    FRAME + ".groupby": GROUPS,
    SERIES + ".groupby": COLUMN_GROUPS,
    GROUPS + ".apply": FRAME,
    FRAME + ".value_counts": SERIES,
    SERIES + ".value_counts": SERIES,
    SERIES + ".to_frame": FRAME,
    SERIES + ".reset_index": FRAME,
    SERIES + ".unstack": FRAME,
    FRAME + ".stack": SERIES,
    FRAME + ".melt": FRAME,
    FRAME + ".pivot_table": FRAME,
    FRAME + ".pivot": FRAME,
    FRAME + ".corr": FRAME,
    FRAME + ".describe": FRAME,
    FRAME + ".T": FRAME,
    FRAME + ".values": ARRAY,
    SERIES + ".values": ARRAY,
    FRAME + ".to_numpy": ARRAY,
    SERIES + ".to_numpy": ARRAY,
    FRAME + ".index": INDEX,
    SERIES + ".index": INDEX,
    FRAME + ".columns": INDEX,
    TENSOR + ".numpy": ARRAY,
    "h5py.File.create_dataset": "h5py.Dataset",
    "keras.Model.fit": "keras.callbacks.History",
    "keras.Sequential.fit": "keras.callbacks.History",
}
_REDUCED = frozenset("mean sum std var min max median prod quantile nunique count any all".split())
_GROUPED = frozenset(
    "mean sum std var min max median prod quantile nunique count size first last "
    "agg aggregate head tail nth cumsum cumcount rank transform".split()
)
_FLUENT = frozenset(
    "fit partial_fit set_params set_output train eval to cuda cpu half float double "
    "requires_grad_ shuffle batch map prefetch repeat cache take skip".split()
)
_NOT_TENSORS = frozenset(
    "item tolist numpy size dim numel backward stride shape dtype device is_cuda is_contiguous "
    "data_ptr element_size type grad_fn requires_grad names".split()
)
_NOT_IMAGES = frozenset("getdata getpixel save size mode tobytes getbbox histogram load".split())


def is_class(name: str) -> bool:
    """Return whether a dotted name names a class, by the custom of capital letters."""
    last = name.rpartition(".")[2]
    return last[:1].isupper() or (last[:1] == "_" and last[1:2].isupper())


def returned(symbol: str) -> Optional[str]:
    """Return the class of what calling ``symbol`` gives, None where it is not known."""
    if symbol in RETURNS:
        return RETURNS[symbol]
    if is_class(symbol):
        return symbol
    owner, _, method = symbol.rpartition(".")
    if method == "__enter__":
        return owner
    return _of_method(owner, method) if is_class(owner) else None


def member(owner: str, name: str) -> Optional[str]:
    """Return the class of the attribute ``name`` of an object of class ``owner``, if known."""
    if owner == FRAME and name in ("loc", "iloc"):
        return None
    found = _MEMBERS.get(owner + "." + name)
    if found in (ARRAY, INDEX, FRAME) and name in ("T", "values", "index", "columns"):
        return found
    if owner == TENSOR and name in ("T", "data", "grad", "real", "imag"):
        return TENSOR
    return ARRAY if owner == ARRAY and name == "T" else None


def _of_method(owner: str, method: str) -> Optional[str]:
    full = owner + "." + method
    if full in _MEMBERS:
        return _MEMBERS[full]
    if method in _KEEPS.get(owner, ()):
        return owner
    if owner == FRAME and method in _REDUCED:
        return SERIES
    if owner in (GROUPS, COLUMN_GROUPS) and method in _GROUPED:
        return FRAME if owner == GROUPS else SERIES
    if owner == TENSOR:
        return None if method in _NOT_TENSORS else TENSOR
    if owner == IMAGE:
        return None if method in _NOT_IMAGES else IMAGE
    if owner == ARRAY and method in ("astype", "reshape", "copy", "flatten", "ravel", "transpose"):
        return ARRAY
    if method.startswith("from_") or method in _FLUENT:
        return owner
    return None


def item(owner: str, key: str) -> Optional[str]:
    """Return the class of ``object[key]``; key: "text", "list", "test", "slice" or "other"."""
    if owner == FRAME:
        return {"text": SERIES, "list": FRAME, "test": FRAME, "slice": FRAME}.get(key)
    if owner == SERIES:
        return SERIES if key in ("list", "test", "slice") else None
    if owner == GROUPS:
        return {"text": COLUMN_GROUPS, "list": GROUPS}.get(key)
    if owner in ("h5py.File", "h5py.Group"):
        return "h5py.Dataset"
    return TENSOR if owner == TENSOR else (ARRAY if owner == ARRAY and key != "other" else None)


_ALIASES: Tuple[Tuple[str, str], ...] = (
    ("tensorflow.compat.v2.keras.", "keras."),
    ("tensorflow.python.keras.", "keras."),
    ("tensorflow.keras.", "keras."),
    ("tf_keras.", "keras."),
    ("keras.api.", "keras."),
    ("keras.src.", "keras."),
    ("lightning.pytorch.", "pytorch_lightning."),
    ("lightning.", "pytorch_lightning."),
    ("pandas.core.groupby.generic.", "pandas."),
    ("pandas.core.groupby.", "pandas."),
)
"""Names under which libraries publish the same thing again; the left becomes the right."""


def spelled(symbol: str) -> str:
    """Return ``symbol`` in the one spelling by which call sites and entries are compared."""
    for prefix, short in _ALIASES:
        if symbol.startswith(prefix):
            return short + symbol[len(prefix) :]
    return symbol


_types = SimpleNamespace(
    ARRAY=ARRAY,
    COMMON=COMMON,
    NUMPY_SCALARS=NUMPY_SCALARS,
    TENSOR=TENSOR,
    is_class=is_class,
    item=item,
    member=member,
    returned=returned,
    spelled=spelled,
)


# ---- provenance.core._values ---------------------------------------------------------------------
# What an expression in Python source may be, and its value where it is constant.

REF, MEMBER, OBJECT = "ref", "member", "object"
CLASS, INSTANCE, FUNCTION, LITERAL = "class", "instance", "function", "literal"
MODULE = "module"
MOST_ALTERNATIVES = 4
LONGEST_TEXT, MOST_ITEMS = 80, 16

LITERALS = ("Constant", "Num", "Str", "NameConstant", "UnaryOp", "Tuple", "List", "Dict")


class Value(NamedTuple):
    """What an expression may be.

    kind: "ref" (a library's module, class or function), "member" (of a library's object), "object"
    (instance of a library's class), "class", "instance", "function" or "module" (of the source
    itself) or "literal". name: dotted symbol, or name in the source. literal: of a literal.
    """

    kind: str
    name: str
    literal: Any = None


class Seen(NamedTuple):
    """One call, read or write of a symbol: kind, symbol, the node, and what was given to it."""

    kind: str
    symbol: str
    line: int
    arguments: Tuple[Any, ...] = ()
    keywords: Dict[str, Any] = {}
    spread: bool = False
    assigned: bool = False


Values = Tuple[Value, ...]
Scope = Dict[str, Values]


class Neighbours:
    """The user's own files that are read together, by dotted name, and what each holds."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = [tuple(name.split(".")) for name in names]
        self.held: Dict[str, Scope] = {}

    def module(self, dotted: str) -> str:
        """Return the name of the file that ``dotted`` imports, "" where it is none or not clear."""
        wanted = tuple(dotted.split("."))
        found = [name for name in self._names if name[-len(wanted) :] == wanted]
        exact = [name for name in found if name == wanted]
        found = exact or found
        return ".".join(found[0]) if len(found) == 1 else ""

    def relative(self, name: str, level: int, module: str) -> str:
        """Return the file that ``from ..module import`` means in the file ``name``."""
        parts = name.split(".")
        base = parts[: len(parts) - level]
        if len(parts) < level:
            return ""
        full = tuple(base + ([module] if module else []))
        dotted = ".".join(full)
        return dotted if tuple(dotted.split(".")) in self._names else ""


class Learned(NamedTuple):
    """What a first pass over the source found out about its own classes and functions.

    bases: symbols of the library classes that a class stands on. methods: names it defines itself.
    attributes: what its instances hold. results: what a function returns.
    """

    bases: Dict[str, Tuple[str, ...]]
    methods: Dict[str, List[str]]
    attributes: Dict[str, Scope]
    results: Dict[str, Values]


Lookup = Callable[[str], Values]


def either(*parts: Values) -> Values:
    """Return what a name may be that is one of ``parts``, each possibility once."""
    found: List[Value] = []
    for part in parts:
        found.extend(one for one in part if one not in found)
    return tuple(found[:MOST_ALTERNATIVES])


def constant(node: Any, lookup: Lookup) -> Any:
    """Return ``node`` as a plain JSON value, None where it is not constant.

    None itself and dotted names of libraries are ``{"name": ...}``, a dictionary is
    ``{"dict": {...}}`` with the keys that are text.
    """
    kind = type(node).__name__
    if kind in ("Name", "Attribute"):
        return _constant_name(node, lookup)
    if kind == "Dict":
        keys = [constant(k, lookup) if k is not None else None for k in node.keys]
        if not all(isinstance(k, str) for k in keys) or len(keys) > MOST_ITEMS:
            return None
        return {"dict": {k: constant(v, lookup) for k, v in zip(keys, node.values)}}
    if kind == "Call" and type(node.func).__name__ == "Name" and node.func.id == "dict":
        plain = not node.args and all(k.arg is not None for k in node.keywords)
        if not plain or lookup("dict") or len(node.keywords) > MOST_ITEMS:
            return None
        return {"dict": {k.arg: constant(k.value, lookup) for k in node.keywords}}
    if kind in ("Tuple", "List"):
        items = [constant(e, lookup) for e in node.elts[:MOST_ITEMS]]
        return items if len(node.elts) <= MOST_ITEMS and None not in items else None
    if kind not in LITERALS:
        return None
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return _plain(value)


def _constant_name(node: Any, lookup: Lookup) -> Any:
    dotted: List[str] = []
    while isinstance(node, ast.Attribute):
        dotted.insert(0, node.attr)
        node = node.value
    values = lookup(node.id) if isinstance(node, ast.Name) else ()
    if len(values) != 1 or (values[0].kind == LITERAL and dotted):
        return None
    if values[0].kind == LITERAL:
        return values[0].literal
    if values[0].kind != REF:
        return None
    return {"name": _types.spelled(".".join([values[0].name, *dotted]))}


def _plain(value: Any) -> Any:
    if value is None:
        return {"name": "None"}
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else None
    if isinstance(value, (bool, int)):
        return value
    return value if isinstance(value, float) and value - value == 0 else None


def index_of(node: ast.Subscript) -> Any:
    """Return the index expression; before 3.9 it stood inside an ``Index`` node."""
    return getattr(node.slice, "value", node.slice) if _is_index(node) else node.slice


def _is_index(node: ast.Subscript) -> bool:
    return type(node.slice).__name__ == "Index"


def key_kind(index: Any) -> str:
    """Return the kind of an index expression: "text", "list", "test", "slice" or "other"."""
    kind = type(index).__name__
    if kind in ("Constant", "Str") and isinstance(getattr(index, "value", ""), str):
        return "text"
    if kind in ("List", "Tuple"):
        return "list"
    if kind in ("Compare", "BinOp", "UnaryOp", "BoolOp"):
        return "test"
    return "slice" if kind in ("Slice", "ExtSlice") else "other"


# ---- provenance.core.use -------------------------------------------------------------------------
# One use of a library's symbol in the user's source: the value that `uses` reads and records keep.
#
# Apart from the reader, which needs `ast`: a run without Python source never loads that.

CALL, READ, WRITE = "call", "read", "write"
UNRESOLVED = "?."
"""How the symbol of a method begins whose object is not known."""


class Use(NamedTuple):
    """One use of a symbol.

    path: as given. line: 1-based; in a notebook within its cell. cell: number of the code cell, 0
    in a plain file. kind: "call", "read" or "write". arguments: of the positional arguments the
    constant value, None where it is not constant; of a write the value. An import is a read of the
    library's name. keywords: the same by name. A constant is plain JSON; None and library names
    are ``{"name": ...}``. spread: ``*x`` or ``**x`` was given, so that more may be passed.
    assigned: the result is kept.
    """

    symbol: str
    path: str
    line: int
    kind: str = CALL
    arguments: Tuple[Any, ...] = ()
    keywords: Dict[str, Any] = {}
    spread: bool = False
    assigned: bool = False
    cell: int = 0

    @property
    def positional(self) -> int:
        """The number of positional arguments."""
        return len(self.arguments)

    @property
    def where(self) -> str:
        """The place as people read it: "fit.py:8", in a notebook "fit.ipynb:3:8" (cell, line)."""
        cell = "%d:" % self.cell if self.cell else ""
        return "%s:%s%d" % (self.path, cell, self.line)

    def to_json(self) -> Dict[str, Any]:
        """Return the members that do not have their default."""
        kept = {n: getattr(self, n) for n in self._fields}
        plain = {n: v for n, v in kept.items() if v != self._field_defaults.get(n)}
        if "arguments" in plain:
            plain["arguments"] = list(self.arguments)
        return plain

    @classmethod
    def from_json(cls, value: Any) -> Use:
        """Read the JSON form back; raises ValueError where it is not one."""
        try:
            kept = {n: value[n] for n in cls._fields if n in value}
            one = cls(**kept)
            return one._replace(arguments=tuple(one.arguments), line=int(one.line))
        except (TypeError, KeyError) as error:
            raise ValueError("not a use: %.60r" % (value,)) from error


# ---- provenance.core._expressions ----------------------------------------------------------------
# Following names through Python expressions; `_flow` does the statements around them.

_OPERATORS = {
    "Add": "add", "Sub": "sub", "Mult": "mul", "Div": "truediv", "FloorDiv": "floordiv",
    "Mod": "mod", "Pow": "pow", "MatMult": "matmul",
}  # fmt: skip


class Expressions:
    """What the expressions of a module are and use; ``seen`` is what was used."""

    def __init__(
        self, learned: Learned, neighbours: Optional[Neighbours] = None, name: str = ""
    ) -> None:
        self.seen: List[Seen] = []
        self._neighbours = neighbours or Neighbours()
        self._name = name
        self._prefix = name + ":" if name else ""
        self._learned = learned
        self._scopes: List[Scope] = [{}]
        self._owner = ""
        self._function = ""
        self._later: List[Callable[[], None]] = []

    def _block(self, body: Sequence[ast.stmt]) -> None:
        """Go through statements: in the class that knows them."""
        raise NotImplementedError

    def _const(self, node: Any) -> Any:
        return constant(node, self._lookup)

    # names ------------------------------------------------------------------------------------

    def _lookup(self, name: str) -> Values:
        for scope in self._scopes[::-1]:
            if name in scope:
                return scope[name]
        return (Value(REF, "builtins." + name),) if name in ("sum", "getattr") else ()

    def _bind(self, name: str, values: Values) -> None:
        self._scopes[-1][name] = values

    def _forget(self, name: str) -> None:
        """Unbind ``name`` in all scopes: what it held is changed from here on."""
        for scope in self._scopes:
            if name in scope:
                scope[name] = ()

    def _see(
        self,
        kind: str,
        symbol: str,
        node: ast.AST,
        call: Optional[ast.Call] = None,
        assigned: bool = False,
        arguments: Tuple[Any, ...] = (),
    ) -> None:
        if symbol.startswith("."):
            return
        symbol, line = _types.spelled(symbol), getattr(node, "lineno", 0)
        if call is None:
            self.seen.append(Seen(kind, symbol, line, arguments, assigned=assigned))
            return
        spread = any(isinstance(a, ast.Starred) for a in call.args)
        given = tuple(self._const(a) for a in call.args if not isinstance(a, ast.Starred))
        named, unfolded = self._keywords(call)
        spread = spread or unfolded
        if isinstance(call.func, ast.Attribute):  # the line of the name, not of a chain's start
            line = getattr(call.func, "end_lineno", None) or line
        self.seen.append(Seen(kind, symbol, line, given, named, spread, assigned))

    def _keywords(self, call: ast.Call) -> Tuple[Dict[str, Any], bool]:
        """Return the named arguments, those of a known ``**x`` too; whether more may be."""
        named: Dict[str, Any] = {}
        more = False
        for keyword in call.keywords:
            value = self._const(keyword.value)
            if keyword.arg is not None:
                named[keyword.arg] = value
            elif isinstance(value, dict) and isinstance(value.get("dict"), dict):
                named.update(value["dict"])
            else:
                more = True
        return named, more

    def _generic(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._eval(child)
            elif isinstance(child, ast.stmt):
                self._block([child])
            else:
                self._generic(child)

    # targets ----------------------------------------------------------------------------------

    def _assign(self, target: ast.expr, values: Values, source: Optional[ast.expr]) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, values)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, source)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, (), None)
        elif isinstance(target, ast.Attribute):
            self._assign_attribute(target, values, source)
        elif isinstance(target, ast.Subscript):
            self._assign_item(target, source)

    def _unpack(self, targets: Sequence[ast.expr], source: Optional[ast.expr]) -> None:
        parts = source.elts if isinstance(source, (ast.Tuple, ast.List)) else []
        for index, target in enumerate(targets):
            part = parts[index] if len(parts) == len(targets) else None
            values = self._quietly(part) if part is not None else ()
            self._assign(target, values, part)

    def _quietly(self, node: ast.expr) -> Values:
        """Return what ``node`` is, without seeing its uses a second time."""
        kept, self.seen = self.seen, []
        values = self._eval(node)
        self.seen = kept
        return values

    def _assign_attribute(
        self, target: ast.Attribute, values: Values, source: Optional[ast.expr]
    ) -> None:
        for base in self._eval(target.value, read=False):
            if base.kind == INSTANCE:
                held = self._learned.attributes.setdefault(base.name, {})
                kept = held.get(target.attr, ())
                held[target.attr] = either(kept, values)
            elif base.kind in (REF, MEMBER, OBJECT):
                given = (self._const(source),) if source is not None else ()
                self._see(WRITE, base.name + "." + target.attr, target, arguments=given)

    def _assign_item(self, target: ast.Subscript, source: Optional[ast.expr]) -> None:
        chained = isinstance(target.value, ast.Subscript)
        inner = target.value.value if isinstance(target.value, ast.Subscript) else target.value
        bases = self._eval(inner, read=False)
        if isinstance(target.value, ast.Subscript):
            self._eval(index_of(target.value))
        self._eval(index_of(target))
        given = (self._const(index_of(target)), self._const(source) if source else None)
        for base in bases:
            if base.kind == LITERAL and isinstance(inner, ast.Name):
                self._forget(inner.id)
            elif base.kind in (OBJECT, MEMBER) and base.name not in (_types.ARRAY, _types.TENSOR):
                store = ".__getitem__.__setitem__" if chained else ".__setitem__"
                self._see(WRITE, base.name + store, target, arguments=given)

    # expressions ------------------------------------------------------------------------------

    def _eval(self, node: Any, read: bool = True, assigned: bool = False) -> Values:
        """Return what ``node`` may be; uses inside it are seen. read: whether naming counts."""
        handler = getattr(self, "_of_" + type(node).__name__.lower(), None)
        if handler is None:
            literal = self._const(node) if type(node).__name__ in LITERALS else None
            self._generic(node)
            return (Value(LITERAL, "", literal),) if literal is not None else ()
        values: Values = handler(node, read, assigned)
        return values

    def _of_name(self, node: ast.Name, read: bool, _: bool) -> Values:
        values = self._lookup(node.id)
        return self._named(node, values, read)

    def _named(self, node: ast.AST, values: Values, read: bool) -> Values:
        for value in values if read else ():
            if value.kind == REF and "." in value.name and not value.name.startswith("builtins."):
                self._see(READ, value.name, node)
        return values

    def _of_attribute(self, node: ast.Attribute, read: bool, _: bool) -> Values:
        bases = self._eval(node.value, read=False)
        if not bases:
            return (Value(MEMBER, UNRESOLVED + node.attr),)
        return self._named(node, self._attribute(bases, node.attr), read)

    def _attribute(self, bases: Values, name: str) -> Values:
        found: List[Values] = []
        for base in bases:
            if base.kind == REF:
                full = base.name + "." + name
                own = self._neighbours.module(full)
                found.append((Value(MODULE, own) if own else Value(REF, full),))
            elif base.kind == MODULE:
                found.append(self._of_module(base.name, name))
            elif base.kind == OBJECT:
                known = _types.member(base.name, name)
                value = Value(OBJECT, known) if known else Value(MEMBER, base.name + "." + name)
                found.append((value,))
            elif base.kind == MEMBER:
                found.append((Value(MEMBER, UNRESOLVED + name),))
            elif base.kind in (INSTANCE, CLASS):
                found.append(self._own_attribute(base.name, name))
        return either(*found)

    def _of_module(self, module: str, name: str) -> Values:
        """Return what ``name`` is in another file of the user's own."""
        held = self._neighbours.held.get(module, {})
        return held[name] if name in held else (Value(REF, module + "." + name),)

    def _own_attribute(self, owner: str, name: str) -> Values:
        """Return what ``name`` is on an instance of a class of the source."""
        inherited = owner.startswith("super ")
        owner = owner[6:] if inherited else owner
        if not inherited:
            held = self._learned.attributes.get(owner, {})
            if name in held:
                return held[name]
            if name in self._learned.methods.get(owner, ()):
                return (Value(FUNCTION, owner + "." + name),)
        bases = self._learned.bases.get(owner, ())
        if name == "__init__":
            return tuple(Value(REF, base) for base in bases)
        return tuple(Value(MEMBER, base + "." + name) for base in bases)

    def _of_call(self, node: ast.Call, _: bool, assigned: bool) -> Values:
        if isinstance(node.func, ast.Name) and node.func.id == "getattr":
            found = self._getattr(node)
            if found is not None:
                return found
        callees = self._eval(node.func, read=False)
        self._forget_changed(node.func)
        for argument in node.args:
            self._eval(argument.value if isinstance(argument, ast.Starred) else argument)
        for keyword in node.keywords:
            self._eval(keyword.value)
        results = []
        for callee in callees:
            if callee.kind in (REF, MEMBER):
                self._see(CALL, callee.name, node, node, assigned)
                if callee.name == "functools.partial":
                    self._partial(node)
            results.append(self._made(callee))
        literal = None if callees else self._const(node)
        return either(*results) if literal is None else (Value(LITERAL, "", literal),)

    def _getattr(self, node: ast.Call) -> Optional[Values]:
        """Return what ``getattr(x, "name", ...)`` is; None where the name is not constant."""
        name = self._const(node.args[1]) if len(node.args) > 1 else None
        if not isinstance(name, str):
            return None
        bases = self._eval(node.args[0], read=False)
        for argument in node.args[2:]:
            self._eval(argument)
        return self._attribute(bases, name)

    def _partial(self, node: ast.Call) -> None:
        """See ``functools.partial(f, ...)`` as a call of ``f`` with more to come."""
        for value in self._quietly(node.args[0]) if node.args else ():
            if value.kind == REF:
                given = tuple(self._const(a) for a in node.args[1:])
                named = {k.arg: self._const(k.value) for k in node.keywords if k.arg}
                symbol = _types.spelled(value.name)
                self.seen.append(Seen(CALL, symbol, node.lineno, given, named, True))

    def _forget_changed(self, callee: ast.expr) -> None:
        """Unbind a literal that a method of its own may change."""
        if isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Name):
            name = callee.value.id
            if any(v.kind == LITERAL for v in self._lookup(name)):
                self._forget(name)

    def _made(self, callee: Value) -> Values:
        """Return what calling ``callee`` gives."""
        if callee.kind in (REF, MEMBER):
            known = _types.returned(_types.spelled(callee.name))
            return (Value(OBJECT, known),) if known else ()
        if callee.kind == CLASS:
            if callee.name.startswith("super "):
                return (callee,)
            return (Value(INSTANCE, callee.name),)
        if callee.kind == FUNCTION:
            return self._learned.results.get(callee.name, ())
        if callee.kind in (OBJECT, INSTANCE):
            return ()
        return ()

    def _of_subscript(self, node: ast.Subscript, _: bool, __: bool) -> Values:
        bases = self._eval(node.value, read=False)
        index = index_of(node)
        self._eval(index)
        found = []
        for base in bases:
            if base.kind == OBJECT:
                if base.name not in _types.COMMON:
                    self._see(READ, base.name + ".__getitem__", node)
                known = _types.item(base.name, key_kind(index))
                found.append((Value(OBJECT, known),) if known else ())
        return either(*found)

    def _of_binop(self, node: ast.BinOp, _: bool, __: bool) -> Values:
        left, right = self._eval(node.left), self._eval(node.right)
        operator = _OPERATORS.get(type(node.op).__name__)
        for sides, prefix in ((left, "__"), (right, "__r")):
            for value in sides:
                if value.kind == OBJECT and value.name in _types.NUMPY_SCALARS and operator:
                    self._see(CALL, value.name + "." + prefix + operator + "__", node)
        made = [v for v in left + right if v.kind == OBJECT]
        return (made[0],) if made else ()

    def _of_boolop(self, node: ast.BoolOp, _: bool, __: bool) -> Values:
        return either(*(self._eval(value, read=False) for value in node.values))

    def _of_ifexp(self, node: ast.IfExp, read: bool, _: bool) -> Values:
        self._eval(node.test)
        return either(self._eval(node.body, read), self._eval(node.orelse, read))

    def _of_await(self, node: ast.Await, _: bool, __: bool) -> Values:
        return self._eval(node.value)

    def _of_namedexpr(self, node: Any, _: bool, __: bool) -> Values:
        values = self._eval(node.value, assigned=True)
        self._assign(node.target, values, node.value)
        return values

    def _of_lambda(self, node: ast.Lambda, _: bool, __: bool) -> Values:
        self._scopes.append({a.arg: () for a in node.args.args})
        self._eval(node.body)
        self._scopes.pop()
        return ()

    def _of_listcomp(self, node: Any, _: bool, __: bool) -> Values:
        self._scopes.append({})
        for generator in node.generators:
            self._eval(generator.iter)
            self._assign(generator.target, (), None)
            for test in generator.ifs:
                self._eval(test)
        for name in ("key", "value", "elt"):
            if hasattr(node, name):
                self._eval(getattr(node, name))
        self._scopes.pop()
        return ()

    _of_setcomp = _of_generatorexp = _of_dictcomp = _of_listcomp

    def _annotated(self, annotation: Optional[ast.expr]) -> Values:
        if annotation is None:
            return ()
        if isinstance(annotation, (ast.Name, ast.Attribute)):
            found = self._eval(annotation, read=False)
            return either(*(self._made(v) for v in found if _types.is_class(v.name)))
        self._eval(annotation)
        return ()


# ---- provenance.core._flow -----------------------------------------------------------------------
# Following names through Python source: which library symbol each call, read and write means.
#
# A simple abstract run of one module: imports and assignments bind names to what they are, branches
# are joined, loops are gone through once, functions are entered after the module that holds them.
# Nothing of the source is executed. What cannot be followed is unknown, never guessed.


def follow(tree: ast.Module) -> List[Seen]:
    """Return every use of an imported symbol in ``tree``, in the order of going through it."""
    learned = Learned({}, {}, {}, {})
    for last in (False, True):
        walk = _Walk(learned)
        walk.module(tree)
        if last:
            return walk.seen
    return []


class _Walk(Expressions):
    """One pass over a module's statements."""

    def module(self, tree: ast.Module) -> None:
        self._block(tree.body)
        while self._later:
            self._later.pop(0)()

    def names(self) -> Scope:
        """Return what the names of the module mean after all of it."""
        return self._scopes[0]

    def _block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            handler = getattr(self, "_on_" + type(statement).__name__.lower(), None)
            if handler is not None:
                handler(statement)
            else:
                self._generic(statement)

    def _on_import(self, node: ast.Import) -> None:
        for alias in node.names:
            own = self._neighbours.module(alias.name)
            if own and (alias.asname or "." not in alias.name):
                self._bind(alias.asname or alias.name, (Value(MODULE, own),))
            elif alias.asname:
                self._bind(alias.asname, (Value(REF, alias.name),))
            else:
                top = alias.name.partition(".")[0]
                self._bind(top, (Value(REF, top),))
            self._see(READ, alias.name.partition(".")[0], node)

    def _on_importfrom(self, node: ast.ImportFrom) -> None:
        prefix = "." * node.level + (node.module or "")
        self._see(READ, prefix.partition(".")[0] or ".", node)
        for alias in node.names:
            own = self._imported(node, alias.name)
            values = own or (Value(REF, prefix + "." + alias.name),)
            self._bind(alias.asname or alias.name, values)

    def _imported(self, node: ast.ImportFrom, name: str) -> Values:
        """Return what is imported from a file of the user's own, nothing where it is another's."""
        near, module = self._neighbours, node.module or ""
        if node.level:
            inner = near.relative(self._name, node.level, (module + "." + name).strip("."))
            source = near.relative(self._name, node.level, module) if module else ""
        else:
            inner, source = near.module(module + "." + name), near.module(module)
        if inner:
            return (Value(MODULE, inner),)
        return self._of_module(source, name) if source else ()

    def _on_assign(self, node: ast.Assign) -> None:
        values = self._eval(node.value, assigned=True)
        for target in node.targets:
            self._assign(target, values, node.value)

    def _on_annassign(self, node: ast.AnnAssign) -> None:
        noted = self._annotated(node.annotation)
        values = self._eval(node.value, assigned=True) if node.value is not None else ()
        self._assign(node.target, values or noted, node.value)

    def _on_augassign(self, node: ast.AugAssign) -> None:
        values = self._eval(node.value)
        if isinstance(node.target, ast.Name):
            old = tuple(v for v in self._lookup(node.target.id) if v.kind != LITERAL)
            self._bind(node.target.id, old or values)
        else:
            self._assign(node.target, (), node.value)

    def _branch(self, *bodies: Callable[[], None]) -> None:
        before = self._scopes[-1]
        ends = []
        for body in bodies:
            self._scopes[-1] = dict(before)
            body()
            ends.append(self._scopes[-1])
        names = {name for end in ends for name in end}
        self._scopes[-1] = {n: either(*(end.get(n, ()) for end in ends)) for n in sorted(names)}

    def _on_if(self, node: ast.If) -> None:
        self._eval(node.test)
        self._branch(lambda: self._block(node.body), lambda: self._block(node.orelse))

    def _on_try(self, node: Any) -> None:
        self._block(node.body)
        kept = dict(self._scopes[-1])
        for handler in node.handlers:
            if handler.name:
                self._bind(handler.name, ())
            self._block(handler.body)
        for name, values in kept.items():
            if values:
                self._bind(name, values)
        self._block(node.orelse)
        self._block(node.finalbody)

    _on_trystar = _on_try

    def _on_for(self, node: Any) -> None:
        self._eval(node.iter)
        self._assign(node.target, (), None)
        before = dict(self._scopes[-1])
        self._block(node.body)
        after = self._scopes[-1]
        for name, values in before.items():
            after[name] = either(values, after.get(name, ()))
        self._block(node.orelse)

    _on_asyncfor = _on_for

    def _on_while(self, node: ast.While) -> None:
        self._eval(node.test)
        self._branch(lambda: self._block(node.body), lambda: None)
        self._block(node.orelse)

    def _on_with(self, node: Any) -> None:
        for item in node.items:
            values = self._eval(item.context_expr, assigned=item.optional_vars is not None)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, values, None)
        self._block(node.body)

    _on_asyncwith = _on_with

    def _on_return(self, node: ast.Return) -> None:
        values = self._eval(node.value, assigned=True) if node.value is not None else ()
        if self._function:
            known = self._learned.results.get(self._function, ())
            kept = tuple(v for v in values if v.kind != LITERAL)
            self._learned.results[self._function] = either(known, kept)

    def _on_functiondef(self, node: Any) -> None:
        for decorator in node.decorator_list:
            self._eval(decorator)
        for default in node.args.defaults + [d for d in node.args.kw_defaults if d is not None]:
            self._eval(default)
        name = self._owner + "." + node.name if self._owner else self._prefix + node.name
        if not self._owner:
            self._bind(node.name, (Value(FUNCTION, name),))
        scopes, owner = list(self._scopes), self._owner
        self._later.append(lambda: self._enter(node, name, scopes, owner))

    _on_asyncfunctiondef = _on_functiondef

    def _enter(self, node: Any, name: str, scopes: List[Scope], owner: str) -> None:
        """Go through the body of a function, in the names that surround it."""
        kept = self._scopes, self._owner, self._function
        self._scopes, self._owner, self._function = [*scopes, {}], "", name
        positional = list(getattr(node.args, "posonlyargs", [])) + node.args.args
        for argument in positional + node.args.kwonlyargs:
            self._bind(argument.arg, self._annotated(argument.annotation))
        for argument in (node.args.vararg, node.args.kwarg):
            if argument is not None:
                self._bind(argument.arg, ())
        if owner and positional:
            self._bind(positional[0].arg, (Value(INSTANCE, owner),))
            self._bind("super", (Value(CLASS, "super " + owner),))
        self._block(node.body)
        self._scopes, self._owner, self._function = kept

    def _on_classdef(self, node: ast.ClassDef) -> None:
        bases: List[str] = []
        for base in node.bases:
            for value in self._eval(base):
                if value.kind == REF:
                    bases.append(value.name)
                elif value.kind == CLASS:
                    bases.extend(self._learned.bases.get(value.name, ()))
        for keyword in node.keywords:
            self._eval(keyword.value)
        name = self._prefix + node.name
        self._learned.bases[name] = tuple(bases)
        self._learned.methods[name] = [
            s.name for s in node.body if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        self._bind(node.name, (Value(CLASS, name),))
        kept, self._owner = self._owner, name
        self._scopes.append({})
        self._block(node.body)
        self._scopes.pop()
        self._owner = kept


# ---- provenance.core.uses ------------------------------------------------------------------------
# Where Python source uses the symbols of libraries: its calls, and the flags it reads and sets.
#
# Pure: text in, values out; nothing is imported or run. Symbols are as the user reaches them
# ("sklearn.cluster.KMeans.fit"); a method of something unknown is "?.groupby".

_BUILTIN = frozenset(
    name for kind in (str, bytes, list, dict, set, int, float, type(open)) for name in dir(kind)
) | frozenset("write read readline readlines close flush writelines seek tell".split())
"""Names of methods of built-in types: unresolved, they say nothing."""


class Reading(NamedTuple):
    """What one source file gave: its uses, and a sentence where it could not be read."""

    uses: Tuple[Use, ...]
    note: str = ""


def uses(source: str, path: str, asked: Optional[Collection[str]] = None) -> Tuple[Use, ...]:
    """Return the uses in ``source``; of unresolved methods only the ``asked`` ones (None: all)."""
    return read(source, path, asked).uses


def read(source: str, path: str, asked: Optional[Collection[str]] = None) -> Reading:
    """Return the uses in ``source`` and why there are none where it is not Python 3."""
    if not path.endswith(".ipynb"):
        return _module(source, path, 0, asked)
    try:
        cells = _cells(source)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Reading((), "%s: not a readable notebook" % path)
    return _notebook(cells, path, asked)


def _module(source: str, path: str, cell: int, asked: Optional[Collection[str]]) -> Reading:
    try:
        tree = ast.parse(source)
        seen = follow(tree)
    except SyntaxError as error:
        return Reading((), "%s: not Python 3 (line %s)" % (path, error.lineno))
    except (ValueError, RecursionError, MemoryError):
        return Reading((), "%s: cannot be read as Python" % path)
    return Reading(_found(seen, path, cell, asked))


def _found(
    seen: Sequence[Seen], path: str, cell: int, asked: Optional[Collection[str]]
) -> Tuple[Use, ...]:
    """Return what was ``seen`` as uses, in the order of lines."""
    found: List[Use] = []
    for one in seen:
        if one.symbol.startswith(UNRESOLVED):
            name = one.symbol[len(UNRESOLVED) :]
            if one.kind != CALL or name in _BUILTIN or (asked is not None and name not in asked):
                continue
        use = Use(one.symbol, path, one.line, one.kind, *one[3:], cell=cell)
        if use not in found[-20:]:
            found.append(use)
    found.sort(key=lambda use: use.line)
    return tuple(found)


def _notebook(cells: List[Tuple[int, str]], path: str, asked: Optional[Collection[str]]) -> Reading:
    """Return the uses of a notebook's cells, read as one module, with lines counted per cell."""
    lines: List[str] = []
    owner: List[Tuple[int, int]] = []
    skipped = 0
    for cell, source in cells:
        text = re.sub(r"(?m)^([ \t]*)[%!].*$", r"\1pass", source)
        try:
            ast.parse(text)
        except (SyntaxError, ValueError):
            skipped += 1
            continue
        for index, line in enumerate(text.split("\n")):
            lines.append(line)
            owner.append((cell, index + 1))
    whole = _module("\n".join(lines), path, 0, asked)
    placed = []
    for use in whole.uses:
        cell, line_in_cell = owner[use.line - 1]
        placed.append(use._replace(cell=cell, line=line_in_cell))
    note = "%s: %d cells are not Python 3" % (path, skipped) if skipped else whole.note
    return Reading(tuple(placed), note)


def _cells(source: str) -> List[Tuple[int, str]]:
    """Return number and source of the code cells of a notebook, from 1."""
    document = json.loads(source)
    sheets = document.get("worksheets") or [document]
    cells = [cell for sheet in sheets for cell in sheet["cells"]]
    found = []
    for cell in cells:
        if cell["cell_type"] == "code":
            text = cell["source"] if "source" in cell else cell["input"]
            found.append(text if isinstance(text, str) else "".join(text))
    return [(number + 1, text) for number, text in enumerate(found)]


# ---- provenance.core.difference ------------------------------------------------------------------
# One typed way in which two payloads differ, and what a comparison looked at.
#
# A facet's ``compare`` returns a `Comparison`: not only the differences but how many facts were
# compared and which could not be, so that "same" never stands bare.

NONE, UNKNOWN, POSSIBLE, KNOWN, BROKEN = "none", "unknown", "possible", "known", "broken"

EFFECTS = (NONE, UNKNOWN, POSSIBLE, KNOWN, BROKEN)
"""From harmless to fatal; the order is the ranking."""


# ---- provenance.core.codec -----------------------------------------------------------------------
# Named tuples to JSON and back, by their type hints.
#
# Records outlive this code, so decoding is tolerant in one direction only: unknown members are
# ignored and missing ones take their default, but a member of the wrong shape is an error that
# names
# where it stands.

T = TypeVar("T")

_HINTS: Dict[type, Dict[str, Any]] = {}


class ShapeError(ValueError):
    """A JSON value does not have the shape that its type asks for; says where and what."""


def decode(kind: Type[T], value: Any, where: str = "") -> T:
    """Return ``value`` (plain JSON) as an instance of ``kind``.

    Raises `ShapeError` naming the member that does not fit.
    """
    result: T = _decode(kind, value, where or getattr(kind, "__name__", str(kind)))
    return result


def _decode(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if hasattr(kind, "from_json"):
        return kind.from_json(value)
    if hasattr(kind, "_fields"):
        return _decode_tuple(kind, value, where)
    origin = getattr(kind, "__origin__", None)
    if origin is typing.Union or type(kind).__name__ == "UnionType":  # X | Y, from 3.10
        return _decode_union(kind.__args__, value, where)
    if origin in (tuple, typing.Tuple):
        _require(isinstance(value, list), where, "a list", value)
        return tuple(_decode(kind.__args__[0], item, where + "[]") for item in value)
    if origin in (dict, typing.Dict):
        _require(isinstance(value, dict), where, "an object", value)
        return {key: _decode(kind.__args__[1], v, where + "." + key) for key, v in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    exact = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    _require(exact, where, kind.__name__, value)
    return value


def _decode_tuple(kind: Any, value: Any, where: str) -> Any:
    _require(isinstance(value, dict), where, "an object", value)
    if kind not in _HINTS:
        _HINTS[kind] = typing.get_type_hints(kind)
    hints = _HINTS[kind]
    defaults = kind._field_defaults
    given = {}
    for name in kind._fields:
        if name in value:
            given[name] = _decode(hints[name], value[name], where + "." + name)
        else:
            _require(name in defaults, where, "a member %r" % name, value)
    return kind(**given)


def _decode_union(kinds: Any, value: Any, where: str) -> Any:
    none = type(None)
    if value is None:
        _require(none in kinds, where, "a value", value)
        return None
    rest = [kind for kind in kinds if kind is not none]
    for kind in rest[:-1]:
        try:
            return _decode(kind, value, where)
        except ShapeError:
            continue
    return _decode(rest[-1], value, where)


def _require(holds: bool, where: str, expected: str, value: Any) -> None:
    if not holds:
        raise ShapeError("%s: expected %s, found %.60r" % (where, expected, value))


codec = SimpleNamespace(decode=decode)


# ---- provenance.core.versions --------------------------------------------------------------------
# Ordering of version numbers, enough to tell on which side of a release an installed one stands.
#
# Follows the ordering rules of the Python packaging specification (epoch, release, pre-, post- and
# development releases; the local part is ignored, since ``2.1.0+cu121`` is release 2.1.0). A test
# holds it against the ``packaging`` library, which cannot be used here: this runs in any
# interpreter.

_FORM = (
    r"^\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_n>\d*))?"
    r"(?P<post>-(?P<post_1>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_2>\d*))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$"
)
"""Compiled at its first use, by ``re`` itself: most runs order no versions."""
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_BEFORE, _AFTER = (-1, "", 0), (1, "", 0)


def key(version: str) -> Tuple[Any, ...]:
    """Return a sort key for ``version``. Raises ValueError where it is not a version."""
    match = re.match(_FORM, version, re.IGNORECASE)
    if match is None:
        raise ValueError("not a version number: %r" % version)
    part = match.groupdict()
    release = tuple(int(n) for n in part["release"].split("."))
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    dev = (0, int(part["dev_n"] or 0)) if part["dev"] else (1, 0)
    post = (1, int(part["post_1"] or part["post_2"] or 0)) if part["post"] else (0, 0)
    if part["pre"]:
        letter = part["pre"].lower()
        pre: Tuple[Any, ...] = (0, _PRE.get(letter, letter), int(part["pre_n"] or 0))
    else:
        pre = _BEFORE if part["dev"] and not part["post"] else _AFTER
    return (int(part["epoch"] or 0), release, pre, post, dev)


def is_version(text: str) -> bool:
    """Return whether ``text`` is a version number that can be ordered."""
    return re.match(_FORM, text, re.IGNORECASE) is not None


versions = SimpleNamespace(is_version=is_version, key=key)


# ---- provenance.knowledge.entry ------------------------------------------------------------------
# One known behaviour change: what changed, in which release, and which calls it strikes.
#
# An entry is data (a file in ``entries/``); this module reads its form. Members of the file:
#
# ``id``            name of the file
# ``packages``      distributions whose release made the change
# ``changed_in``    first release with the new behaviour, for all packages or one for each
# ``changed_after`` last release known to have the old behaviour, where the boundary was not
# narrowed
# ``applies_from``  first release that had the old behaviour (before it there was yet another)
# ``symbols``       what must be used; a component may be ``*``, a last ``*`` stands for any name
# ``when``          conditions on the arguments, all of which must hold
# ``unless``        uses that make the change void (a flag that is set), each with ``symbol`` and,
#                   where its first argument matters, ``first``
# ``along``         patterns of symbols, one of which the source must use as well ("*.astype")
# ``reads``         naming the symbol is enough (a constant, a flag); else it must be called
# ``handed_on``     false: naming the symbol without a call (``dtype=np.float32``) does not count
# ``unresolved``    false: do not consider a method of this name on something unknown
# ``gpu``           true: matters only with a CUDA GPU
# ``parameter``     the parameter whose default changed, where that is the change
# ``what``, ``old``, ``new``, ``effect``   the change and what happens to the numbers, in words
# ``certainty``     "known": changes the numbers of an ordinary call that meets the conditions;
#                   "possible": depends on the data
# ``restore_old``, ``restore_new``         code that brings the old (new) behaviour back
# ``restore_old_until``                    first release that no longer takes ``restore_old``
# ``source``        title and address of the statement
# ``verified``      cases of this change that were run in both environments
# ``probe``         true: ``benchmarks/probes/ID.py`` was run in both releases, which differed

TESTS = ("not passed", "passed", "equal", "not equal", "equal or not passed", "starts with")


class Condition(NamedTuple):
    """A condition on one argument of a call.

    position: index among the positional arguments (without self), None where keyword-only; it may
    differ by the last components of the symbol. test: one of `TESTS`. values: for the equalities.
    inside: where the argument stands in a dictionary that is itself an argument: its ``parameter``
    and ``position``.
    """

    parameter: str
    test: str
    position: Any = None
    values: Tuple[Any, ...] = ()
    inside: Optional[Dict[str, Any]] = None


class Entry(NamedTuple):
    """A known behaviour change; members as in the module's description."""

    id: str
    packages: Tuple[str, ...]
    changed_in: Dict[str, str]
    symbols: Tuple[str, ...]
    what: str
    old: str
    new: str
    effect: str
    certainty: str
    source: Dict[str, str]
    changed_after: str = ""
    applies_from: str = ""
    parameter: str = ""
    when: Tuple[Condition, ...] = ()
    unless: Tuple[Dict[str, Any], ...] = ()
    along: Tuple[str, ...] = ()
    reads: bool = False
    handed_on: bool = True
    unresolved: bool = True
    gpu: bool = False
    restore_old: str = ""
    restore_new: str = ""
    restore_old_until: str = ""
    verified: Tuple[str, ...] = ()
    probe: bool = False


def from_json(value: Mapping[str, Any]) -> Entry:
    """Return the entry that ``value`` holds.

    Raises ValueError naming the entry and what is wrong with it.
    """
    name = value.get("id") if isinstance(value, Mapping) else None
    unknown = set(value) - set(Entry._fields) if isinstance(value, Mapping) else {"(no object)"}
    if not isinstance(name, str) or unknown:
        raise ValueError("entry %r: unknown members %s" % (name, sorted(unknown)))
    boundary = value.get("changed_in")
    plain = dict(value)
    if isinstance(boundary, str):
        plain["changed_in"] = dict.fromkeys(value.get("packages", ()), boundary)
    plain["when"] = [dict(c, test=c.get("is", c.get("test"))) for c in value.get("when", ())]
    entry = codec.decode(Entry, plain, "entry " + name)
    problem = _problem(entry)
    if problem:
        raise ValueError("entry %s: %s" % (name, problem))
    return entry


def _problem(entry: Entry) -> str:
    """Return what is wrong with ``entry``, "" where nothing is."""
    if entry.certainty not in (KNOWN, POSSIBLE):
        return "certainty is %r" % entry.certainty
    if set(entry.changed_in) != set(entry.packages):
        return "changed_in does not name the packages"
    limits = [entry.changed_after, entry.applies_from, entry.restore_old_until]
    named = [*entry.changed_in.values(), *(limit for limit in limits if limit)]
    wrong = [version for version in named if not versions.is_version(version)]
    if wrong:
        return "not a version: %s" % wrong[0]
    tests = [c.test for c in entry.when if c.test not in TESTS]
    if tests:
        return "unknown test %r" % tests[0]
    if not entry.symbols or not entry.source.get("title"):
        return "no symbols or no source"
    return ""


def span(entry: Entry, package: str, old: str, new: str) -> str:
    """Return what going from ``old`` to ``new`` of ``package`` crosses, in either direction.

    "whole": the change for certain. "part": a stretch of releases in which it may lie. "": not it.
    """
    boundary = entry.changed_in.get(package)
    if boundary is None or not (versions.is_version(old) and versions.is_version(new)):
        return ""
    low, high = sorted((versions.key(old)[:2], versions.key(new)[:2]))
    changed = versions.key(boundary)[:2]
    before = versions.key(entry.changed_after)[:2] if entry.changed_after else None
    if entry.applies_from and low < versions.key(entry.applies_from)[:2]:
        return ""
    if high < changed:
        return "part" if before is not None and high > before else ""
    if before is None:
        return "whole" if low < changed else ""
    if low <= before:
        return "whole"
    return "part" if low < changed else ""


# ---- provenance.core.canonical -------------------------------------------------------------------
# The one JSON form of everything that is kept, and the seal of a closed record.
#
# Canonical form: UTF-8, keys sorted, two spaces of indentation (a reviewer reads it and git diffs
# it
# line by line), a final newline, and no NaN or infinity: those are ``{"float": "nan"}``,
# ``{"float": "inf"}`` and ``{"float": "-inf"}``. The seal is the SHA-256 of the compact canonical
# form of the document without its ``sha256`` member.

SEAL = "sha256"


def plain(value: Any) -> Any:
    """Return ``value`` with non-finite floats spelled out and tuples as lists; keys become text."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return {"float": "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def compact(value: Any) -> bytes:
    """Return the shortest canonical bytes of ``value``: what digests are taken of."""
    text = json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return _encodable(text).encode("utf-8")


def _encodable(text: str) -> str:
    """Return ``text`` with lone surrogates (undecodable bytes) written as JSON escapes."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join("\\u%04x" % ord(c) if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
    return text


def digest(value: Any) -> str:
    """Return the hex SHA-256 of the compact canonical form of ``value``."""
    import hashlib  # loads OpenSSL: 3 ms that the start of a run need not pay

    return hashlib.sha256(compact(value)).hexdigest()


def seal_holds(document: Dict[str, Any]) -> bool:
    """Return whether the ``sha256`` member of ``document`` is the digest of the rest of it."""
    body = {key: item for key, item in document.items() if key != SEAL}
    return document.get(SEAL) == digest(body)


canonical = SimpleNamespace(compact=compact, seal_holds=seal_holds)


# ---- provenance.agent._lock ----------------------------------------------------------------------
# The lock that the drop-in test reads: found, opened, and asked what it says.

LOCK_FILE = "prov.lock"
LOCK_SCHEMA = "prov/lock/1"


class LockError(Exception):
    """There is no lock, or it cannot be read; the text is one clear sentence."""


class Lock(NamedTuple):
    """What a lock says, and where it lies.

    runs: records as plain JSON. known: entries on behaviour changes with the uses they strike.
    """

    path: str
    runs: Tuple[Dict[str, Any], ...]
    known: Tuple[Tuple[Entry, Tuple[Use, ...]], ...] = ()


def find_lock(folder: str, environ: Mapping[str, str]) -> str:
    """Return the path of the lock for a test in ``folder``. Raises `LockError`."""
    named = environ.get("PROV_LOCK")
    if named:
        return named
    start = folder
    while True:
        path = os.path.join(folder, LOCK_FILE)
        if os.path.isfile(path):
            return path
        if os.path.dirname(folder) == folder:
            raise LockError(
                "There is no %s in %s or above it: nothing to compare with. Write one with: "
                "prov lock RUN" % (LOCK_FILE, start)
            )
        folder = os.path.dirname(folder)


def read_lock(path: str) -> Lock:
    """Return the lock at ``path``. Raises `LockError` with what is wrong."""
    try:
        with open(path, encoding="utf-8") as stream:
            document = json.load(stream)
    except OSError as error:
        raise LockError("%s cannot be read: %s." % (path, error.strerror or error)) from None
    except (ValueError, RecursionError):
        raise LockError("%s is not JSON: damaged, or a merge was left half done." % path) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != LOCK_SCHEMA:
        raise LockError(
            "%s is not a lock that this test can read (schema %r, not %r): renew the test with "
            "prov init --test." % (path, schema, LOCK_SCHEMA)
        )
    if not canonical.seal_holds(document):
        raise LockError("%s was changed by hand: its seal does not hold." % path)
    try:
        runs = tuple(dict(run) for run in document["runs"])
        known = tuple(_known(one) for one in document.get("knowledge", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise LockError("%s does not hold readable records: %s." % (path, error)) from None
    return Lock(os.path.abspath(path), runs, known)


def _known(value: Dict[str, Any]) -> Tuple[Entry, Tuple[Use, ...]]:
    plain = {name: item for name, item in value.items() if name in Entry._fields}
    return from_json(plain), tuple(Use.from_json(site) for site in value.get("sites", ()))


def payloads(run: Mapping[str, Any], facet: str) -> List[Dict[str, Any]]:
    """Return the payloads of ``facet`` in ``run``, one per subject; empty where not captured."""
    answer = (run.get("facets") or {}).get(facet) or {}
    if answer.get("status") != "captured":
        return []
    return [subject.get("payload") or {} for subject in answer.get("subjects", ())]


def title(run: Mapping[str, Any]) -> str:
    """Return how a run is called in a sentence: "run 7f3k, 2025-05-02"."""
    short = str(run.get("id", "?")).rpartition("-")[2]
    return "run %s, %s" % (short, str(run.get("started", "?"))[:10])


def repository(lock_path: str) -> str:
    """Return the top of the repository that the lock lies in, or its folder without git."""
    folder = start = os.path.dirname(os.path.abspath(lock_path))
    while not os.path.exists(os.path.join(folder, ".git")):
        if os.path.dirname(folder) == folder:
            return start
        folder = os.path.dirname(folder)
    return folder


def place(ref: Any, run: Mapping[str, Any], top: str) -> Optional[str]:
    """Return where a recorded path is here, None where that cannot be told or leads outside."""
    if not isinstance(ref, dict) or not isinstance(ref.get("path"), str):
        return None
    root, path = ref.get("root"), ref["path"]
    if root == "abs":
        return str(path)
    folder = {"repo": top, "home": os.path.expanduser("~")}.get(str(root))
    if root == "cwd":
        own = run.get("cwd")
        inside = isinstance(own, dict) and own.get("root") == "repo"
        folder = os.path.join(top, own["path"]) if inside and own else top
    if folder is None:
        return None
    full = os.path.normpath(os.path.join(folder, path))
    return full if full.startswith(os.path.normpath(folder).rstrip(os.sep) + os.sep) else None


def shown(ref: Any) -> str:
    """Return a recorded path as people read it."""
    path = str(ref.get("path", "?")) if isinstance(ref, dict) else "?"
    return "~/" + path if isinstance(ref, dict) and ref.get("root") == "home" else path


def files_of(
    lock: Lock, facet: str, member: str
) -> Iterator[Tuple[str, Optional[str], Dict[str, Any]]]:
    """Yield name, place here and entry of the files that ``facet`` lists, each path once."""
    top = repository(lock.path)
    seen = set()
    for run in lock.runs:
        for payload in payloads(run, facet):
            for entry in payload.get(member) or ():
                name = shown(entry.get("path"))
                if name not in seen:
                    seen.add(name)
                    yield name, place(entry.get("path"), run, top), entry


# ---- provenance.core.verdict ---------------------------------------------------------------------
# Reasons, findings, and the verdict that findings add up to.
#
# =========  ==================  ====
# worst      verdict             exit
# =========  ==================  ====
# none       same                0
# unknown    no known effect     0
# possible   possible effect     0
# known      different           1
# broken     different           1
# (nothing)  not compared        3
# =========  ==================  ====
#
# The exit column is for the default ``--fail-on known``; see `exit_code`.


class Reason(NamedTuple):
    """Why a difference matters.

    level: how it is known: "L1" curated knowledge, "L2" changed interface, "L3" replayed call.
    text: what changed, old value and new value. evidence: what in this run makes it apply; of L3
    what came out, "0.1312 -> 0.0977". source: where the fact stands (release notes, change log).
    remedy: code or command that restores the recorded behaviour. where: "file:line" places of this
    reason alone; reasons that share one are told together. effect: of this reason alone, "" for
    that of its finding; "unknown" where it was checked and does nothing. follows: of L3 the number
    of later operations that differ only because this one does.
    """

    level: str
    text: str
    evidence: str = ""
    source: str = ""
    remedy: str = ""
    where: Tuple[str, ...] = ()
    effect: str = ""
    follows: int = 0


def rank(effect: str) -> int:
    """Return the place of an effect in the order from harmless to fatal."""
    return EFFECTS.index(effect)


def worst(effects: Iterable[str]) -> str:
    """Return the gravest of ``effects``, ``none`` where there are none."""
    return max(effects, key=rank, default=NONE)


# ---- provenance.agent._report --------------------------------------------------------------------
# What the drop-in test found, item by item, and the same as a page of text.

PASSED, WARNED, SKIPPED, FAILED = "passed", "warned", "skipped", "failed"
LISTED = 4


class Item(NamedTuple):
    """One thing that was checked.

    group: "python", "packages", "code", "data", "gpu" or "lock". status: passed, warned, skipped or
    failed. effect: as everywhere. text: sentences for people. equal, total: facts compared.
    """

    group: str
    name: str
    status: str
    effect: str = NONE
    text: str = ""
    equal: int = 0
    total: int = 0


def ended(effect: str, environ: Mapping[str, str]) -> str:
    """Return how an item with this effect ends, by ``PROV_FAIL_ON``."""
    least = environ.get("PROV_FAIL_ON", KNOWN)
    if least not in EFFECTS[1:]:
        least = KNOWN
    if rank(effect) >= rank(least):
        return FAILED
    return PASSED if effect == NONE else WARNED


def exit_status(items: Sequence[Item]) -> int:
    """Return 0, 1 (something failed) or 3 (nothing could be compared)."""
    if any(item.status == FAILED for item in items):
        return 1
    return 0 if any(item.total for item in items) else 3


def report(lock: Lock, items: Sequence[Item], status: int) -> str:
    """Return the page that the program prints."""
    runs = "; ".join(title(run) for run in lock.runs)
    lines = [
        "%s (%s)  vs  %s %s"
        % (os.path.basename(lock.path), runs, sys.executable, platform.python_version())
    ]
    for effect in (BROKEN, KNOWN, POSSIBLE):
        for item in items:
            if item.effect == effect and item.text:
                lines += _block(effect, item)
    lines += _unknown(items)
    lines.append("compared: %s" % (_counts(items) or "nothing"))
    skipped = ["%s (%s)" % (i.name, i.text) for i in items if i.status == SKIPPED]
    if skipped:
        lines.append("not compared: " + "; ".join(skipped))
    lines.append(_last(items, status))
    return "\n".join(lines) + "\n"


def _block(effect: str, item: Item) -> List[str]:
    first, *rest = item.text.split("\n")
    return ["%s  %s" % (effect.upper(), first)] + ["  " + line for line in rest]


def _unknown(items: Iterable[Item]) -> List[str]:
    names = [item.name for item in items if item.effect == UNKNOWN]
    if not names:
        return []
    more = "" if len(names) <= LISTED else " and %d more" % (len(names) - LISTED)
    return ["unknown effect: %s%s" % (", ".join(names[:LISTED]), more)]


def _counts(items: Sequence[Item]) -> str:
    units = (("python", "Python"), ("packages", "packages"), ("code", "code"), ("data", "data"))
    parts = []
    for group, unit in units:
        equal = sum(item.equal for item in items if item.group == group)
        total = sum(item.total for item in items if item.group == group)
        if total:
            parts.append("%s %d/%d equal" % (unit, equal, total))
    return ", ".join(parts)


def _last(items: Sequence[Item], status: int) -> str:
    if status == 3:
        return "NOT COMPARED: the lock and this place have nothing in common (exit 3)"
    counted = {effect: sum(1 for i in items if i.effect == effect) for effect in EFFECTS[1:]}
    told = ", ".join("%d %s" % (n, effect) for effect, n in reversed(list(counted.items())) if n)
    words = {NONE: "SAME", UNKNOWN: "NO KNOWN EFFECT", POSSIBLE: "POSSIBLE EFFECT"}
    verdict = words.get(worst(item.effect for item in items), "DIFFERENT")
    if status == 1 and verdict != "DIFFERENT":
        verdict = "FAILED"
    return "%s%s (exit %d)" % (verdict, ": " + told if told else "", status)


# ---- provenance.core.sourcedigest ----------------------------------------------------------------
# Digests of source code that do not move when only comments, docstrings or layout do.
#
# ``python-tokens-1``: SHA-256 over the tokens of a Python file. Comments, blank lines, the width of
# an indentation, spaces between tokens, line continuations and line ends do not count; neither do
# statements that are nothing but a string (docstrings), unless the file reads docstrings itself
# (`_READS_DOCSTRINGS`), for then they are data. A string, f-strings included, counts by its source
# text. The lexer is our own, so that the digest is the same whichever Python computes it: the
# standard library's tokenizer splits f-strings from 3.12 on, and is several times slower.
#
# ``notebook-code-1``: SHA-256 over the sources of a notebook's code cells, in order: outputs,
# counts,
# text cells and metadata do not count.

PYTHON, NOTEBOOK = "python-tokens-1", "notebook-code-1"

LARGEST = 1 << 20
"""Bytes above which a source file gets no such digest: it is data in the guise of source."""

_STRING, _FSTRING, _INDENT, _DEDENT = "\x00", "\x01", "\x02", "\x03"
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f]")
_MARK = re.compile(r"[#\"'\\]")
_FIELD_MARK = re.compile(r"[#\"'()\[\]{}:]")
_TOKEN = re.compile(r"\w+|[^\w \t\f]")
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_READS_DOCSTRINGS = re.compile(r"\b(?:__doc__|getdoc|docopt|dspy)\b")
_PREFIX_LETTERS = frozenset("rRbBuUfFtT")
_END = {
    '"': re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*"', re.S),
    "'": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*'", re.S),
    '"""': re.compile(r'[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""', re.S),
    "'''": re.compile(r"[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''", re.S),
}
_LITERAL_MARK = {quote: re.compile(r"[{\\\n]|" + quote) for quote in _END}


class _Unreadable(Exception):
    """The source does not have the form of Python."""


class _Code(NamedTuple):
    """Source with comments gone, line continuations joined, and each string as one character."""

    text: str
    strings: Tuple[str, ...]


def digests(name: str, data: bytes) -> Dict[str, str]:
    """Return the digests beyond content that a source file called ``name`` has; may be none."""
    if len(data) > LARGEST:
        return {}
    if name.endswith((".py", ".pyi")):
        found, algorithm = python_tokens_digest(data), PYTHON
    elif name.endswith(".ipynb"):
        found, algorithm = notebook_code_digest(data), NOTEBOOK
    else:
        return {}
    return {} if found is None else {algorithm: found}


def python_tokens_digest(source: bytes) -> Optional[str]:
    """Return the ``python-tokens-1`` digest, or None where ``source`` is not readable as Python."""
    text = _decoded(source)
    if text is None or _FORBIDDEN.search(text):
        return None
    try:
        return _digest(_without_comments(text))
    except (_Unreadable, RecursionError):
        return None


def notebook_code_digest(source: bytes) -> Optional[str]:
    """Return the ``notebook-code-1`` digest, or None where ``source`` is not a notebook."""
    try:
        document = json.loads(source.decode("utf-8"))
        sheets = document.get("worksheets") or [document]
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        code = [_cell_source(cell) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    text = json.dumps([cell for cell in code if cell], separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _cell_source(cell: Dict[str, Any]) -> str:
    source = cell["source"] if "source" in cell else cell["input"]
    text = source if isinstance(source, str) else "".join(source)
    return text.replace("\r\n", "\n").rstrip()


def _decoded(source: bytes) -> Optional[str]:
    encoding = "utf-8"
    for line in source.split(b"\n", 2)[:2]:
        match = _COOKIE.match(line)
        if match:
            encoding = match.group(1).decode("ascii")
            break
    if source.startswith(codecs.BOM_UTF8):
        source, encoding = source[3:], "utf-8"
    try:
        text: Any = codecs.lookup(encoding).decode(source, "strict")[0]
    except (LookupError, ValueError, TypeError):
        return None
    if not isinstance(text, str):
        return None
    return str(text.replace("\r\n", "\n").replace("\r", "\n"))


def _without_comments(text: str) -> _Code:
    """Return the code of ``text``. Raises `_Unreadable`."""
    pieces: List[str] = []
    strings: List[str] = []
    position, size = 0, len(text)
    while True:
        mark = _MARK.search(text, position)
        if mark is None:
            pieces.append(text[position:])
            return _Code("".join(pieces), tuple(strings))
        at = mark.start()
        if text[at] == "#":
            pieces.append(text[position:at])
            position = text.find("\n", at)
            position = size if position < 0 else position
        elif text[at] == "\\":
            if text[at + 1 : at + 2] != "\n":
                raise _Unreadable
            pieces.append(text[position:at] + " ")
            position = at + 2
        else:
            start, end, formatted = _string(text, at, position)
            pieces.append(text[position:start] + (_FSTRING if formatted else _STRING))
            strings.append(text[start:end])
            position = end


def _string(text: str, at: int, floor: int) -> Tuple[int, int, bool]:
    """Return start (with prefix), end, and whether it is an f-string, of the string quoted at."""
    start = at
    while start > floor and at - start < 2 and text[start - 1] in _PREFIX_LETTERS:
        start -= 1
    if start > floor and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start = at
    quote = text[at : at + 3] if text.startswith(text[at] * 3, at) else text[at]
    prefix = text[start:at].lower()
    if "f" in prefix or "t" in prefix:
        return start, _literal_end(text, at + len(quote), quote, "r" in prefix), True
    end = _END[quote].match(text, at + len(quote))
    if end is None:
        raise _Unreadable
    return start, end.end(), False


def _literal_end(text: str, position: int, quote: str, raw: bool) -> int:
    """Return where the f-string ends whose text goes on at ``position``."""
    search = _LITERAL_MARK[quote].search
    while True:
        mark = search(text, position)
        if mark is None:
            raise _Unreadable
        position, found = mark.end(), mark.group()
        if found == quote:
            return position
        if found == "\n":
            if len(quote) == 1:
                raise _Unreadable
        elif found == "\\":
            position = _after_escape(text, position, raw)
        elif text.startswith("{", position):
            position += 1
        else:
            position = _field_end(text, position)


def _after_escape(text: str, position: int, raw: bool) -> int:
    if not raw and text.startswith("N{", position):
        end = text.find("}", position)
        if end < 0:
            raise _Unreadable
        return end + 1
    return position if text.startswith("{", position) else position + 1


def _field_end(text: str, position: int) -> int:
    """Return where the replacement field ends that was opened before ``position``."""
    depth = 0
    while True:
        mark = _FIELD_MARK.search(text, position)
        if mark is None:
            raise _Unreadable
        floor, position, found = position, mark.end(), mark.group()
        if found in "([{":
            depth += 1
        elif found == "}" and depth == 0:
            return position
        elif found in ")]}":
            depth -= 1
        elif found == "#":
            position = text.find("\n", position)
            if position < 0:
                raise _Unreadable
        elif found != ":":
            position = _string(text, mark.start(), floor)[1]
        elif depth == 0:
            return _format_end(text, position)


def _format_end(text: str, position: int) -> int:
    """Return where the replacement field ends whose format goes on at ``position``."""
    while True:
        close = text.find("}", position)
        if close < 0:
            raise _Unreadable
        nested = text.find("{", position, close)
        if nested < 0:
            return close + 1
        position = _field_end(text, nested + 1)


def _digest(code: _Code) -> str:
    """Return the digest of the tokens of ``code``. Raises `_Unreadable`."""
    keep_docstrings = _READS_DOCSTRINGS.search(code.text) is not None
    out: List[str] = []
    kept: List[str] = []
    indents = [0]
    depth = taken = 0
    for line in code.text.split("\n"):
        count = line.count(_STRING) + line.count(_FSTRING)
        strings = code.strings[taken : taken + count]
        taken += count
        if depth == 0:
            body = line.lstrip(" \t\f")
            if not body or not (keep_docstrings or body.strip(_STRING + " \t\f")):
                continue
            _indent(line[: len(line) - len(body)], indents, out)
        out.append(line)
        kept.extend(strings)
        depth += _opened(line)
        if depth < 0:
            raise _Unreadable
        out.append(" " if depth else "\n")
    if depth:
        raise _Unreadable
    tokens = _TOKEN.findall("".join(out))
    state = hashlib.sha256("\x1f".join(tokens).encode("utf-8", "surrogatepass"))
    for string in kept:
        raw = string.encode("utf-8", "surrogatepass")
        state.update(b"\x00%d\x00" % len(raw) + raw)
    return state.hexdigest()


def _opened(line: str) -> int:
    """Return how many more brackets ``line`` opens than it closes."""
    count = line.count
    return (count("(") + count("[") + count("{")) - (count(")") + count("]") + count("}"))


def _indent(lead: str, indents: List[int], out: List[str]) -> None:
    """Write what the indentation ``lead`` opens or closes. Raises `_Unreadable`."""
    width = len(lead.rpartition("\f")[2].expandtabs(8))
    if width > indents[-1]:
        indents.append(width)
        out.append(_INDENT)
    while width < indents[-1]:
        indents.pop()
        out.append(_DEDENT)
    if width != indents[-1]:
        raise _Unreadable


# ---- provenance.agent._observe -------------------------------------------------------------------
# Code, data and GPU as the drop-in test finds them, against what the lock recorded.

source_digests = digests

CHUNK_BYTES = 1 << 20
LARGE = 1 << 30
"""Bytes above which a file is digested only with ``PROV_FULL=1``: it would take seconds."""
_TREE = "-tree-1"
_DRIVER = "/proc/driver/nvidia/gpus/*/information"


def check_code(lock: Lock) -> Item:
    """Return whether the source files that the recorded run used are the same here."""
    equal, wrong, unknown = 0, [], 0
    for name, path, entry in files_of(lock, "code", "used"):
        state = _source_state(path, entry)
        if state is None:
            unknown += 1
        elif state:
            wrong.append("%s: %s." % (name, state))
        else:
            equal += 1
    total = equal + len(wrong)
    if not total:
        why = "no digest that can be checked" if unknown else "the lock names no source files"
        return Item("code", "code", SKIPPED, NONE, why)
    if not wrong:
        return Item("code", "code", PASSED, NONE, "", equal, total)
    text = "code differs from the recorded run's:\n" + "\n".join(wrong)
    return Item("code", "code", FAILED, BROKEN, text, equal, total)


def _source_state(path: Optional[str], entry: Mapping[str, Any]) -> Optional[str]:
    """Return what is wrong with a source file, "" for nothing, None where it cannot be told."""
    recorded: Dict[str, str] = entry.get("digests") or {}
    outside = (entry.get("path") or {}).get("root") in ("home", "abs") or entry.get("missing")
    if path is None or not os.path.isfile(path):
        return None if outside or path is None else "it is not here"
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        return "it cannot be read (%s)" % (error.strerror or error)
    if recorded.get("sha256") == hashlib.sha256(data).hexdigest():
        return ""
    shared = [(n, d) for n, d in source_digests(path, data).items() if n in recorded]
    if shared and all(recorded[n] == d for n, d in shared):
        return ""
    return "it has changed" if "sha256" in recorded or shared else None


def check_data(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return whether the data files that are here are those that the recorded run read."""
    equal, wrong, skipped = 0, [], []
    for name, path, entry in files_of(lock, "data", "files"):
        state, why = _data_state(path, entry, environ.get("PROV_FULL") == "1")
        if state is None:
            skipped.append("%s: %s" % (name, why))
        elif state:
            equal += 1
        else:
            wrong.append("%s: it has other content." % name)
    total = equal + len(wrong)
    if wrong:
        text = "data differs from what the recorded run read:\n" + "\n".join(wrong)
        return Item("data", "data", FAILED, BROKEN, text, equal, total)
    if skipped:
        more = "" if len(skipped) <= LISTED else " and %d more" % (len(skipped) - LISTED)
        text = "; ".join(skipped[:LISTED]) + more
        return Item("data", "data", SKIPPED, NONE, text, equal, total)
    if not total:
        return Item("data", "data", SKIPPED, NONE, "the lock names no data files")
    return Item("data", "data", PASSED, NONE, "", equal, total)


def _data_state(
    path: Optional[str], entry: Mapping[str, Any], full: bool
) -> Tuple[Optional[bool], str]:
    """Return whether a data file is the recorded one, or None and why that cannot be told."""
    recorded: Dict[str, str] = entry.get("digests") or {}
    state = str(entry.get("state", "digested"))
    if state != "digested":
        return None, "%s when recorded" % state
    if path is None or not os.path.exists(path):
        return None, "not here"
    name = "sha256" + (_TREE if os.path.isdir(path) else "")
    if name not in recorded:
        return None, "no SHA-256 in the lock"
    try:
        if not full and (entry.get("size") or 0) > LARGE:
            return None, "more than 1 GiB (PROV_FULL=1 digests it)"
        left_out = frozenset(entry.get("left_out") or ())
        found = _tree(path, left_out) if os.path.isdir(path) else _file(path)
    except OSError as error:
        return None, error.strerror or "unreadable"
    return found == recorded[name], ""


def _file(path: str) -> str:
    state = hashlib.sha256()
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK_BYTES), b""):
            state.update(chunk)
    return state.hexdigest()


def _tree(folder: str, left_out: FrozenSet[str]) -> str:
    """Return the digest of a folder as records have it: canonical JSON of its sorted files."""
    rows: List[List[Any]] = []
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in names + links:
            path = os.path.join(parent, name)
            below = os.path.relpath(path, folder).replace(os.sep, "/")
            if below in left_out:
                continue
            if os.path.islink(path):
                rows.append([below, -1, os.readlink(path)])
            else:
                rows.append([below, os.lstat(path).st_size, _file(path)])
    rows.sort(key=lambda row: os.fsencode(row[0]))
    return hashlib.sha256(canonical.compact(rows)).hexdigest()


def check_gpu(lock: Lock) -> Item:
    """Return whether a GPU is here if the recorded run had one; models are only compared."""
    recorded: List[str] = []
    stated = False
    for run in lock.runs:
        for payload in payloads(run, "hardware"):
            stated = stated or "gpus" in payload
            recorded.extend(str(gpu.get("name", "GPU")) for gpu in payload.get("gpus") or ())
    if not stated:
        return Item("gpu", "GPU", SKIPPED, NONE, "the lock says nothing of GPUs")
    if not recorded:
        return Item("gpu", "GPU", SKIPPED, NONE, "the recorded run had none")
    here = _models()
    if not here:
        return Item("gpu", "GPU", SKIPPED, NONE, "none here; the recorded run had %s" % recorded[0])
    if set(here) & set(recorded):
        return Item("gpu", "GPU", PASSED, NONE, "", 1, 1)
    text = "%s here; the recorded run used %s." % (here[0], recorded[0])
    return Item("gpu", "GPU " + here[0], WARNED, UNKNOWN, text, 0, 1)


def _models() -> List[str]:
    """Return the models of the NVIDIA GPUs here, as the driver names them."""
    found = []
    for path in sorted(glob.glob(_DRIVER)):
        try:
            with open(path, encoding="utf-8", errors="replace") as stream:
                lines = stream.read().split("\n")
        except OSError:
            continue
        for line in lines:
            label, _, value = line.partition(":")
            if label.strip() == "Model" and value.strip():
                found.append(value.strip())
    return found


# ---- provenance.core.distributions ---------------------------------------------------------------
# What is installed for an interpreter, read from the folders on its ``sys.path``.
#
# Works from outside the interpreter (nothing is imported or run) and inside it; needs no network
# and
# no ``importlib.metadata``, which 3.7 lacks and which is several times slower. Also packed into the
# drop-in test, therefore self-contained.

HEADER_BYTES = 4096
"""Name and Version stand in the first lines of METADATA; long descriptions come after them."""

_SEPARATORS = re.compile(r"[-_.]+")


class Distribution(NamedTuple):
    """One installed distribution, as the interpreter that owns the ``sys.path`` sees it.

    name: as its metadata writes it. key: the name in the form of PEP 503, by which names are
    compared. location: the folder on ``sys.path``. folder: of its metadata (a file for old eggs).
    installer: "pip", "uv", "conda"; "" where not stated. requested: asked for by name, not pulled
    in. direct_url: as in PEP 610, credentials and all: redact before writing. editable_root: the
    project folder of an editable install, else "". record_sha256: of what the RECORD says of the
    package's own files (see `_record`); "" where there is no RECORD. modules: importable names,
    dotted below namespace packages. note: what is wrong with it, else "".
    """

    name: str
    key: str
    version: str
    location: str
    folder: str
    installer: str = ""
    requested: bool = False
    direct_url: Dict[str, Any] = {}
    editable_root: str = ""
    record_sha256: str = ""
    modules: Tuple[str, ...] = ()
    note: str = ""


def scan(sys_path: Sequence[str]) -> List[Distribution]:
    """Return every distribution on ``sys_path``, sorted by key; the first on the path wins."""
    found: Dict[str, Distribution] = {}
    links: Dict[str, str] = {}
    for folder in _distinct(sys_path):
        here: Dict[str, Distribution] = {}
        for one in _in_folder(folder, links):
            here[one.key] = _better(here[one.key], one) if one.key in here else one
        for key, one in here.items():
            found[key] = _shadowing(found[key], one) if key in found else one
    for key, root in links.items():
        if key in found and found[key].location == root:
            found[key] = found[key]._replace(editable_root=root, record_sha256="")
    return [found[key] for key in sorted(found)]


def key_of(name: str) -> str:
    """Return a distribution's name in the form by which names are compared (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def _distinct(sys_path: Sequence[str]) -> Iterator[str]:
    seen = set()
    for entry in sys_path:
        folder = os.path.abspath(entry or os.curdir)
        if folder not in seen:
            seen.add(folder)
            yield folder


def _in_folder(folder: str, links: Dict[str, str]) -> Iterator[Distribution]:
    """Yield the distributions right inside ``folder``; note egg-links in ``links``."""
    try:
        names = sorted(os.listdir(folder))
    except NotADirectoryError:
        if folder.endswith(".egg"):
            yield _by_name(os.path.basename(folder), os.path.dirname(folder), "packed egg")
        return
    except OSError:
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            if name.startswith("~"):
                yield _by_name(name, folder, "half removed")
            else:
                yield _read(folder, name)
        elif name == "EGG-INFO" and folder.endswith(".egg"):
            yield _read(folder, name)
        elif name.endswith(".egg-link"):
            root = _bytes(os.path.join(folder, name)).decode("utf-8", "replace").split("\n")[0]
            if root.strip():
                links[key_of(name[:-9])] = os.path.abspath(root.strip())


def _read(location: str, entry: str) -> Distribution:
    """Return the distribution whose metadata is ``entry`` of the folder ``location``."""
    folder = os.path.join(location, entry)
    try:
        files = frozenset(os.listdir(folder))
    except NotADirectoryError:
        return _named(_bytes(folder, HEADER_BYTES), location, folder)
    except OSError:
        return _by_name(entry, location, "unreadable metadata")
    one = _named(_metadata(folder, files), location, folder)
    if "INSTALLER" in files:
        text = _bytes(os.path.join(folder, "INSTALLER"), 256).decode("utf-8", "replace")
        one = one._replace(installer=text.strip())
    if "direct_url.json" in files:
        direct = _object(_bytes(os.path.join(folder, "direct_url.json")))
        one = one._replace(direct_url=direct, editable_root=_editable_root(direct))
    if "RECORD" in files:
        one = _with_record(one, _bytes(os.path.join(folder, "RECORD")))
    if "top_level.txt" in files and not one.modules:
        names = _bytes(os.path.join(folder, "top_level.txt")).decode("utf-8", "replace").split()
        one = one._replace(modules=tuple(sorted(name.replace("/", ".") for name in names)))
    return one._replace(requested="REQUESTED" in files)


def _metadata(folder: str, files: Any) -> bytes:
    for name in ("METADATA", "PKG-INFO"):
        if name in files:
            return _bytes(os.path.join(folder, name), HEADER_BYTES)
    return b""


def _named(header: bytes, location: str, folder: str) -> Distribution:
    """Return a distribution with the name and version of ``header``, else of its folder's name."""
    header = header.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    name, version = _field(header, b"Name:"), _field(header, b"Version:")
    if name and version:
        return Distribution(name, key_of(name), version, location, folder)
    return _by_name(os.path.basename(folder), location, "no metadata")


def _field(header: bytes, name: bytes) -> str:
    start = 0 if header.startswith(name) else header.find(b"\n" + name) + 1
    if not start and not header.startswith(name):
        return ""
    value = header[start + len(name) :].partition(b"\n")[0]
    return value.strip().decode("utf-8", "replace")


def _by_name(entry: str, location: str, note: str) -> Distribution:
    """Return what the name of a metadata folder tells: ``name-version[-py3.8].dist-info``."""
    stem = re.sub(r"(-py\d[\d.]*(-[^-]+)?)?\.(dist-info|egg-info|egg)$", "", entry)
    match = re.match(r"(.+?)-(\d.*)$", stem)
    name, version = match.groups() if match else (stem, "")
    return Distribution(
        name, key_of(name), version, location, os.path.join(location, entry), note=note
    )


def _with_record(one: Distribution, raw: bytes) -> Distribution:
    """Return ``one`` with what its RECORD says: digest, modules, and a project that it points to.

    A RECORD that lists nothing but a pointer (a .pth file, a finder) is that of an editable
    install; its digest would only tell where the project lies.
    """
    lines = _record(raw, os.path.basename(one.folder).encode("utf-8", "replace"))
    editable = one.editable_root or _pointed(one.location, lines)
    if editable:
        return one._replace(editable_root=editable)
    value = hashlib.sha256(b"\n".join(lines)).hexdigest() if lines else ""
    return one._replace(record_sha256=value, modules=_modules(lines))


def _record(raw: bytes, metadata: bytes) -> List[bytes]:
    """Return the sorted lines of a RECORD that speak of the package's own files.

    Left out is what differs between two installs of the same wheel: bytecode, the folder
    ``metadata`` (INSTALLER, REQUESTED, direct_url.json) and what lies outside the site folder
    (scripts, whose first line names the interpreter).
    """
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n")
    lines = raw.split(b"\n")
    if b"__pycache__/" in raw:
        lines = [line for line in lines if b"__pycache__/" not in line]
    lines.sort()
    # Sorted, each kind to leave out is one stretch: the empty, "../", "/", then the metadata.
    start = bisect_left(lines, b"!")
    outside = (bisect_left(lines, b"../"), bisect_left(lines, b"..0"))
    absolute = (bisect_left(lines, b"/"), bisect_left(lines, b"0"))
    own = (bisect_left(lines, metadata + b"/"), bisect_left(lines, metadata + b"0"))
    for first, after in sorted((outside, absolute, own), reverse=True):
        del lines[first:after]
    return lines[start:] if start else lines


def _modules(lines: Sequence[bytes], prefix: bytes = b"") -> Tuple[str, ...]:
    """Return the importable names in sorted RECORD ``lines``, dotted below namespace packages."""
    names = set()
    start = bisect_left(lines, prefix)
    while start < len(lines) and lines[start].startswith(prefix):
        path = lines[start].partition(b",")[0][len(prefix) :]
        first, slash, _ = path.partition(b"/")
        name = first.decode("utf-8", "replace")
        if not slash:
            start += 1
            stem, _, suffix = name.partition(".")
            if stem.isidentifier() and (suffix == "py" or name.endswith((".so", ".pyd"))):
                names.add(_dotted(prefix) + stem)
            continue
        below = prefix + first + b"/"
        if name.isidentifier():
            init = bisect_left(lines, below + b"__init__.")
            if init < len(lines) and lines[init].startswith(below + b"__init__."):
                names.add(_dotted(prefix) + name)
            elif prefix.count(b"/") < 2:
                names.update(_modules(lines, below) or (_dotted(prefix) + name,))
        start = bisect_left(lines, prefix + first + b"0", start)  # "0" follows "/"
    return tuple(sorted(names))


def _dotted(prefix: bytes) -> str:
    return prefix.decode("utf-8", "replace").replace("/", ".")


def _pointed(location: str, lines: Sequence[bytes]) -> str:
    """Return the project folder that a RECORD of only .pth files and finders points to, or ""."""
    names = [line.partition(b",")[0].decode("utf-8", "replace") for line in lines[:3]]
    if not names or len(lines) > 2:
        return ""
    if not all(n.endswith(".pth") or n.startswith("__editable__") for n in names):
        return ""
    for name in names:
        text = _bytes(os.path.join(location, name)).decode("utf-8", "replace")
        if name.endswith(".pth"):
            first = text.strip().split("\n")[0].strip()
            if os.path.isabs(first):
                return os.path.normpath(first)
        else:
            mapped = re.search(r"MAPPING[^=]*=\s*\{\s*['\"][^'\"]+['\"]\s*:\s*['\"]([^'\"]+)", text)
            if mapped:
                return os.path.dirname(os.path.normpath(mapped.group(1)))
    return ""


def _editable_root(direct_url: Dict[str, Any]) -> str:
    info = direct_url.get("dir_info")
    if not isinstance(info, dict) or not info.get("editable"):
        return ""
    return file_path(direct_url.get("url")) or ""


def file_path(url: Any) -> Optional[str]:
    """Return the path that a ``file:`` URL names, None for any other value."""
    if not isinstance(url, str) or not url.lower().startswith("file:"):
        return None
    from urllib.parse import unquote, urlsplit  # seldom needed, and slow to import

    return os.path.normpath(unquote(urlsplit(url).path))


def _better(old: Distribution, new: Distribution) -> Distribution:
    """Return which of two entries of one name in one folder counts: the newer whole one."""
    whole = (not old.note, not new.note)
    if whole[0] != whole[1]:
        return old if whole[0] else new
    ordered = versions.is_version(old.version) and versions.is_version(new.version)
    later = new if ordered and versions.key(new.version) >= versions.key(old.version) else old
    other = old if later is new else new
    return later._replace(note="also version %s in the same folder" % (other.version or "unknown"))


def _shadowing(first: Distribution, later: Distribution) -> Distribution:
    """Return ``first``, found earlier on the path, with what ``later`` knows of the same project.

    A source tree with its own egg-info that stands on the path (the script's folder) hides the
    metadata of the editable install that points to it, and with it where that came from.
    """
    if later.editable_root and not first.editable_root and not first.record_sha256:
        root = later.editable_root
        if first.location == root or first.location.startswith(root.rstrip(os.sep) + os.sep):
            return later._replace(version=first.version or later.version)
    return first


def _object(raw: bytes) -> Dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _bytes(path: str, limit: int = 0) -> bytes:
    """Return (the first ``limit`` bytes of) a file, nothing where it cannot be read.

    System calls, because 1,500 of these small reads make a third of a scan's time.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return b""
    try:
        size = limit or os.fstat(handle).st_size + 1
        data = os.read(handle, size)
        while not limit and len(data) >= size:
            more = os.read(handle, size)
            if not more:
                break
            data += more
        return data
    except OSError:
        return b""
    finally:
        os.close(handle)


# ---- provenance.knowledge.sites ------------------------------------------------------------------
# Which uses in the user's code an entry strikes, and how surely.

_INTERNAL = frozenset("core src python modules lib internals".split())
"""Names of folders inside libraries that people import through, though they are not the API."""

HOLDS, FAILS, OPEN = "holds", "fails", "open"


class Struck(NamedTuple):
    """A use that an entry speaks of. sure: its conditions hold for certain; why: what they see."""

    use: Use
    sure: bool
    why: str


def struck(
    entry: Entry, uses: Sequence[Use], files: Optional[FrozenSet[str]] = None
) -> Tuple[Struck, ...]:
    """Return the ``uses`` that ``entry`` strikes, in their order; empty where a flag voids it.

    files: in which a method of something unknown counts; None: those that use the library by name.
    """
    near = _near(entry, uses)
    if not near or any(_voids(flag, use) for flag in entry.unless for use in uses):
        return ()
    if entry.along and not _is_used_along(entry.along, uses):
        return ()
    if files is None:
        files = _files_with(entry, near, uses)
    found = [_strike(entry, use, files) for use in near]
    return tuple(one for one in found if one is not None)


def _near(entry: Entry, uses: Sequence[Use]) -> List[Use]:
    """Return the ``uses`` that a look at their first or last component does not rule out."""
    tops = tuple({symbol.partition(".")[0] + "." for symbol in entry.symbols})
    wanted = {symbol.rpartition(".")[2] for symbol in entry.symbols}
    if entry.reads or "*" in wanted:
        return [use for use in uses if use.symbol.startswith(tops)]
    return [use for use in uses if use.symbol.rpartition(".")[2] in wanted]


def _files_with(entry: Entry, near: Sequence[Use], uses: Sequence[Use]) -> FrozenSet[str]:
    """Return the files in which the library of ``entry`` is used by name; none if not needed."""
    if not any(use.symbol.startswith(UNRESOLVED) for use in near):
        return frozenset()
    tops = {symbol.partition(".")[0] for symbol in entry.symbols}
    return frozenset(use.path for use in uses if use.symbol.partition(".")[0] in tops)


def _is_used_along(patterns: Sequence[str], uses: Sequence[Use]) -> bool:
    return any(fnmatch.fnmatchcase(use.symbol, one) for use in uses for one in patterns)


def _voids(flag: Dict[str, Any], use: Use) -> bool:
    if use.symbol != flag["symbol"] or use.kind not in (CALL, WRITE):
        return False
    return "first" not in flag or use.arguments[:1] == (flag["first"],)


def _strike(entry: Entry, use: Use, files: FrozenSet[str]) -> Optional[Struck]:
    resolved = any(matches(symbol, name) for name in _names(entry, use) for symbol in entry.symbols)
    if not resolved and not _may_be(entry, use, files):
        return None
    if use.kind == WRITE and not use.symbol.endswith("__setitem__"):
        return None
    named_only = use.kind != CALL and not entry.reads and not use.symbol.endswith("__")
    if named_only and not entry.handed_on:
        return None
    states = [_state(condition, use) for condition in entry.when]
    if FAILS in states:
        return None
    sure = resolved and OPEN not in states and not named_only
    return Struck(use, sure, _why(entry, use, resolved, named_only))


def _names(entry: Entry, use: Use) -> List[str]:
    """Return the symbols that ``use`` names; what a constant is asked for names the constant."""
    names = [use.symbol]
    while entry.reads and names[-1].count(".") > 1:
        names.append(names[-1].rpartition(".")[0])
    return names


def _may_be(entry: Entry, use: Use, files: FrozenSet[str]) -> bool:
    """Return whether a method of something unknown may be the one that ``entry`` speaks of."""
    if not use.symbol.startswith(UNRESOLVED) or not entry.unresolved or use.path not in files:
        return False
    name = use.symbol[len(UNRESOLVED) :]
    for symbol in entry.symbols:
        owner, _, method = symbol.rpartition(".")
        if method == name and is_class(owner):
            return True
    return False


def matches(pattern: str, symbol: str) -> bool:
    """Return whether ``symbol``, as the user reaches it, is the one that ``pattern`` names.

    Libraries show a thing at several places ("torch.nn.modules.batchnorm.BatchNorm2d"), so modules
    may stand between the first component and a class, and internal ones before a function.
    """
    want, have = pattern.split("."), symbol.split(".")
    if want[0] != have[0] or len(have) < len(want):
        return False
    return _fits(want, have)


def _fits(want: List[str], have: List[str]) -> bool:
    if not want or not have:
        return not want and not have
    if want[0] in ("*", have[0]) and _fits(want[1:], have[1:]):
        return True
    before_class = any(is_class(part) for part in want)
    return _skippable(have[0], before_class) and _fits(want, have[1:])


def _skippable(part: str, before_class: bool) -> bool:
    """Return whether a module of this name may be left out of a symbol."""
    if is_class(part):
        return False
    return before_class or part in _INTERNAL or part.startswith("_") or part.endswith("_")


def _state(condition: Condition, use: Use) -> str:
    """Return whether ``condition`` holds at ``use``, fails, or stays open."""
    if use.kind != CALL:
        return OPEN
    given = _given(condition, use)
    if given is _UNKNOWN:
        return OPEN
    if condition.test == "not passed":
        return HOLDS if given is _ABSENT else FAILS
    if condition.test == "passed":
        return FAILS if given is _ABSENT else HOLDS
    if given is _ABSENT:
        return FAILS if condition.test in ("equal", "starts with") else HOLDS
    if given is None:
        return OPEN
    if condition.test == "starts with":
        fits = isinstance(given, str) and given.startswith(condition.values)
        return HOLDS if fits else FAILS
    equal = any(_equal(given, value) for value in condition.values)
    return HOLDS if equal != (condition.test == "not equal") else FAILS


def _equal(given: Any, value: Any) -> bool:
    """Return whether two constants are equal; True is not 1."""
    same_kind = isinstance(given, bool) == isinstance(value, bool)
    return same_kind and bool(given == value)


_ABSENT, _UNKNOWN = object(), object()


def _given(condition: Condition, use: Use) -> Any:
    """Return the constant that was passed, None where not constant, or one of the two marks."""
    if condition.inside is not None:
        outer = _argument(condition.inside["parameter"], condition.inside.get("position"), use)
        if outer is _ABSENT or outer is _UNKNOWN:
            return outer
        if not isinstance(outer, dict) or "dict" not in outer:
            return _UNKNOWN
        return outer["dict"].get(condition.parameter, _ABSENT)
    position = condition.position
    if isinstance(position, dict):
        names = use.symbol.split(".")
        position = position.get(".".join(names[-2:]), position.get(names[-1]))
    return _argument(condition.parameter, position, use)


def _argument(parameter: str, position: Optional[int], use: Use) -> Any:
    if parameter in use.keywords:
        return use.keywords[parameter]
    if position is not None and len(use.arguments) > position:
        return use.arguments[position]
    return _UNKNOWN if use.spread else _ABSENT


def _why(entry: Entry, use: Use, resolved: bool, named_only: bool) -> str:
    """Return in a few words what makes ``entry`` apply at ``use``."""
    if not resolved:
        return "%s() of something not known" % use.symbol[len(UNRESOLVED) :]
    if named_only:
        return "handed on, not called"
    parts: List[str] = []
    for condition in entry.when:
        words = _condition_words(condition, use)
        if words and words not in parts:
            parts.append(words)
    return ", ".join(parts) or ("used" if entry.reads else "called")


def _condition_words(condition: Condition, use: Use) -> str:
    if condition.test == "not passed":
        unknown = _given(condition, use) is _UNKNOWN
        return "%s %s" % (condition.parameter, "may be passed" if unknown else "not passed")
    given = _given(condition, use)
    if given is _ABSENT:
        return ""
    if given is None or given is _UNKNOWN or isinstance(given, (dict, list)):
        return "%s passed" % condition.parameter
    return "%s=%r" % (condition.parameter, given)


def places_of(found: Iterable[Struck]) -> Tuple[str, ...]:
    """Return the places of ``found`` as people read them, each once."""
    places: List[str] = []
    for one in found:
        if one.use.where not in places:
            places.append(one.use.where)
    return tuple(places)


# ---- provenance.knowledge.judge ------------------------------------------------------------------
# What a known behaviour change means for the calls of one run: effect, reason, remedy.
#
# Pure, and without records: the drop-in test judges with the same rules from what its lock carries.
# The two directions are one rule: going back to an older release swaps old and new, and the remedy
# with them.

LEVEL = "L1"
MOST_PLACES = 20
SHOWN_PLACES = 3
PYTHON_ITSELF = "python"
"""The name under which entries on Python itself stand among the packages."""


class Judged(NamedTuple):
    """An entry that applies: its effect on this run, the reason, and where it strikes."""

    entry: Entry
    effect: str
    reason: Reason
    where: Tuple[str, ...]


def judge(
    entries: Sequence[Entry],
    package: str,
    old: str,
    new: str,
    uses: Sequence[Use],
    gpu: Optional[bool] = None,
    files: Optional[FrozenSet[str]] = None,
) -> List[Judged]:
    """Return the ``entries`` that going from ``old`` to ``new`` of ``package`` makes apply.

    gpu: whether the run had a CUDA GPU, None where not known. files: as in `sites.struck`.
    """
    found = []
    for one in entries:
        crossed = span(one, package, old, new)
        if not crossed or (one.gpu and gpu is False):
            continue
        hits = struck(one, uses, files)
        if hits:
            sure = crossed == "whole" and (not one.gpu or gpu is True)
            found.append(_judged(one, package, old, new, hits, sure))
    return sorted(found, key=lambda j: (-rank(j.effect), j.where, j.entry.id))


def _judged(
    entry: Entry, package: str, old: str, new: str, hits: Sequence[Struck], sure: bool
) -> Judged:
    certain = [hit for hit in hits if hit.sure]
    effect = KNOWN if certain and sure and entry.certainty == KNOWN else POSSIBLE
    shown = certain or list(hits)
    where = places_of(shown)
    forward = key(old) < key(new)
    why = shown[0].why
    if entry.parameter and why.startswith(entry.parameter + " not passed"):
        why = why[len(entry.parameter) + 1 :]
    text = "%s; %s at %s" % (_line(entry, shown[0].use, forward), why, _places(where))
    reason = Reason(
        LEVEL,
        text,
        "%s: %s" % (shown[0].why, entry.effect),
        _source(entry),
        remedy(entry, package, old, new),
        where[:MOST_PLACES],
        effect,
    )
    return Judged(entry, effect, reason, where[:MOST_PLACES])


def _line(entry: Entry, use: Use, forward: bool) -> str:
    """Return the change in one line: ``KMeans(n_init) default 10 -> 'auto'``."""
    old, new = (entry.old, entry.new) if forward else (entry.new, entry.old)
    name = _name(entry, use)
    if not (old and new):
        return "%s: %s changed" % (name, entry.what)
    if entry.parameter and entry.what.startswith("default"):
        return "%s(%s) default %s -> %s" % (name, entry.parameter, old, new)
    return "%s: %s: %s -> %s" % (name, entry.what, old, new)


def _name(entry: Entry, use: Use) -> str:
    """Return the short name of what is used: the class, or class and method."""
    symbol = use.symbol
    while entry.reads and not any(matches(pattern, symbol) for pattern in entry.symbols):
        if "." not in symbol:
            break
        symbol = symbol.rpartition(".")[0]
    if symbol.startswith(UNRESOLVED):
        name = symbol[len(UNRESOLVED) :]
        symbol = next((s for s in entry.symbols if s.endswith("." + name)), symbol)
    parts = symbol.replace(".__getitem__", "[...]").replace(".__setitem__", "[...] =").split(".")
    while len(parts) > 1 and not is_class(parts[0]):
        parts.pop(0)
    return ".".join(parts[-1:] if is_class(parts[-1]) else parts)


def _places(where: Sequence[str]) -> str:
    more = len(where) - SHOWN_PLACES
    shown = ", ".join(where[:SHOWN_PLACES])
    return shown + (" and %d more" % more if more > 0 else "")


def _source(entry: Entry) -> str:
    address = entry.source.get("url", "")
    return entry.source["title"] + (" <%s>" % address if address else "")


def remedy(entry: Entry, package: str, old: str, new: str) -> str:
    """Return code that keeps the recorded behaviour, and the command that restores the version."""
    forward = key(old) < key(new)
    code = entry.restore_old if forward else entry.restore_new
    until = entry.restore_old_until
    if forward and until and is_version(new) and key(new) >= key(until):
        code = ""
    restore = (
        "use Python " + old if package == PYTHON_ITSELF else "pip install %s==%s" % (package, old)
    )
    if not code:
        return restore
    argument = entry.parameter and code.startswith(entry.parameter + "=")
    return "%s%s   or   %s" % ("add " if argument else "", code, restore)


# ---- provenance.agent._versions ------------------------------------------------------------------
# Packages and Python as the drop-in test finds them, against what the lock recorded.

read_uses = read

_OTHERS_LOAD = re.compile(r"^(nvidia-|mkl$|intel-openmp$|tbb$|triton$|pytorch-triton|jaxlib$)")
"""Packages of shared libraries, on which results depend though no import shows."""


class Wanted(NamedTuple):
    """A package as a run had it. trusted: whether ``imported`` is known in full."""

    name: str
    version: str
    imported: bool
    trusted: bool
    modules: Tuple[str, ...]
    own: bool


class Known(NamedTuple):
    """What is known of changes, with the uses of today's files and whether there was a GPU."""

    entries: Tuple[Entry, ...]
    uses: Tuple[Use, ...]
    files: FrozenSet[str]
    gpu: Optional[bool]


def check_packages(lock: Lock, sys_path: Sequence[str], environ: Mapping[str, str]) -> List[Item]:
    """Return one item per recorded package, by name."""
    here = {one.key: one for one in scan(sys_path)}
    provided = {name: one for one in here.values() for name in one.modules}
    known = knowledge(lock)
    accepted = {key_of(n.strip()) for n in environ.get("PROV_ACCEPT", "").split(",") if n.strip()}
    items = []
    for name, wanted in sorted(_recorded(lock).items()):
        effect, reasons, text = _compared(name, wanted, here.get(name), provided, known)
        if name in accepted and effect != NONE:
            items.append(Item("packages", name, PASSED, NONE, text + "\naccepted", 0, 1))
            continue
        equal = int(not text)
        status = ended(effect, environ)
        full = _sentences(name, text, reasons, status == FAILED)
        items.append(Item("packages", name, status, effect, full, equal, 1))
    return items


def _recorded(lock: Lock) -> Dict[str, Wanted]:
    """Return the packages of all runs; of one that runs had in two versions, the first."""
    found: Dict[str, Wanted] = {}
    for run in lock.runs:
        for payload in payloads(run, "packages"):
            trusted = bool(payload.get("complete"))
            for name, one in (payload.get("distributions") or {}).items():
                wanted = _wanted(one, trusted)
                if name not in found or (wanted.imported and not found[name].imported):
                    found[name] = wanted
    return found


def _wanted(one: Mapping[str, Any], trusted: bool) -> Wanted:
    editable = (one.get("editable") or {}).get("path") or {}
    return Wanted(
        str(one.get("name", "")),
        str(one.get("version", "")),
        bool(one.get("imported")),
        trusted,
        tuple(one.get("modules") or ()),
        editable.get("root") in ("repo", "cwd"),
    )


def _compared(
    name: str,
    wanted: Wanted,
    here: Optional[Distribution],
    provided: Mapping[str, Distribution],
    known: Known,
) -> Tuple[str, List[Judged], str]:
    """Return the effect, the reasons, and the first sentence; "" where nothing differs."""
    matters = wanted.imported or not wanted.trusted or _OTHERS_LOAD.match(name) is not None
    plain = UNKNOWN if matters and not wanted.own else NONE
    if here is None:
        if wanted.imported and not wanted.own and not any(m in provided for m in wanted.modules):
            text = "%s is not installed; the recorded run imported %s."
            return BROKEN, [], text % (wanted.name, wanted.version)
        return plain, [], "%s %s is not installed." % (wanted.name, wanted.version)
    if here.version == wanted.version:
        return NONE, [], ""
    text = "%s %s installed; the recorded run used %s."
    text = text % (wanted.name, here.version or "(no version)", wanted.version)
    reasons: List[Judged] = []
    if plain != NONE and is_version(here.version) and is_version(wanted.version):
        reasons = judge(
            known.entries, name, wanted.version, here.version, known.uses, known.gpu, known.files
        )
    return worst([plain] + [one.effect for one in reasons]), reasons, text


def _sentences(name: str, text: str, reasons: Sequence[Judged], failed: bool) -> str:
    lines = [text] if text else []
    for one in reasons:
        lines.append(one.reason.text + ".")
        lines.append("  effect: %s" % one.entry.effect)
        lines.append("  fix: %s" % one.reason.remedy)
    if failed:
        lines.append("Or accept the change: PROV_ACCEPT=%s" % name)
    return "\n".join(lines)


def knowledge(lock: Lock) -> Known:
    """Return what the lock knows, sites moved to where they stand in files that changed since."""
    sites: List[Use] = []
    for _, found in lock.known:
        sites.extend(use for use in found if use not in sites)
    asked = {use.path for use in sites}
    uses = tuple(sites)
    for name, path, entry in files_of(lock, "code", "used"):
        if name in asked and path is not None and _changed(path, entry):
            fresh = _uses_now(path, name)
            if fresh is not None:
                uses = tuple(use for use in uses if use.path != name) + fresh
    gpus = [p["gpus"] for run in lock.runs for p in payloads(run, "hardware") if "gpus" in p]
    gpu = any(gpus) if gpus else None
    return Known(tuple(entry for entry, _ in lock.known), uses, frozenset(asked), gpu)


def _changed(path: str, entry: Mapping[str, Any]) -> bool:
    recorded = (entry.get("digests") or {}).get("sha256")
    try:
        with open(path, "rb") as stream:
            return bool(hashlib.sha256(stream.read()).hexdigest() != recorded)
    except OSError:
        return False


def _uses_now(path: str, name: str) -> Optional[Tuple[Use, ...]]:
    """Return the uses in the file as it is today, None where it cannot be read as Python."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            reading = read_uses(stream.read(), name)
    except OSError:
        return None
    return None if reading.note else reading.uses


def check_python(lock: Lock, environ: Mapping[str, str]) -> Item:
    """Return how the Python that runs this differs from the recorded one."""
    recorded = [
        str(payload["version"])
        for run in lock.runs
        for payload in payloads(run, "runtime")
        if payload.get("version")
    ]
    if not recorded:
        return Item("python", "Python", SKIPPED, NONE, "the lock names none")
    now, old = platform.python_version(), recorded[0]
    if now in recorded:
        return Item("python", "Python", PASSED, NONE, "", 1, 1)
    text = "Python %s runs this; the recorded run used %s." % (now, old)
    reasons: List[Judged] = []
    if is_version(now) and is_version(old) and key(now)[1][:2] != key(old)[1][:2]:
        known = knowledge(lock)
        reasons = judge(known.entries, "python", old, now, known.uses, known.gpu, known.files)
    effect = worst([UNKNOWN] + [one.effect for one in reasons])
    status = ended(effect, environ)
    full = _sentences("python", text, reasons, False)
    return Item("python", "Python " + now, status, effect, full, 0, 1)


# ---- provenance.agent.check ----------------------------------------------------------------------

_MEMORY: Dict[str, Any] = {}


def the_lock() -> Lock:
    """Return the lock that speaks of this file's repository. Raises `LockError`."""
    if "lock" not in _MEMORY:
        here = os.path.dirname(os.path.abspath(__file__))
        _MEMORY["lock"] = read_lock(find_lock(here, os.environ))
    found: Lock = _MEMORY["lock"]
    return found


def package_items() -> Dict[str, Item]:
    """Return one item per recorded package by the id of its test; the lock's own if unreadable."""
    if "packages" not in _MEMORY:
        try:
            found = {one.name: one for one in check_packages(the_lock(), sys.path, os.environ)}
        except LockError as error:
            found = {"prov.lock": Item("lock", "prov.lock", FAILED, "broken", str(error))}
        _MEMORY["packages"] = found
    items: Dict[str, Item] = _MEMORY["packages"]
    return items


def all_items() -> List[Item]:
    """Return everything that was checked. Raises `LockError`."""
    lock = the_lock()
    rest = [check_code(lock), check_data(lock, os.environ), check_gpu(lock)]
    return [check_python(lock, os.environ), *package_items().values(), *rest]


def settle(item: Item) -> None:
    """End the running test as ``item`` says, with its sentences and no traceback."""
    pytest = sys.modules.get("pytest")
    if item.status == FAILED:
        if pytest is None:
            raise AssertionError(item.text)
        pytest.fail(item.text, pytrace=False)
    if item.status == SKIPPED and pytest is not None:
        pytest.skip(item.text)
    if item.status == WARNED:
        warnings.warn("\n" + item.text, UserWarning, stacklevel=2)


def pytest_generate_tests(metafunc: Any) -> None:
    """Give pytest one test per recorded package, under the package's name."""
    if "recorded_package" in metafunc.fixturenames:
        metafunc.parametrize("recorded_package", list(package_items()))


def test_packages(recorded_package: str) -> None:
    """The package is as the recorded run had it, or its change cannot be known to matter."""
    settle(package_items()[recorded_package])


def test_python() -> None:
    """Python is the one that the run used, or its change cannot be known to matter."""
    settle(_of(lambda lock: check_python(lock, os.environ)))


def test_code() -> None:
    """The source files that the run used are as they were, comments aside."""
    settle(_of(check_code))


def test_data() -> None:
    """The data files that are here are those that the run read."""
    settle(_of(lambda lock: check_data(lock, os.environ)))


def test_gpu() -> None:
    """A GPU is here if the run had one."""
    settle(_of(check_gpu))


def _of(check: Any) -> Item:
    try:
        item: Item = check(the_lock())
    except LockError as error:
        item = Item("lock", "prov.lock", SKIPPED, "none", str(error))
    return item


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Print what was found and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words:
        sys.stdout.write((__doc__ or "").strip() + "\n")
        return 0 if words[0] in ("-h", "--help") else 2
    try:
        lock, items = the_lock(), all_items()
    except LockError as error:
        sys.stderr.write("%s\n" % error)
        return 4
    status = exit_status(items)
    sys.stdout.write(report(lock, items, status))
    return status


if __name__ == "__main__":
    sys.exit(main())
