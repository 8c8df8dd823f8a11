"""Run by a target interpreter: tells on its standard output what it is, as JSON after a mark.

Stands alone, needs only the standard library, and parses on Python 2.7. The names are those that
the hook reports at the start of a process.
"""

import json
import os
import sys

MARK = "prov-inventory-1 "


def facts():
    # type: () -> dict[str, object]
    """Return what this interpreter says of itself, as plain values."""
    return {
        "executable": sys.executable,
        "version": sys.version,
        "implementation": sys.implementation.name,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "path": _path(),
        "flags": repr(sys.flags),
        "options": dict(sys._xoptions),
        "suffix": _suffix(),
        "platform": sys.platform,
        "multiarch": getattr(sys.implementation, "_multiarch", ""),
        "tag": sys.implementation.cache_tag,
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "cwd": os.getcwd(),
    }


def _path():
    # type: () -> list[str]
    """Return sys.path as a script in the working folder would see it, in place of this one."""
    path = [entry for entry in sys.path if isinstance(entry, str)]
    here = os.path.dirname(os.path.abspath(__file__))
    if path and os.path.abspath(path[0]) == here:
        path[0] = os.getcwd()
    return path


def _suffix():
    # type: () -> str
    import importlib.machinery

    return (importlib.machinery.EXTENSION_SUFFIXES or [""])[0]


if __name__ == "__main__":
    found = facts() if sys.version_info >= (3, 6) else {"version": sys.version}
    sys.stdout.write("\n" + MARK + json.dumps(found) + "\n")
    sys.stdout.flush()
