"""Between fork and exec: what a sandboxed process gives up before it becomes the command."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from typing import Any, NoReturn

from provenance.executors import _landlock, _seccomp
from provenance.executors._landlock import Rule

NICENESS = 10
_DEATH_SIGNAL = 1  # prctl(2): PR_SET_PDEATHSIG
_CAPABILITY_VERSION = 0x20080522  # capget(2)
_KEPT_CAPABILITIES = 1 << 1
"""CAP_DAC_OVERRIDE alone: in a container everything may belong to others than root."""
_FRESH = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGPIPE", "SIGXFSZ", "SIGCHLD", "SIGUSR1")
_THREADS_EACH = 8
"""So many threads for each process that is allowed, before the kernel says no by itself."""

DEVICES = ("null", "zero", "full", "random", "urandom")
"""Of /dev nothing else is open, not even to read: the user's terminals are there."""
_GPU = ("nvidia", "kfd", "dxg", "accel", "neuron", "davinci", "hisi_hdc", "devmm_svm")
"""How the names of device nodes of accelerators begin: NVIDIA, AMD, WSL, Habana, AWS, Ascend."""


def become(spec: dict[str, Any], streams: tuple[int, int], guard: int) -> NoReturn:
    """Give up what ``spec`` says and become its command. Raises OSError where that fails.

    streams: descriptors for output and errors. guard: the process without which this one dies.
    """
    os.setpgid(0, 0)
    _die_with(guard)
    for name in _FRESH:
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    _redirect(streams)
    _limit(spec)
    os.chdir(spec["cwd"])
    if sys.platform == "linux":
        _confine(spec)
    os.execve(spec["program"], spec["argv"], spec["environ"])  # noqa: S606  # that is its task


def rules(spec: dict[str, Any]) -> list[Rule]:
    """Return what the command may do with files."""
    found = _landlock.readable([*spec["hidden"], "/dev"])
    found += [Rule(path, _landlock.READ) for path in spec["readable"]]
    whole = _landlock.everything(spec["abi"])
    found += [Rule(os.path.realpath(path), whole) for path in spec["writable"]]
    found += [Rule("/dev/" + name, _landlock.DEVICE) for name in DEVICES]
    found += [Rule(path, _landlock.DEVICE) for path in accelerators()]
    found += [Rule("/dev/shm", _landlock.SHARED)]  # noqa: S108  # what the C library uses
    return found


def accelerators() -> list[str]:
    """Return the device nodes of GPUs and the like."""
    try:
        names = os.listdir("/dev")
    except OSError:
        return []
    return ["/dev/" + name for name in names if name.startswith(_GPU) or name == "dri"]


def _confine(spec: dict[str, Any]) -> None:
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as stream:
        stream.write("1000")  # where memory runs out, this goes first
    _landlock.no_new_privileges()
    if spec["abi"]:
        _landlock.restrict(rules(spec), spec["abi"])
    if os.getuid() == 0:
        _drop_capabilities()
    if spec["filter"]:
        _seccomp.restrict(spec["abi"])


def _die_with(guard: int) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_DEATH_SIGNAL, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != guard:
        os._exit(1)


def _redirect(streams: tuple[int, int]) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(streams[0], 1)
    os.dup2(streams[1], 2)
    # the rest is closed by exec: Python's descriptors are not inherited


def _limit(spec: dict[str, Any]) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, spec["limit_bytes"])
    _lower(resource.RLIMIT_CPU, int(spec["limit_s"] * (os.cpu_count() or 1)) + 10)
    if os.getuid() != 0:  # for root it does not count
        _lower(resource.RLIMIT_NPROC, _tasks(os.getuid()) + _THREADS_EACH * spec["limit_processes"])
    os.nice(NICENESS)


def _tasks(uid: int) -> int:
    """Return how many threads of ``uid`` there are: what RLIMIT_NPROC counts."""
    found = 0
    for name in os.listdir("/proc") if sys.platform == "linux" else ():
        try:
            if name.isdigit() and os.stat("/proc/" + name).st_uid == uid:
                found += os.stat("/proc/%s/task" % name).st_nlink - 2
        except OSError:
            continue
    return found


def _lower(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (wanted, wanted))


def _drop_capabilities() -> None:
    """Keep of root's rights only the one to read what belongs to others."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    now = (ctypes.c_uint32 * 6)()
    if libc.capget(header, now) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    kept = now[1] & _KEPT_CAPABILITIES
    wanted = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)
    if libc.capset(header, wanted) != 0:
        raise OSError(ctypes.get_errno(), "capset")
