"""The call table: what the user's own source calls, and what it gives, seen while it runs.

Only with ``prov run --calls``: run by ``sitecustomize`` where the folder of the logs holds a file
``calls``. It gives ``log(kind, value)``, ``load(name)`` (the names of a file beside this one) and
``here`` (their folder). From Python 3.12 on the interpreter itself tells of calls
(`_prov_calls_monitor`), and no code is changed. Before, the user's source is rewritten where it is
imported (`_prov_calls_rewrite`).

A site is noted at its first executions only. No reference to a value is kept. The recorder
measures what it costs; above its budget it switches itself off and says so.
"""

import os
import sys
import time

log, load, here = globals()["log"], globals()["load"], globals()["here"]

FIRST = 3
"""Executions of a site that are looked at."""
MOST_SITES = 3000
"""Sites of one process that are kept."""
SHARE = 0.02
"""Of the elapsed time: the most that looking at calls may take ..."""
ALLOWED_S = 0.1
"""... beyond these seconds."""
READING_S = 0.5
"""The same for rewriting source, which is done once and so weighs most in a short run."""
_BATCH = 40
"""Sites that are told together, so that a killed process loses no more than these."""

_ours = os.path.dirname(here) + "/"
_patches, _values = load("_prov_patches"), load("_prov_calls_values")

sites = {}
"""By place and callee: what is told of a site."""
spent = [0.0]
"""Seconds that looking at calls took."""
_reading = [0.0, ""]
"""Seconds that rewriting source took; the first file that was left as it is since it took long."""
_state = {"off": "", "full": False, "stop": None, "pid": 0, "began": 0.0}
_untold = []


def install():
    """Begin to look at calls."""
    _state["began"], _state["pid"] = time.perf_counter(), os.getpid()
    engine = "_prov_calls_monitor" if hasattr(sys, "monitoring") else "_prov_calls_rewrite"
    _state["stop"] = load(engine)["install"]()
    os.register_at_fork(after_in_child=_forked)


def _forked():
    """Tell, in a forked child, only what it sees itself; its budget begins anew."""
    del _untold[:]
    sites.clear()
    spent[0] = _reading[0] = 0.0
    _state["began"], _state["pid"] = time.perf_counter(), os.getpid()


def is_own(file):
    """Return whether code of this file name is the user's: a file, or a cell of a notebook."""
    if file[:1] == "<":
        return file.startswith("<ipython-input-")
    return not _patches["foreign"](file) and not file.startswith(_ours)


def site(place, called, receiver):
    """Return the entry of a call, a new one where it is its first; None where it is not kept.

    place: ``(file, line, column)``. called: what is called. receiver: the object whose method it
    is, `_values.NOTHING` where it is none.
    """
    names = _values["names"](called, receiver)
    if names is None:
        return None
    key = (place, names[0])
    found = sites.get(key)
    if found is None:
        if len(sites) >= MOST_SITES:
            _state["full"] = True
            return None
        found = sites[key] = {
            "where": "%s:%d" % (place[0], place[1]),
            "column": place[2],
            "callee": names[0],
            "times": 0,
        }
        if names[1] != names[0]:
            found["defined"] = names[1]
        if receiver is not _values["NOTHING"]:
            found["self"] = _values["described"](receiver)
            maker = _values["maker"](receiver)
            if maker:
                found["made"] = maker
        _untold.append(found)
    found["times"] += 1
    return found


def took(seconds):
    """Add what looking took; switch all off where that is too much."""
    spent[0] += seconds
    if spent[0] > ALLOWED_S and not _state["off"]:
        elapsed = time.perf_counter() - _state["began"]
        if spent[0] > ALLOWED_S + SHARE * elapsed:
            _state["off"] = "looking at calls took %.2f s of %.2f s" % (spent[0], elapsed)
            _state["stop"]()
    if len(_untold) >= 2 * _BATCH:
        _tell(_BATCH)


def may_read(file):
    """Return whether there is time to rewrite one more file; else it is told."""
    if _reading[0] <= READING_S:
        return True
    elapsed = time.perf_counter() - _state["began"]
    if _reading[0] <= READING_S + SHARE * elapsed:
        return True
    _reading[1] = _reading[1] or file
    return False


def read(seconds):
    """Add what rewriting a file took."""
    _reading[0] += seconds


def _tell(count):
    """Log the oldest sites, which are full by then or will hardly become so."""
    told = _untold[:count]
    del _untold[:count]
    if told:
        log("N", ("calls", {"sites": [dict(one) for one in told]}))


def leave():
    """Tell what is left, and the warnings that lines of the user's own were shown for."""
    if not _state["pid"] or not _state["began"]:
        return {}
    while _untold:
        _tell(_BATCH)
    more = {"warnings": _values["warned"](is_own), "seconds": round(spent[0] + _reading[0], 4)}
    more["elapsed"] = round(time.perf_counter() - _state["began"], 3)
    if _state["off"]:
        more["off"] = _state["off"]
    if _reading[1]:
        text = "no calls were looked at in %s and own files that were imported later"
        more["notes"] = [(text + ": reading took %.2f s") % (_reading[1], _reading[0])]
    if _state["full"]:
        more["full"] = MOST_SITES
    flags = _values["flags"]()
    if flags:
        more["flags"] = flags
    log("N", ("calls", more))
    return {}
