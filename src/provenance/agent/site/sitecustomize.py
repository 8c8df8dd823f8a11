"""The observing hook: runs first in every Python process of a recorded run.

Injected by PYTHONPATH. The package is not importable here, so this file and the ``_prov_*`` files
beside it stand alone; those are loaded only when they are needed. It parses on Python 2.7, is inert
below 3.7, and runs the ``sitecustomize`` that it shadows, of which it then leaves no trace.

What it sees goes to one memory-mapped log per process in ``$PROV_AGENT_DIR``: no system call per
event, no open descriptor that the program could close or reuse, nothing lost at ``kill -9``. The
blocks of a log are allocated before they are mapped, so that a full disk stops the hook and never
the program. A log is lines, zeros to the end; the first letter tells the kind (see `agent._log`).

State is in globals and the hook is flat because each audit event of any kind passes through it.
"""

import sys

_FIRST, _NEXT = 1 << 14, 1 << 18
"""Bytes of a process's first log file (most processes need no more) and of each further one."""
_LOG_LIMIT = 1 << 26
"""Bytes of log per process, after which it observes no more and says so."""
_FOLDER_LIMIT = 256
"""Distinct files read in one folder, after which only their number is kept."""
_PATH_LIMIT = 1 << 16
"""Paths remembered per process; after that each new folder is kept as one entry from the start."""


def _start():
    """Open the log, report the interpreter, install the hook. Inert where any of it fails."""
    global _os, _now, _folder, _here, _skip, _coding, _at, _unnamed, _writing, _limit
    import os

    folder = os.environ.get("PROV_AGENT_DIR", "")
    if folder[:1] != "/" or os.environ.get("PROV_HOOK") == "0":
        return
    import time

    _os, _now, _folder = os, time.time_ns, folder
    _here = os.path.dirname(__file__)
    _coding = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
    _writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    _unnamed = getattr(os, "O_TMPFILE", -1)
    if _coding[0] != "utf-8":
        _limit = 0
    _at = _stamp()
    _skip = _places()
    if _code("_prov_file")["is_prov"]() or not _renew(0):
        return
    _rare("P", dict(_code("_prov_report")["facts"](_here), **_code("_prov_process")["facts"]()))
    _code("_prov_file")["at_exit"](_leave)
    os.register_at_fork(after_in_child=_forked)
    for watcher, names in _code("_prov_watched")["WATCHED"].items():
        for name in names.split():
            _watchers.setdefault(name, []).append(watcher)
    for name in sorted(sys.modules.keys() & _watchers.keys()):
        _patch(name, sys.modules[name])
    sys.meta_path.insert(0, _Finder)
    if hasattr(sys, "addaudithook"):
        sys.addaudithook(_hook)
    else:
        _code("_prov_open")["install"](_hook, _event)
    if _exists(folder + "/calls"):
        _code("_prov_calls")["install"]()


def _stamp():
    """Return a name for this process that no other one of the run has."""
    return "%016x.%d" % (_now(), _os.getpid())


def _places():
    """Return the beginnings of paths that are not worth a line in the log."""
    places = [_folder + "/", _here + "/", "/proc/", "/sys/", "/dev/", "/etc/"]
    for prefix in {sys.prefix.rstrip("/"), sys.base_prefix.rstrip("/")}:
        places += [prefix + "/lib/", prefix + "/lib64/", prefix + "/bin/"]
    return tuple(places)


# --- the log -----------------------------------------------------------------------------------

_map = None
_used = _size = _total = _number = 0
_parent = ""
_loaded = {}
_watchers = {}


def _renew(need):
    """Begin another log file with room for ``need`` bytes; False where that cannot be."""
    global _map, _used, _size, _total, _number, _limit
    _map, _used, _size = None, 0, 0
    if len(_seen) > _PATH_LIMIT:
        _limit = 0
    if _total < 0:
        return False
    size = max(_NEXT if _number else _FIRST, (need + 1024) // 4096 * 4096 + 4096)
    full = _total + size > _LOG_LIMIT
    _total = -1 if full else _total + size
    path = "%s/%s.%d.log" % (_folder, _at, _number)
    try:
        fresh = _code("_prov_file")["create"](path, 4096 if full else size)
    except Exception:
        _total = -1
        raise
    head = (_at, _parent, _os.getpid(), _os.getppid(), _number, _now())
    line = ("H %s\n%s" % (ascii(head), "O log\n" if full else "")).encode()
    fresh[0 : len(line)] = line
    if full:
        return False
    _number += 1
    _map, _used, _size = fresh, len(line), size
    return True


def _put(line):
    global _used
    n = len(line)
    if _used + n >= _size and not _renew(n):
        return
    end = _used + n
    _map[_used:end] = line
    _used = end


def _rare(kind, value):
    """Log anything plain, with the time."""
    _put(("%s %x %s\n" % (kind, _now(), ascii(value))).encode())


def _forked():
    """Make a forked child begin a log of its own, at its first event."""
    global _at, _parent, _number, _used, _size, _total
    if _total >= 0:
        _parent, _at = _at, _stamp()
        _number = _used = _size = _total = 0


def _code(name):
    """Return the names of a file beside this one; from its bytecode cache where there is one."""
    found = _loaded.get(name)
    if found is None:
        loader = sys.modules["_frozen_importlib_external"].SourceFileLoader
        path = _here + "/" + name + ".py"
        found = {"__name__": name, "log": _rare, "load": _code}
        found.update(prefixes=_skip[2:], as_bytes=_whole, here=_here, opened=_hook)
        found.update(watchers=_watchers, seen=_seen)
        exec(loader(name, path).get_code(name), found)
        _loaded[name] = found
    return found


# --- events ------------------------------------------------------------------------------------

_seen, _written, _names, _folders = set(), set(), set(), {}
_limit = _FOLDER_LIMIT
_cwd = ""
_moved = False
_first_on_path = None
_paths = 0


def _hook(event, args):
    """Take note of one audit event. What it does not expect to fail is not caught: see _ours."""
    global _used
    if event != "open":
        if event in _EVENTS:
            try:
                _event(event, args)
            except Exception as error:
                if not _ours(error):
                    raise
        return
    try:
        path, _, flags = args
        if path.__class__ is not str:
            path = _text(path)
            if path is None:
                return
        if flags & _writing:
            _wrote(path, flags)
            return
        if path[:1] != "/":
            path = _cwd + path if _cwd else _absolute(path)
        if path in _seen:
            return
        folder = path[: path.rfind("/")]
        count = _folders.get(folder, 0) + 1
        if count == 1 and path.startswith(_skip) and "data" not in path:
            return
        if count > _limit or "\n" in path:
            _odd(folder, count, path)
            return
        try:
            line = ("R " + path + "\n").encode()
        except UnicodeEncodeError:
            _odd(folder, count, path)
            return
        _folders[folder] = count
        _seen.add(path)
        n = len(line)
        if _used + n >= _size and not _renew(n):
            return
        end = _used + n
        _map[_used:end] = line
        _used = end
    except Exception as error:
        if not _ours(error):
            raise


def _ours(error):
    """Return whether ``error`` arose in this file, not in a signal handler that interrupted it."""
    trace = error.__traceback__
    while trace is not None:
        names = trace.tb_frame.f_globals
        if names is not globals() and names.get("log") is not _rare:
            name = names.get("__name__", "")
            plain = name in ("os", "posixpath", "pathlib", "_collections_abc")
            if not plain and "importlib" not in name:
                return False
        trace = trace.tb_next
    return True


def _text(path):
    """Return a path given as bytes or a path object as text, None for a descriptor."""
    if path.__class__ is int or path is None:
        return None
    path = _os.fspath(path)
    return path.decode(*_coding) if isinstance(path, bytes) else str(path)


def _absolute(path):
    global _cwd
    if path[:1] == "/":
        return path
    if _cwd:
        return _cwd + path
    here = _os.getcwd().rstrip("/") + "/"
    if not _moved:
        _cwd = here
    return here + path


def _whole(path):
    """Return ``path`` absolute and as bytes; None for a descriptor."""
    path = _text(path)
    return None if path is None else _absolute(path).encode(*_coding)


def _odd(folder, count, path):
    """Take note of a read that is not simply listed: too many, or an odd name."""
    if folder not in _folders and len(_folders) > _PATH_LIMIT:
        if "" not in _folders:
            _folders[""] = 0
            _rare("O", "folders")
        return
    _folders[folder] = count
    if count <= _FOLDER_LIMIT and len(_seen) <= _PATH_LIMIT:
        _seen.add(path)
        _rare("r", path.encode(*_coding))
    elif count == _FOLDER_LIMIT + 1 or not count & (count - 1):
        _rare("D", (folder.encode(*_coding), count))


def _wrote(path, flags):
    """Take note that a file is opened for writing, or for both."""
    if flags & _unnamed == _unnamed or ".pyc" in path or path.startswith(_skip):
        return
    path = _absolute(path)
    fresh = flags & (_os.O_TRUNC | _os.O_EXCL | _os.O_APPEND) or not flags & _os.O_RDWR
    kind = "W" if fresh or (flags & _os.O_CREAT and not _exists(path)) else "U"
    if (path, kind) in _written:
        return
    if len(_written) > _PATH_LIMIT:
        _written.clear()
    _written.add((path, kind))
    if path in _seen and not _exists(path):
        _rare("F", path.encode(*_coding))
    _rare(kind, path.encode(*_coding))


def _exists(path):
    try:
        _os.stat(path)
    except (OSError, ValueError):
        return False
    return True


def _event(event, args):
    """Take note of what is not an open."""
    global _cwd, _first_on_path, _moved, _paths
    if event == "import":
        name, path = args[0], args[2]
        if "." not in name and name not in _names and len(_names) < _PATH_LIMIT:
            _names.add(name)
            _put(("I %s\n" % name).encode("utf-8", "replace"))
        if path and path[0] != _first_on_path and _paths < 20:
            _first_on_path = path[0]
            _paths += 1
            _rare("Y", [entry for entry in path if entry.__class__ is str][:200])
    elif event == "os.chdir":
        _moved, _cwd = True, ""  # told before it happens, so that from now on it is asked for
    else:
        _code("_prov_events")["event"](event, args)


_EVENTS = frozenset(
    (
        "import os.chdir os.rename os.remove os.truncate os.link os.symlink shutil.rmtree "
        "sqlite3.connect subprocess.Popen os.system os.posix_spawn os.exec"
    ).split()
)


# --- imports and the end -----------------------------------------------------------------------


class _Finder(object):
    """Sees to it that a module of `_prov_watched` is patched once it has been run.

    Finds nothing itself but ``provenance``, the SDK, where nobody else has a module of that name.
    """

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in _watchers:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec = None if finder is _Finder or find is None else find(name, path, target)
            if spec is not None:
                _code("_prov_patches")["watch"](spec.loader, name)
                return spec
        return _code("_prov_supply")["spec"]() if name == "provenance" else None

    @staticmethod
    def mapped(path, size):
        """Return a new memory-mapped file: the SDK writes as the hook does."""
        return _code("_prov_file")["create"](path, size)


def _patch(name, module):
    try:
        _code("_prov_patches")["patch"](name, module)
    except Exception as error:
        if not _ours(error):
            raise


def _leave():
    """Report, last of all that is done at exit, what can be known only then."""
    try:
        for folder, count in _folders.items():
            if count > _FOLDER_LIMIT or len(_seen) > _PATH_LIMIT:
                _rare("D", (folder.encode(*_coding), count))
        more = {}
        _ended(lambda: _code("_prov_main")["leave"]())  # noqa: PLW0108  # finding it may fail, too
        for name in sorted(_loaded):
            if "leave" in _loaded[name]:
                more.update(_ended(_loaded[name]["leave"]) or {})
        _rare("E", dict(_code("_prov_report")["report"](), **more))
    except Exception as error:
        if not _ours(error):
            raise


def _ended(leave):
    """Return what a file beside this one adds to the report; nothing where it fails."""
    try:
        return leave()
    except Exception as error:
        if not _ours(error):
            raise


if __name__ == "sitecustomize":
    if sys.version_info >= (3, 7):
        try:
            _start()
        except Exception:
            pass
    _own = sys.modules.pop("sitecustomize", None)
    _place = __file__.rpartition("/")[0]
    sys.path[:] = [entry for entry in sys.path if entry != _place]
    sys.path_importer_cache.pop(_place, None)
    # The one that we shadow; where there is none, this fails just as it would without us.
    __import__("sitecustomize")
