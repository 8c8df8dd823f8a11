"""The parameters of a notebook that ``papermill`` runs: those given, and the notebook's defaults.

Run by ``sitecustomize``, which gives ``load(name)`` (the names of a file beside this one).
"""

import sys

load = globals()["load"]

_told, _patches = load("_prov_told"), load("_prov_patches")


def patch(_name, module):
    """Look at each notebook that is about to be run, its parameters already in it."""
    for function in ("prepare_notebook_metadata", "prepare_notebook_cells"):  # since 2.4, before
        _patches["replace"](module, function, prepare)


def prepare(original, *args, **kwargs):
    """Take note of the parameters."""
    try:
        _parameters(args[0] if args else kwargs["nb"])
    except Exception:
        pass
    return original(*args, **kwargs)


def _parameters(notebook):
    tagged = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", ())]
    defaults = _assigned(tagged[0].source) if tagged else {}
    given = dict(notebook.metadata.get("papermill", {}).get("parameters", {}))
    values = {n: (v, v, False) for n, v in defaults.items() if n not in given}
    values.update({n: (v, defaults.get(n), True) for n, v in given.items()})
    if values:
        _told["parsed"]("papermill", values, owner="__main__")


def _assigned(source):
    """Return the names that a cell assigns and their values, as text where they are computed."""
    ast = sys.modules["ast"]  # papermill imports libraries that need it
    found = {}
    for node in ast.parse(source).body:
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if value is None or len(targets) != 1 or not isinstance(targets[0], ast.Name):
            continue
        try:
            found[targets[0].id] = ast.literal_eval(value)
        except ValueError:
            found[targets[0].id] = ast.get_source_segment(source, value)
    return found
