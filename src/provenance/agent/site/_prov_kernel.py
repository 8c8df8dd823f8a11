"""The last report of a notebook's kernel: made when it is asked to go, for few are given the time.

Run by ``sitecustomize``, which gives ``log(kind, value)`` and ``load(name)`` (the names of a file
beside this one).
"""

log, load = globals()["log"], globals()["load"]


def patch(_name, module):
    """Report when the kernel is about to shut down or to start anew."""
    load("_prov_patches")["replace"](module.IPythonKernel, "do_shutdown", shut_down)


def shut_down(original, *args, **kwargs):
    """Report first."""
    try:
        log.__globals__["_leave"]()
    except Exception:
        pass
    return original(*args, **kwargs)
