"""Starting a command under strace so that it cannot tell, but for being traced.

strace makes itself the command's *grandchild* (``-DDD``): the process that we start becomes the
command, so that its id, parent, group, session, terminal, exit status and death by a signal are its
own, and what is sent to its group does not reach strace. With ``--seccomp-bpf`` the kernel stops a
process only for the calls that are asked for. What remains visible: ``TracerPid`` and
``NoNewPrivs`` in /proc, so that programs that trace themselves (debuggers, the leak sanitizer) or
gain rights (sudo) fail. Where strace itself is killed, the kernel refuses the filtered calls.
"""

from __future__ import annotations

import os
import stat
import struct
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from provenance.core import programs

CALLS = (
    "?open,openat,?openat2,?creat,?rename,?renameat,renameat2,?link,linkat,?symlink,symlinkat,"
    "?unlink,unlinkat,truncate,execve,execveat,chdir,fchdir,clone,?clone3,?fork,?vfork"
)
"""System calls that are logged; with "?" those that not every architecture has."""
_OPTIONS = (
    "-DDD", "-I4", "-f", "--seccomp-bpf", "-q", "-z", "-y", "-ttt", "-s1024",
    "-e", "trace=" + CALLS, "-e", "signal=none",
)  # fmt: skip
_PROBE_S, _ATTACH_S, _GONE_S = 5.0, 0.5, 2.0
_DEPTH = 4
"""Scripts that are run by scripts: Linux follows at most five."""


class Tracer(NamedTuple):
    """strace. program: its file; log: where it is to write."""

    program: str
    log: str


def probe(environ: Mapping[str, str], log: str) -> tuple[Tracer | None, str]:
    """Return strace where it can be used, else None and why not. ``log``: may be written."""
    program = programs.find("strace", environ)
    if program is None:
        return None, "strace is not installed"
    true = programs.find("true", environ)
    if true is None:
        return None, "there is no program `true` to try strace on"
    import subprocess  # noqa: PLC0415  # only on this way: it takes long to import

    tracer = Tracer(program, log)
    try:
        done = subprocess.run(
            [program, *_words(tracer), true],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_PROBE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, "strace cannot be run: %s" % error
    said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
    found = _logged(log)
    if done.returncode != 0 or not found:
        return None, _refusal(said)
    return tracer, ""


def _logged(log: str) -> bool:
    """Return whether the log of the trial tells that a program was run, and remove it."""
    deadline = time.monotonic() + _GONE_S
    text = b""
    while b"+++" not in text and time.monotonic() < deadline:
        try:
            with open(log, "rb") as stream:
                text = stream.read()
        except OSError:
            return False
        if not text:
            time.sleep(0.002)
    try:
        os.unlink(log)
    except OSError:
        pass
    return b" execve(" in text


def _refusal(said: str) -> str:
    if "invalid option" in said or "unrecognized" in said or "invalid -" in said:
        return "this strace is too old: 5.4 or later is needed (%s)" % said
    if "not permitted" in said or "PTRACE" in said.upper():
        return "the system does not let one process trace another (%s)" % said
    return "strace did not work when tried (%s)" % (said or "it logged nothing")


def _words(tracer: Tracer) -> list[str]:
    return [*_OPTIONS, "-o", tracer.log, "--"]


def wrapped(tracer: Tracer, program: str, argv: Sequence[str], has_path: bool) -> list[str] | None:
    """Return the words that run ``argv`` under strace, None where it could not be started.

    program: the file that would be run; it counts from the working folder. has_path: whether
    strace, which looks for a name without a slash as a shell does, has a PATH to look in.
    """
    if not _starts(program, _DEPTH):
        return None
    words = list(argv) if has_path or "/" in argv[0] else [program, *argv[1:]]
    return ["strace", *_words(tracer), *words]


def _starts(program: str, depth: int) -> bool:
    """Return whether the kernel will run ``program``: else an error must be ours, not strace's."""
    try:
        if not stat.S_ISREG(os.stat(program).st_mode) or not os.access(program, os.X_OK):
            return False
        with open(program, "rb", buffering=0) as file:
            head = file.read(4096)
    except OSError:
        return False
    if head.startswith(b"#!"):
        words = head[2:].partition(b"\n")[0].split()
        return bool(words) and depth > 0 and _starts(os.fsdecode(words[0]), depth - 1)
    if head.startswith(b"\x7fELF"):
        loader = _loader(head)
        return loader is None or os.path.exists(loader)
    return False


def _loader(head: bytes) -> bytes | None:
    """Return the loader that a program names (PT_INTERP, elf(5)), None where it needs none.

    For 64-bit programs of this machine's byte order whose header table is at the front; others
    count as needing none.
    """
    if head[4:5] != b"\x02" or len(head) < 64:
        return None
    start, size, count = (
        struct.unpack_from("=Q", head, 32)[0],
        *struct.unpack_from("=HH", head, 54),
    )
    for at in range(start, start + size * count, max(size, 1)):
        if at + 56 > len(head):
            return None
        kind, _, offset = struct.unpack_from("=IIQ", head, at)
        length = struct.unpack_from("=Q", head, at + 32)[0]
        if kind == 3 and offset + length <= len(head):
            return head[offset : offset + length].rstrip(b"\0")
    return None


def tracer_of(pid: int) -> int:
    """Return the process that traces ``pid``, waiting until it does; 0 where none does."""
    deadline = time.monotonic() + _ATTACH_S
    while time.monotonic() < deadline:
        fields = _status(pid)
        found = int(fields.get(b"TracerPid", b"0"))
        if found or fields.get(b"State", b"Z")[:1] in b"ZX":
            return found
        time.sleep(0.001)
    return 0


def wait_for(tracer: int) -> None:
    """Wait until ``tracer`` has ended, for some seconds: others than the command may go on."""
    deadline = time.monotonic() + _GONE_S
    while tracer and time.monotonic() < deadline:
        fields = _status(tracer)
        if fields.get(b"State", b"Z")[:1] in b"ZX":
            return
        time.sleep(0.001)


def _status(pid: int) -> dict[bytes, bytes]:
    try:
        with open("/proc/%d/status" % pid, "rb", buffering=0) as file:
            rows = (line.partition(b":") for line in file.read().splitlines())
            return {name: value.strip() for name, _, value in rows}
    except OSError:
        return {}
