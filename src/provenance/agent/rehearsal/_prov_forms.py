"""The canonical form of any value: what two library versions are compared by.

``form(value)`` is JSON-able, small, and equal for equal values in any interpreter. None, truth
values, finite numbers and short texts stand for themselves; all else is a list with a tag first:

``["f", "nan"]`` ``["i", hex or digest, bits]`` ``["c", real, imaginary]``   numbers
``["s", {...}]`` ``["by", length, digest, beginning]``                        long text, bytes
``["sc", dtype, value]`` ``["a", class, dtype, shape, {...}]``                scalars, arrays
``["l", length, items, {...}]`` ``["t", ...]`` ``["nt", class, [[name, item]]]``
``["d", class, length, [[key, item]]]`` ``["set", class, length, items]``
``["df", class, shape, columns, index, [[name, array]]]`` ``["ix", class, name, array]``
``["v", kind, text]`` dates, decimals, paths; ``["e", class, name]`` ``["r", kind, parts]``
``["q", kind, name]`` ``["x", class, message]`` functions, classes, modules; exceptions
``["m", class, {...}, [[name, array]], evidence]``                            models, optimizers
``["o", class, evidence]``   opaque: what stands in the evidence alone makes no difference
``["..."]``                  left out; equal to anything

It runs in the interpreter of the experiment and must not be noticed there: it imports nothing that
the program has not loaded, never raises, never changes a value, draws no random number, advances
no iterator, and calls no method of a class that it does not know.
"""

import sys

load = None
"""Returns a neighbour of this file by name; set by whoever loads it."""

ITEMS = 64
"""Elements that are looked at by position in a value at the top; fewer deeper down."""
DEPTH = 6
NODES = 300
"""Parts of one form, after which the rest is left out: bounds its size by count, not by time, so
that it is the same each time."""
TEXT = 2000
"""Characters up to which a text is kept whole."""

_PLAIN = frozenset((type(None), bool, str))
_own = {}


def _neighbour(name):
    if load is not None:
        return load(name)
    found = _own.get(name)
    if found is None:
        import importlib.util
        import os

        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
        spec = importlib.util.spec_from_file_location(name, path)
        found = _own[name] = importlib.util.module_from_spec(spec)
        found.load = _neighbour
        spec.loader.exec_module(found)
        found.load = _neighbour
    return found


def set_roots(*roots):
    """Name the folders that stand as ``<scratch>`` in paths and texts (the scratch folder)."""
    _neighbour("_prov_forms_plain").ROOTS[:] = sorted(
        {str(one).rstrip("/") for one in roots if one}, key=len, reverse=True
    )


def form(value):
    """Return the canonical form of ``value``; ``["..."]`` where none can be had."""
    kind = type(value)
    if kind is float and value - value == 0.0:
        return value
    if kind is int and -(1 << 63) <= value < 1 << 63:
        return value
    if value is None or kind is bool:
        return value
    try:
        return Forms().of(value)
    except Exception:
        return ["..."]


def digest_of_random_state():
    """Return a digest of the global random generators' states: of random, numpy, torch."""
    try:
        return _neighbour("_prov_forms_random").digest()
    except Exception:
        return ""


def schema(value):
    """Return what is needed to make up a value of the same kind; None where that cannot be said."""
    try:
        return _neighbour("_prov_forms_schema").schema(value)
    except Exception:
        return None


def synthetic(known, rows=None):
    """Return a made-up value for a `schema`, the same each time, of at most ``rows`` rows."""
    return _neighbour("_prov_forms_schema").synthetic(known, rows)


class Forms(object):
    """One walk through one value. left: parts that may still be noted.

    beside: how many parts are noted beside the present one, in the widest container above it.
    """

    def __init__(self):
        self.left = NODES
        self.beside = 1
        self.above = []

    def of(self, value, depth=0):
        """Return the form of one part; ``["..."]`` below the depth, in a circle, without room."""
        self.left -= 1
        kind = type(value)
        if kind is float or kind is int or kind in _PLAIN:
            return self.plain.simple(value)
        if depth > DEPTH or self.left < 0 or id(value) in self.above:
            return ["..."]
        self.above.append(id(value))
        try:
            return self._maker(kind)(value, self, depth)
        except Exception:
            return opaque(value)
        finally:
            self.above.pop()

    @property
    def plain(self):
        return _neighbour("_prov_forms_plain")

    @staticmethod
    def neighbour(name):
        return _neighbour(name)

    @staticmethod
    def items(depth):
        """Return how many elements are looked at by position, this far down."""
        return (ITEMS, 16, 8)[depth] if depth < 3 else 6

    def samples(self, depth):
        """Return how many elements of an array are looked at; few where many are side by side."""
        return min(self.items(depth), 64 if self.beside <= 8 else 6 if self.beside <= 16 else 2)

    @staticmethod
    def _maker(kind):
        """Return the function that knows ``kind``, by the names of it and of its bases."""
        for base in type.mro(kind) if kind is not type else (type,):
            name = base.__module__, base.__qualname__
            found = MAKERS.get("%s.%s" % name)
            if found is None and name[0].__class__ is str:
                found = MAKERS.get("%s:%s" % (name[0].partition(".")[0], name[1]))
            if found is None and base.__module__ in ("builtins", "typing"):
                continue
            if found is not None:
                break
        else:
            found = "_prov_forms_plain.other"
        file, _, function = found.partition(".")
        return getattr(_neighbour(file), function)


def name_of(kind):
    """Return the qualified name of a class, function or module as it says it itself."""
    try:
        module, name = kind.__module__, kind.__qualname__
    except Exception:
        return "?"
    return "%s.%s" % (module, name) if module != "builtins" else str(name)


def opaque(value, evidence=None):
    """Return the form of an object that is not looked into."""
    return ["o", name_of(type(value)), evidence or {}]


def spots(count, wanted):
    """Return the positions looked at among ``count``: all, or evenly spread with both ends."""
    if count <= wanted:
        return list(range(count))
    if wanted < 2:
        return [0] * wanted
    return sorted({round(i * (count - 1) / (wanted - 1)) for i in range(wanted)})


def digest(data):
    """Return a short digest of bytes, or of what can be read as bytes."""
    from hashlib import blake2b

    return blake2b(data, digest_size=8).hexdigest()


def module(name):
    """Return a module that the program has loaded; None where it has not."""
    return sys.modules.get(name)


_KNOWN = {
    "_prov_forms_plain": """
        complex=complex_number bytes=octets bytearray=octets memoryview=octets list=sequence
        tuple=sequence dict=mapping set=collection frozenset=collection int=subclass
        float=subclass str=subclass collections.deque=sequence collections.UserDict=held
        collections.UserList=held types.MappingProxyType=mapping mappingproxy=mapping
        slice=sliced range=sliced enum.Enum=enumeration pathlib.PurePath=path
        pathlib:PurePath=path datetime.datetime=moment datetime.date=moment
        datetime.time=moment datetime.timedelta=moment decimal.Decimal=exact
        fractions.Fraction=exact uuid.UUID=hidden type=named function=named
        builtin_function_or_method=named method=named module=named method_descriptor=named
        wrapper_descriptor=named method-wrapper=named classmethod_descriptor=named
        getset_descriptor=named functools.partial=partial BaseException=exception
        ellipsis=constant NotImplementedType=constant dict_keys=view dict_values=view
        dict_items=view collections.abc.Mapping=hidden""",
    "_prov_forms_arrays": """
        numpy.ndarray=array numpy.generic=scalar numpy.dtype=dtype numpy.ufunc=ufunc
        numpy:MaskedArray=masked numpy:Generator=generator numpy:RandomState=generator
        numpy:BitGenerator=bits numpy:SeedSequence=seeds random.Random=python_generator
        scipy:spmatrix=sparse scipy:_spbase=sparse scipy:sparray=sparse
        PIL:Image=picture h5py:Dataset=stored h5py:File=hidden zarr:Array=stored""",
    "_prov_forms_frames": """
        pandas:DataFrame=frame pandas:Series=series pandas:Index=index
        pandas:ExtensionArray=extension pandas:Timestamp=stamp pandas:Timedelta=stamp
        pandas:NAType=missing pandas:NaTType=missing pandas:Period=stamp
        pandas:Interval=interval pandas:ExtensionDtype=dtype pandas:BaseOffset=stamp
        polars:DataFrame=polars_frame polars:Series=polars_series
        pyarrow:Table=arrow_table pyarrow:RecordBatch=arrow_table
        pyarrow:ChunkedArray=arrow_array pyarrow:Array=arrow_array
        pyarrow:DataType=arrow_type pyarrow:Schema=arrow_type pyarrow:Scalar=arrow_scalar""",
    "_prov_forms_models": """
        torch.Tensor=tensor torch:Tensor=tensor torch:Module=module torch:Optimizer=optimizer
        torch:LRScheduler=scheduler torch:_LRScheduler=scheduler torch:Generator=generator
        torch:dtype=named_value torch:device=named_value torch:Size=size
        torch:Distribution=distribution torch:PackedSequence=packed
        torch:ReduceLROnPlateau=scheduler""",
    "_prov_forms_graphs": """
        tensorflow:Tensor=tensor tensorflow:EagerTensor=tensor tensorflow:Variable=variable
        tensorflow:BaseResourceVariable=variable tensorflow:ResourceVariable=variable
        tensorflow:DType=dtype tensorflow:TensorShape=shape tensorflow:RaggedTensor=opaque
        tensorflow:Module=keras_layer keras:Layer=keras_layer keras:Variable=variable
        keras:KerasVariable=variable keras:Optimizer=keras_optimizer
        keras:BaseOptimizer=keras_optimizer tensorflow:OptimizerV2=keras_optimizer
        tensorflow:Optimizer=keras_optimizer keras:History=history
        tensorflow:History=history
        jaxlib:ArrayImpl=jax_array jaxlib:DeviceArray=jax_array jax:Array=jax_array
        jax:ArrayImpl=jax_array jax:DeviceArray=jax_array jaxlib:Array=jax_array
        jax:PRNGKeyArray=jax_array jax:Tracer=jax_array flax:FrozenDict=frozen_dict
        flax:Variable=nnx_variable flax:State=nnx_state flax:Pytree=nnx_module
        flax.nnx.object.Object=nnx_module flax.nnx.module.Module=nnx_module
        networkx:Graph=graph""",
    "_prov_forms_objects": """
        sklearn:BaseEstimator=estimator xgboost:XGBModel=estimator
        lightgbm:LGBMModel=estimator catboost:CatBoost=estimator
        transformers:PretrainedConfig=config transformers:PreTrainedConfig=config
        scipy:rv_frozen=frozen pandas:NDFrameIndexerBase=view pandas:BaseGroupBy=view
        pandas:BaseWindow=view pandas:StringMethods=view pandas:PandasDelegate=view
        statsmodels:Model=fitted statsmodels:ResultsWrapper=fitted statsmodels:Results=fitted
        statsmodels:_BaseInfluenceMixin=fitted""",
}


def _table():
    """Return who makes the form of which class: full names, or "top package:Class"."""
    table = {}
    for file, text in _KNOWN.items():
        for word in text.split():
            name, _, function = word.rpartition("=")
            table[name] = "%s.%s" % (file, function)
            if "." not in name and ":" not in name:
                table["builtins." + name] = table.pop(name)
    return table


MAKERS = _table()
