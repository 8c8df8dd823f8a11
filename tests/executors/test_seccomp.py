"""`executors._seccomp`: the filter itself, interpreted for each architecture and kernel."""

from __future__ import annotations

import errno
import os

import pytest

from provenance.executors import _seccomp

ALLOWED, UNKNOWN = 0x7FFF0000, 0x50000 | errno.ENOSYS
NUMBERS = {
    "x86_64": {"read": 0, "open": 2, "ioctl": 16, "socket": 41, "clone": 56, "kill": 62,
               "truncate": 76, "chmod": 90, "openat": 257, "prlimit64": 302,
               "setpriority": 141, "fork": 57, "execve": 59},
    "aarch64": {"read": 63, "ioctl": 29, "socket": 198, "clone": 220, "kill": 129,
                "truncate": 45, "fchmodat": 53, "openat": 56, "prlimit64": 261,
                "setpriority": 140, "execve": 221, "mmap": 222},
}  # fmt: skip


def answer(machine: str, abi: int, number: int, *words: int, audit: int | None = None) -> int:
    """Interpret the filter as the kernel would (Documentation/networking/filter.rst)."""
    data = {0: number, 4: _seccomp._MACHINES[machine].audit if audit is None else audit}
    data.update({16 + 8 * at: word & 0xFFFFFFFF for at, word in enumerate(words)})
    program = _seccomp.program(machine, abi)
    held, at = 0, 0
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        if code == 0x06:
            return value
        if code == 0x20:
            held = data.get(value, 0)
        elif code == 0x54:
            held &= value
        else:
            tests = {0x15: held == value, 0x45: bool(held & value), 0x25: held > value}
            at += if_true if tests[code] else if_false


def error(number: int) -> int:
    return 0x50000 | number


@pytest.mark.parametrize("abi", [0, 1, 3, 6, 9])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_what_is_answered(machine: str, abi: int) -> None:
    names = NUMBERS[machine]

    def ask(name: str, *words: int) -> int:
        return answer(machine, abi, names[name], *words)

    assert ask("read", 3) == ALLOWED
    assert ask("execve") == ALLOWED
    assert ask("socket", 1, 1) == ALLOWED
    for family in (0, 2, 10, 16, 17, 38, 40):
        assert ask("socket", family, 1) == error(errno.ENETUNREACH)
    assert ask("clone", 0x01200011) == ALLOWED
    assert ask("clone", 0x003D0F00) == ALLOWED  # a thread of the C library
    for flag in (0x20000, 0x10000000, 0x20000000, 0x40000000):
        assert ask("clone", flag | 17) == error(errno.EPERM)
    assert ask("ioctl", 3, 0x5401) == ALLOWED
    for wanted in (0x40086602, 0x40046602, 0x401C5820):
        assert ask("ioctl", 3, wanted) == error(errno.EPERM)
    assert ask("chmod" if machine == "x86_64" else "fchmodat") == error(0)
    assert (ask("prlimit64", 0), ask("prlimit64", 7)) == (ALLOWED, error(errno.EPERM))
    assert (ask("setpriority", 0, 0), ask("setpriority", 0, 7)) == (ALLOWED, error(0))
    assert answer(machine, abi, 470) == UNKNOWN
    assert answer(machine, abi, 0x40000000 | 41, 2) == UNKNOWN
    assert answer(machine, abi, 0, audit=0x40000003) == UNKNOWN  # 32 bits


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_what_older_kernels_need(machine: str) -> None:
    names = NUMBERS[machine]
    openat = names["openat"]
    flags = {
        os.O_RDONLY: ALLOWED,
        os.O_RDONLY | os.O_TRUNC: error(errno.EACCES),
        os.O_WRONLY | os.O_TRUNC: ALLOWED,  # Landlock refuses or allows it
        os.O_RDWR | os.O_TRUNC: ALLOWED,
    }
    for flag, expected in flags.items():
        assert answer(machine, 2, openat, 0, 0, flag) == expected
        assert answer(machine, 3, openat, 0, 0, flag) == ALLOWED
        if machine == "x86_64":
            assert answer(machine, 2, names["open"], 0, flag) == expected
    assert answer(machine, 2, names["truncate"]) == error(errno.EACCES)
    assert answer(machine, 3, names["truncate"]) == ALLOWED
    for pid, expected in {7: ALLOWED, -1: error(errno.EPERM), -7: error(errno.EPERM)}.items():
        assert answer(machine, 5, names["kill"], pid) == expected
        assert answer(machine, 6, names["kill"], pid) == ALLOWED


def test_no_number_is_named_twice_and_jumps_stay_inside() -> None:
    for machine in ("x86_64", "aarch64"):
        program = _seccomp.program(machine, 0)
        for at, (code, if_true, if_false, _) in enumerate(program):
            assert code in (0x06, 0x15, 0x20, 0x25, 0x45, 0x54)
            assert max(if_true, if_false) < 256
            assert code == 0x06 or at + 1 + max(if_true, if_false) < len(program)
        table = _seccomp._TABLE + _seccomp._WITHOUT_TRUNCATE + _seccomp._WITHOUT_SCOPES
        column = _seccomp._MACHINES[machine].column
        numbers = [(row[0], row[1])[column] for row in table]
        named = [number for number in numbers if number >= 0]
        assert len(named) == len(set(named))
