"""What stands around a rehearsal: the end of its time, and what its libraries may do.

Libraries that compile a function's code get the code that the user wrote; other processes get
functions that do nothing in place of those that write the tape.
"""

import os
import sys
import threading
import time

load = None
LEAVING_S = 5.0
"""Seconds that threads and functions get that a program leaves for its exit (pools of workers)."""


def limit(tape, own, seconds):
    """End the process when its time is over; what is on the tape stays.

    A call that lets no other thread run is ended a little later, and nobody says where.
    """
    main = threading.get_ident()
    try:
        import faulthandler

        nowhere = open(os.devnull, "w")  # noqa: SIM115  # used until the end
        faulthandler.dump_traceback_later(seconds + LEAVING_S, exit=True, file=nowhere)
    except (ImportError, OSError, ValueError, RuntimeError):
        pass  # whoever started us ends us, too

    def wait():
        time.sleep(seconds)
        place = where(main, own)
        tape.end("time", "stopped after %g s%s" % (seconds, place and " at " + place))
        os._exit(75)

    threading.Thread(target=wait, daemon=True).start()


def leave(tape, how, why):
    """End the tape and the process, after what the program left to be done when it exits."""
    import atexit

    def late():
        time.sleep(LEAVING_S)
        tape.end(how, why)
        os._exit(0)

    threading.Thread(target=late, daemon=True).start()
    for act in (getattr(threading, "_shutdown", None), atexit._run_exitfuncs):
        try:
            if act is not None:
                act()
        except BaseException:
            tape.x(0)
    tape.end(how, why)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    os._exit(0)


def where(thread, own):
    """Return the innermost place of the user's own source that a thread is at, "" where none."""
    frame = sys._current_frames().get(thread)
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith("<cell ") or own.has(path):
            return "%s:%d" % (own.shown(path), frame.f_lineno)
        frame = frame.f_back
    return ""


def processes(here):
    """Let forked and started Python processes run rewritten code without a tape."""
    import builtins

    if hasattr(os, "register_at_fork"):
        harmless = load("_prov_harmless")
        os.register_at_fork(after_in_child=lambda: harmless.install(builtins))
    path = [os.path.join(here, "children"), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(one for one in path if one)


def compilers(when):
    """Give compilers of Python functions what the user wrote. when: see `_prov_rehearse`."""
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")  # it compiles bytecode, for minutes
    os.environ.setdefault("TORCH_COMPILE_DISABLE", "1")
    for name in ("numba.core.bytecode", "numba.bytecode"):
        when(name, _numba)


def _numba(module):
    identity = module.FunctionIdentity
    inner = identity.from_function.__func__

    def from_function(cls, pyfunc):
        load("_prov_module").give_back(getattr(pyfunc, "py_func", pyfunc))
        return inner(cls, pyfunc)

    identity.from_function = classmethod(from_function)
