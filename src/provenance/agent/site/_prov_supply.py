"""The SDK for programs that ``import provenance`` inside a run, where nobody else has that module.

Run by ``sitecustomize``, which gives ``here`` (the hook's folder).
"""

import sys

here = globals()["here"]


def patch(_name, _module):
    """Leave a module of that name that the program has as it is."""


def spec():
    """Return how to load the SDK under the name ``provenance``, without naming a file of ours."""
    machinery = sys.modules["_frozen_importlib"]
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader
    return machinery.ModuleSpec("provenance", _Loader(loader("_prov_sdk", here + "/_prov_sdk.py")))


class _Loader(object):
    def __init__(self, files):
        self._files = files

    def create_module(self, _spec):
        return None

    def exec_module(self, module):
        exec(self._files.get_code("_prov_sdk"), module.__dict__)
