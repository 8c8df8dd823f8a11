"""Calls as the interpreter itself tells of them: Python 3.12 and later (PEP 669).

The user's code objects are seen when they are about to be executed (an audit event) and are asked
to tell of their calls; nobody else's are. A site that has been seen often enough is switched off
and costs nothing from then on. No code is rewritten: tracebacks, pickles, compilers and the
source of functions are what they are without.

Run by ``sitecustomize``, which gives ``load(name)`` (the names of a file beside this one).
"""

import sys
import time
from types import CodeType, FunctionType

load = globals()["load"]

_calls, _values = load("_prov_calls"), load("_prov_calls_values")
_mon = getattr(sys, "monitoring", None)
_now = time.perf_counter
_NOT_PLAIN = 0x2A0  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR
_OPTIMIZED = 0x3  # CO_OPTIMIZED and CO_NEWLOCALS: locals are its own

_tool = []
_on = [True]
_own = {}
"""The user's code objects by identity: the object, its seen offsets, and their places."""
_awaited = {}
"""Code of functions that the user's code is about to enter: the user's code, the site, and the name
of the class that is called, "" for a function."""
_inside = {}
"""Frames of such functions that have not returned, by identity."""


def install():
    """Ask the interpreter to tell of calls; return what stops that."""
    free = [number for number in (4, 3) if _mon.get_tool(number) is None]
    if not free:
        return _nothing
    tool = free[0]
    _mon.use_tool_id(tool, "prov")
    _tool.append(tool)
    events = _mon.events
    _mon.register_callback(tool, events.CALL, _called)
    _mon.register_callback(tool, events.PY_START, _entered)
    _mon.register_callback(tool, events.PY_RETURN, _returned)
    sys.addaudithook(_executed)
    return _stop


def _nothing():
    pass


def _stop():
    """Tell of nothing any more."""
    _on[:] = [False]
    for code, _, _ in list(_own.values()):
        _mon.set_local_events(_tool[0], code, 0)
    for entry in list(_awaited.values()) + list(_inside.values()):
        _mon.set_local_events(_tool[0], entry[0], 0)


def _executed(event, args):
    """See the code of a script, module or cell just before it is executed."""
    if event != "exec" or not _on[0]:
        return
    try:
        code = args[0]
        if type(code) is not CodeType or code.co_name != "<module>":
            return
        file = code.co_filename
        if _calls["is_own"](file) or (file == "<string>" and sys._getframe().f_back is None):
            _watch(code)
    except Exception:
        return


def _watch(code):
    """Let a code object and those inside it tell of their calls."""
    if len(_own) > 20000:
        return
    _own[id(code)] = (code, {}, [])
    _mon.set_local_events(_tool[0], code, _mon.events.CALL)
    for one in code.co_consts:
        if type(one) is CodeType:
            _watch(one)


def _called(code, offset, called, first):
    """Look at a call of the user's code, the first few times."""
    known = _own.get(id(code))
    if known is None:
        return _mon.DISABLE
    count = known[1].get(offset, 0) + 1
    known[1][offset] = count
    if count > _calls["FIRST"]:
        return _mon.DISABLE
    begin = _now()
    wanted = True
    try:
        wanted = _look(known, code, offset, called, first)
    except Exception:
        wanted = False
    _calls["took"](_now() - begin)
    return None if wanted else _mon.DISABLE


def _look(known, code, offset, called, first):
    receiver = _values["NOTHING"]
    if first is not _mon.MISSING and _values["is_method"](called, first):
        receiver = first
    if not known[2]:
        known[2].extend((one[0] or 0, one[2] or 0) for one in code.co_positions())
    line, column = known[2][offset // 2]
    site = _calls["site"]((code.co_filename, line, column), called, receiver)
    if site is None:
        return False
    _await(code, called, site)
    return True


def _await(code, called, site):
    """Look at the arguments and the result of a function that is written in Python."""
    function = called
    if isinstance(called, type):
        for name in ("__init__", "__new__"):
            for base in called.__mro__:
                function = vars(base).get(name)
                if function is not None:
                    break
            if type(function) is FunctionType:
                break
    function = getattr(function, "__func__", function)
    if type(function) is not FunctionType:
        if not isinstance(called, type):
            return
        site["result"] = _values["described"](called)["name"]
        return
    inner = function.__code__
    if id(inner) in _own or inner.co_flags & _NOT_PLAIN or inner.co_flags & 3 != _OPTIMIZED:
        return
    made = _values["described"](called)["name"] if isinstance(called, type) else ""
    _awaited[id(inner)] = (inner, code, site, made)
    events = _mon.events
    _mon.set_local_events(_tool[0], inner, events.PY_START | events.PY_RETURN)


def _entered(code, _offset):
    """Look at the arguments of a function that the user's code has called."""
    waiting = _awaited.get(id(code))
    if waiting is None:
        return
    frame = sys._getframe(1)
    if frame.f_back is None or frame.f_back.f_code is not waiting[1]:
        return  # called by somebody else
    begin = _now()
    del _awaited[id(code)]
    try:
        if len(_inside) > 1000:
            _inside.clear()
        _inside[id(frame)] = waiting
        if "given" not in waiting[2]:
            waiting[2]["given"] = _arguments(code, frame)
    except Exception:
        pass
    _calls["took"](_now() - begin)


def _arguments(code, frame):
    """Return what is told of the arguments in a frame that has just begun."""
    count = code.co_argcount + code.co_kwonlyargcount
    names = list(code.co_varnames[: count + 2])
    held = frame.f_locals
    found = {}
    for place, name in enumerate(names):
        if place < count:
            if name in held and not (place == 0 and name in ("self", "cls")):
                found[name] = _values["described"](held[name])
        elif place == count and code.co_flags & 4:
            for number, value in enumerate(held.get(name, ())[:20]):
                found["*%d" % number] = _values["described"](value)
        elif code.co_flags & 8 and name == names[count + bool(code.co_flags & 4)]:
            for key, value in list(held.get(name, {}).items())[:40]:
                found[str(key)] = _values["described"](value)
    if type(held) is dict:
        held.clear()  # before 3.13 it is a copy that would live as long as the frame
    return found


def _returned(code, _offset, value):
    """Look at the result."""
    entry = _inside.pop(id(sys._getframe(1)), None)
    if entry is None or entry[0] is not code:
        _forget(code)
        return
    begin = _now()
    try:
        site = entry[2]
        if entry[3]:
            site["result"] = entry[3]
        else:
            site["result"] = _values["returned"](value)
            _values["remember"](value, site["where"])
        _forget(code)
    except Exception:
        pass
    _calls["took"](_now() - begin)


def _forget(code):
    """Let a library's function tell nothing any more, unless somebody waits for it."""
    if id(code) not in _awaited and not any(one[0] is code for one in list(_inside.values())):
        _mon.set_local_events(_tool[0], code, 0)
