"""What other files of the hook tell of the program: parameters, and anything else worth noting.

Run by ``sitecustomize``, which gives ``log(kind, value)`` and ``load(name)`` (the names of a file
beside this one). Whatever is told is made plain, small and free of clear secrets first.
"""

import os
import sys

log, load = globals()["log"], globals()["load"]

_MOST_ITEMS, _MOST_PARSES, _MOST_NOTED = 200, 50, 2000
_LONGEST = 2000

_HELPERS = frozenset(
    (
        "IPython _pytest accelerate.commands conda conda_build coverage dask.__main__ debugpy "
        "deepspeed.launcher distributed.cli dvc ensurepip fire horovod.runner huggingface_hub "
        "hydra ipykernel ipykernel_launcher ipython jupyter jupyter_client jupyter_core "
        "jupyter_server jupyterlab kernprof line_profiler mamba memray mlflow mpi4py nbclient "
        "nbconvert notebook papermill pip pipx pytest ray.scripts scalene setuptools distutils "
        "snakemake streamlit tensorboard torch.distributed traitlets uv venv virtualenv "
        "viztracer wandb cProfile pdb profile timeit trace unittest"
    ).split()
)
"""Programs around the user's, whose own options are no parameters of the run."""
_PARSERS = frozenset(
    (
        "absl argparse argparse_dataclass click configargparse datargs docopt jsonargparse "
        "lightning pytorch_lightning simple_parsing tap transformers typer tyro"
    ).split()
)

_parses, _noted = [], {}
_events, _patches = load("_prov_events"), load("_prov_patches")


def parsed(source, values, job=None, owner=None):
    """Log parameters that a parser produced.

    source: the parser ("argparse"). values: name to ``(value, default, given)``; given tells
    whether the user gave it, None where not known. job: number of the job within a sweep. owner:
    dotted name of the module whose parameters they are, None to look who called.
    """
    if helper(owner or _caller()):
        return
    clean = {}
    for name, (value, default, given) in values.items():
        clean[str(name)] = (plain(value, str(name)), plain(default, str(name)), given)
    more = {} if job is None else {"job": job}
    entry = (source, script(), owner == "__main__" or of_user(), clean, more)
    if entry not in _parses and len(_parses) < _MOST_PARSES:
        _parses.append(entry)
        log("A", entry)


def script():
    """Return the name of the script that this process runs, "" where it runs none."""
    words = getattr(sys, "argv", None) or [""]
    return os.path.basename(str(words[0]))


def helper(module):
    """Return whether ``module`` belongs to a program around the user's."""
    parts = module.split(".")
    return any(".".join(parts[: place + 1]) in _HELPERS for place in range(len(parts)))


def _caller():
    """Return the module that asked a parser; of one run with ``-m`` the name it has otherwise."""
    frame = sys._getframe(1)
    while frame is not None:
        names = frame.f_globals
        name = str(names.get("__name__", ""))
        if names.get("log") is not log and name.partition(".")[0] not in _PARSERS:
            spec = names.get("__spec__") if name == "__main__" else None
            return str(getattr(spec, "name", "") or name)
        frame = frame.f_back
    return ""


def noted(topic, value):
    """Log a dictionary that belongs to ``topic``; the same one only once, and not without end."""
    clean = plain(value)
    text = topic + ascii(clean)
    if text not in _noted and len(_noted) < _MOST_NOTED:
        _noted[text] = True
        log("N", (topic, clean))


def of_user():
    """Return whether a line of the user's own asked for this."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if (
            frame.f_globals.get("log") is not log
            and not _patches["foreign"](file)
            and "<frozen" not in file
        ):
            return True
        frame = frame.f_back
    return False


def plain(value, name="", depth=0):
    """Return ``value`` as plain data of bounded size; never longer than it is worth."""
    if type(value) is int and "passw" in name.lower():
        return _events["MASK"]
    if value is None or type(value) in (bool, int, float):
        finite = type(value) is not float or value - value == 0
        return value if finite else repr(value)  # the log holds literals, and nan is none
    if name and value and isinstance(value, str) and _events["secret"](name, value):
        return _events["MASK"]
    if isinstance(value, str):
        return str(value) if len(value) <= _LONGEST else value[:_LONGEST] + "..."
    if depth < 4 and isinstance(value, (set, frozenset)) and len(value) <= _MOST_ITEMS:
        value = sorted(value, key=repr)  # in an order that is the same in the next run
    if depth < 4 and isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one, name, depth + 1) for one in list(value)[:_MOST_ITEMS]]
    if depth < 4 and isinstance(value, dict):
        items = list(value.items())[:_MOST_ITEMS]
        return {str(key): plain(one, str(key), depth + 1) for key, one in items}
    try:
        return _described(value)
    except Exception:
        return "<%s.%s>" % (type(value).__module__, type(value).__qualname__)


def _described(value):
    if hasattr(value, "__fspath__"):
        return str(os.fspath(value))
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return "%s.%s" % (value.__module__, value.__qualname__)
    if hasattr(value, "write") and isinstance(getattr(value, "name", None), str):
        return value.name
    item = getattr(value, "item", None)
    if item is not None and getattr(value, "ndim", None) == 0:
        return plain(item())
    text = repr(value)
    kind = "<%s.%s>" % (type(value).__module__, type(value).__qualname__)
    return kind if " at 0x" in text else text[:_LONGEST]
