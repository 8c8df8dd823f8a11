"""What well-known calls return: enough to follow an object from its maker to its methods.

Facts of the libraries' documented interfaces, kept to what is common in experiments. A call that
stands nowhere here returns something unknown, which costs a finding its certainty, never its truth.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, Optional, Tuple

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
