"""What the hook tells of the interpreter at its start, and what only at its end.

Run by ``sitecustomize``. It imports nothing that has not been loaded already.
"""

import _imp
import os
import sys

prefixes, as_bytes = globals()["prefixes"], globals()["as_bytes"]  # given by ``sitecustomize``

_TORCH = (
    ("initial_seed", "initial_seed"),
    ("deterministic_algorithms", "are_deterministic_algorithms_enabled"),
    ("float32_matmul_precision", "get_float32_matmul_precision"),
    ("num_threads", "get_num_threads"),
    ("default_dtype", "get_default_dtype"),
    ("version", "__version__"),
    ("cuda", "version.cuda"),
    ("cuda.initialized", "cuda.is_initialized"),
    ("cudnn", "backends.cudnn.version"),
    ("hip", "version.hip"),
    ("git_version", "version.git_version"),
    ("cudnn.deterministic", "backends.cudnn.deterministic"),
    ("cudnn.benchmark", "backends.cudnn.benchmark"),
    ("cudnn.allow_tf32", "backends.cudnn.allow_tf32"),
    ("cuda.matmul.allow_tf32", "backends.cuda.matmul.allow_tf32"),
)
_JAX = (
    "jax_enable_x64 jax_default_prng_impl jax_default_matmul_precision jax_threefry_partitionable "
    "jax_numpy_dtype_promotion jax_disable_jit jax_platforms"
).split()


def facts(own):
    """Return what this interpreter says of itself at its start. ``own``: our folder."""
    return {
        "executable": sys.executable,
        "version": sys.version,
        "implementation": sys.implementation.name,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "path": [entry for entry in sys.path if entry != own],
        "flags": repr(sys.flags),
        "options": dict(sys._xoptions),
        "suffix": (_imp.extension_suffixes() or [""])[0],
        "platform": sys.platform,
        "multiarch": getattr(sys.implementation, "_multiarch", ""),
        "tag": sys.implementation.cache_tag,
        "pycache": sys.pycache_prefix if hasattr(sys, "pycache_prefix") else None,
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "cwd": _working_folder(),
    }


def _working_folder():
    try:
        return os.getcwd()
    except OSError:
        return ""


def report():
    """Return, for the end, the path, the modules and the settings as they are now."""
    modules, sources = _modules()
    return {
        "path": [entry for entry in sys.path if isinstance(entry, str)],
        "modules": modules,
        "sources": sources,
        "settings": _settings(),
    }


# --- modules -------------------------------------------------------------------------------------


def _names_of(module):
    """Return a module's names without asking it: some load themselves when asked."""
    try:
        return object.__getattribute__(module, "__dict__")
    except Exception:
        return {}


def _modules():
    """Return where each top-level module came from, and the user's own loaded source files.

    So that each distribution shows, those right below a namespace package, or below a parent that
    was taken out of ``sys.modules``, stand in their own right.
    """
    tops, sources, namespaces = {}, [], set()
    for name, module in sorted((str(n), m) for n, m in list(sys.modules.items())):
        names = _names_of(module)
        file = names.get("__file__")
        file = file if isinstance(file, str) else ""
        parent = name.rpartition(".")[0]
        if parent in namespaces or parent not in sys.modules:
            if not file and "__path__" in names:
                namespaces.add(name)
            if name != "__main__":
                tops[name] = file
        if file and not file.startswith(prefixes) and "-packages/" not in file:
            sources.append(as_bytes(file))
    return tops, sources[:5000]


# --- settings ------------------------------------------------------------------------------------


def _settings():
    """Return seeds and determinism of the frameworks that the program had imported."""
    found = {}
    readers = (
        ("random", _random),
        ("numpy", _numpy),
        ("torch", _torch),
        ("jax", _jax),
        ("tensorflow", _tensorflow),
        ("threadpoolctl", _threads),
    )
    for name, read in readers:
        module = sys.modules.get(name)
        if module is not None:
            values = _quietly(read, module)
            if values:
                found[name] = values
    return found


def _quietly(function, *args):
    """Call without letting it warn or raise; None where it failed."""
    import warnings  # the frameworks that are asked have loaded it

    before = warnings.filters[:]
    shown = warnings.showwarning
    try:
        warnings.simplefilter("ignore")
        return _tried(function, *args)
    finally:
        warnings.filters[:] = before
        warnings.showwarning = shown


def _tried(function, *args):
    try:
        return function(*args)
    except Exception:
        return None


def _reach(thing, dotted):
    for name in dotted.split("."):
        thing = getattr(thing, name)
    return thing() if callable(thing) else thing


def _plain(value):
    return value if value is None or type(value) in (bool, int, float, str) else str(value)


def _torch(torch):
    found = {}
    for name, dotted in _TORCH:
        try:
            found[name] = _plain(_reach(torch, dotted))
        except Exception:
            continue
    drawn = _tried(_torch_drew, torch)
    if drawn is not None:
        found["drawn"] = drawn
    return found


def _torch_drew(torch):
    """Return whether the global generator has given numbers since it was last seeded.

    Its state begins with the seed (8 bytes), the numbers left before the next round (4), a flag
    (4) and the place of the next one (8): 1 and 0 right after seeding (CPUGeneratorImpl.cpp).
    """
    head = bytes(torch.random.default_generator.get_state()[:24].tolist())
    left = int.from_bytes(head[8:12], sys.byteorder)
    return (left, int.from_bytes(head[16:24], sys.byteorder)) != (1, 0)


def _random(random):
    """Return whether the global generator has given numbers since it was last seeded."""
    drawn = _tried(lambda: random._inst.getstate()[1][-1] != 624)
    return {} if drawn is None else {"drawn": drawn}


def _threads(threadpoolctl):
    """Return the libraries of threads that are loaded: name, version, and number of threads."""
    found = {}
    for one in threadpoolctl.threadpool_info():
        text = "%s %s, %s threads" % (
            one.get("internal_api"),
            one.get("version") or "",
            one.get("num_threads"),
        )
        found[str(one.get("prefix") or one.get("user_api"))] = text
    return found


def _numpy(numpy):
    """Return the state of the old global generator, which this does not advance."""
    found = {"version": str(_names_of(numpy).get("__version__", ""))}
    mtrand = sys.modules.get("numpy.random.mtrand")
    if mtrand is not None:
        bits = _tried(lambda: mtrand._rand._bit_generator)
        found["bit_generator"] = type(bits).__name__
        seeded = _tried(lambda: bits._seed_seq is None)
        if seeded is not None:
            found["legacy_seeded"] = seeded
        position = _tried(lambda: int(bits.state["state"]["pos"]))
        if position is not None:
            found["position"] = position
            # 624 after a seed, 623 where entropy made the state (_mt19937.pyx, _legacy_seeding).
            found["drawn"] = position not in (623, 624) or (position == 623 and bool(seeded))
    blas = _tried(_blas)
    if blas:
        found["blas"] = blas
    return found


def _blas():
    config = sys.modules["numpy.__config__"]
    parts = _names_of(config).get("CONFIG", {}).get("Build Dependencies", {})
    blas = parts.get("blas", {})
    return " ".join(str(blas[key]) for key in ("name", "version") if blas.get(key))


def _jax(jax):
    found = {"version": str(_names_of(jax).get("__version__", ""))}
    for name in _JAX:
        try:
            found[name] = _plain(getattr(jax.config, name))
        except Exception:
            continue
    return found


def _tensorflow(tensorflow):
    found = {"version": str(_names_of(tensorflow).get("__version__", ""))}
    config = sys.modules.get("tensorflow.python.framework.config")
    enabled = _tried(lambda: bool(config.is_op_determinism_enabled()))
    if enabled is not None:
        found["op_determinism"] = enabled
    context = _names_of(sys.modules.get("tensorflow.python.eager.context")).get("_context")
    seed = _tried(lambda: context._seed)
    if seed is not None:
        found["global_seed"] = _plain(seed)
    return found
