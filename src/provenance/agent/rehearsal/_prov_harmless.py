"""What rewritten code calls, doing nothing: for processes that keep no tape.

Functions travel to other processes with their rewritten code (joblib, ray); a forked worker has
the code of its parent.
"""


def install(builtins):
    """Give rewritten code functions that hand everything on."""
    builtins._prov_a = _third
    builtins._prov_f = builtins._prov_r = builtins._prov_l = _second
    builtins._prov_t = _true
    builtins._prov_s = builtins._prov_x = _nothing
    builtins._prov_e = _nothing


def _third(site, name, value):  # noqa: ARG001
    return value


def _second(site, value):  # noqa: ARG001
    return value


def _true(site):  # noqa: ARG001
    return True


def _nothing(site=None, names=""):  # noqa: ARG001
    return None
