"""A notebook's kernel: its last report, and beginning anew in a live session.

It reports when it is asked to go, for few are given the time to end in order.

Run by ``sitecustomize``, which gives ``log(kind, value)`` and ``load(name)`` (the names of a file
beside this one).
"""

log, load = globals()["log"], globals()["load"]


def patch(_name, module):
    """Report when the kernel is about to shut down or to start anew."""
    load("_prov_patches")["replace"](module.IPythonKernel, "do_shutdown", shut_down)


def resume(folder):
    """Begin a log of its own in ``folder``: a live session is recorded once more."""
    hook = log.__globals__
    hook.update(_folder=folder, _parent="", _at=hook["_stamp"](), _limit=hook["_FOLDER_LIMIT"])
    hook.update(_number=0, _used=0, _size=0, _total=0)
    hook["_skip"] = hook["_places"]()
    for kept in ("_seen", "_written", "_names", "_folders"):
        hook[kept].clear()
    if hook["_renew"](0):
        facts = load("_prov_report")["facts"](hook["_here"])
        log("P", dict(facts, **load("_prov_process")["facts"]()))


def shut_down(original, *args, **kwargs):
    """Report first."""
    try:
        log.__globals__["_leave"]()
    except Exception:
        pass
    return original(*args, **kwargs)
