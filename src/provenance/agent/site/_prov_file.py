"""The hook's log files: memory-mapped, allocated beforehand, without an open descriptor.

Run by ``sitecustomize`` at its start.
"""

import os
import sys

_loaded = set(sys.modules)
from mmap import mmap  # noqa: E402  # what was loaded before must be known first

_keep = None
if sys.version_info < (3, 13):
    try:
        from _ctypes import Py_INCREF as _keep  # it keeps what it is given for ever
    except ImportError:
        pass
import atexit  # noqa: E402

# The program must not find modules loaded that it has not imported. Until 3.9 this one has to
# stay: a second import of it would forget what is registered with the first.
for _name in ("mmap", "_ctypes") + ("atexit",) * (sys.version_info >= (3, 10)):
    if _name not in _loaded:
        sys.modules.pop(_name, None)

at_exit = atexit.register


def is_prov():
    """Return whether this is ``prov`` itself, within another run: it observes for itself."""
    words = getattr(sys, "orig_argv", [])[1:3]
    return words == ["-m", "provenance"] or (bool(words) and words[0].endswith("/prov"))


def create(path, size):
    """Return a new file of ``size`` zeros as a map; raises OSError where the disk has no room."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    fd = os.open(path, flags, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(fd, 0, size)
        elif os.write(fd, b"\0" * size) != size:
            raise OSError("full")
        return _mapped(fd, size)
    finally:
        os.close(fd)


def _mapped(fd, size):
    """Map a file without keeping a descriptor: one that the program closes and reuses is a trap.

    Before 3.13 a map holds a copy of the descriptor, and closes that number when it is freed. So
    the copy is closed here, and the map is never freed.
    """
    if sys.version_info >= (3, 13):
        return mmap(fd, size, trackfd=False)
    copy = os.dup(fd)
    os.close(copy)
    fresh = mmap(fd, size)
    if _keep is not None:
        one, other = os.fstat(fd), os.fstat(copy)
        if (one.st_ino, one.st_dev) == (other.st_ino, other.st_dev):
            _keep(fresh)
            os.close(copy)
    return fresh
