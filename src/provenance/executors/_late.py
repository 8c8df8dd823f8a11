"""Output that comes after the command has ended, of processes that it left in the background.

They still hold our pipe or terminal. Closing it would kill them; waiting for them would keep the
user waiting who, without us, would have the prompt back. So a small process of its own takes over
and copies until the last of them is gone. It outlives signals to the group, as it is not the one
that is meant.
"""

from __future__ import annotations

import os
import signal
import sys

from provenance.executors._relay import Leftover

_HELPER = """# prov: hands on late output
import os, select
if os.fork():
    os._exit(0)
try:
    os.setsid()
    os.chdir("/")
except OSError:
    pass
os.closerange(4, max(os.sysconf("SC_OPEN_MAX"), 1024))
def put(data):
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(1, view):]
        except BlockingIOError:
            select.select([], [1], [])
def copy(fd):
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(1, 0)
    while True:
        if dict(poll.poll()).get(1):
            return
        data = os.read(fd, 65536)
        if not data:
            return
        put(data)
try:
    copy(3)
    os.close(3)
    copy(0)
except OSError:
    pass
"""


def hand_over(leftover: Leftover) -> str:
    """Let a process of its own carry on with ``leftover``, and close our end of it.

    Return a sentence on what went wrong, empty where nothing did.
    """
    source, sink, pending = leftover
    ours, theirs = os.pipe()
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", "-c", _HELPER],
            dict(os.environ),  # LD_LIBRARY_PATH may be needed to start at all
            file_actions=[
                (os.POSIX_SPAWN_DUP2, source, 0),
                (os.POSIX_SPAWN_DUP2, sink, 1),
                (os.POSIX_SPAWN_DUP2, ours, 3),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setsigmask=signal.valid_signals(),
        )
        os.close(ours)
        ours = -1
        view = memoryview(pending)
        while view:
            view = view[os.write(theirs, view) :]
        os.close(theirs)
        theirs = -1
        os.waitpid(pid, 0)
    except OSError as error:
        return "the output of processes left in the background was cut off: %s" % error
    finally:
        for fd in (source, ours, theirs):
            if fd >= 0:
                os.close(fd)
    return ""
