"""In the Python processes that a rehearsal starts: lets rewritten code run that is sent there."""

import os
import sys


def _start():
    import builtins
    from importlib.machinery import PathFinder, SourceFileLoader
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))
    path = os.path.join(os.path.dirname(here), "_prov_harmless.py")
    names = {"__name__": "_prov_harmless"}
    exec(SourceFileLoader("_prov_harmless", path).get_code("_prov_harmless"), names)
    names["install"](builtins)
    rest = [one for one in sys.path if os.path.abspath(one or ".") != here]
    spec = PathFinder.find_spec("sitecustomize", rest)  # that of the environment, if it has one
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


_start()
