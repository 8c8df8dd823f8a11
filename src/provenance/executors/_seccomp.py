"""A filter of system calls, by seccomp(2): no network, and what Landlock leaves open.

Landlock does not restrict changes of a file's mode, times, owner and attributes, nor sockets other
than TCP, nor System V memory. The filter answers such calls itself. A change of mode or times is
answered with success and not done, as programs that copy files cannot go on otherwise.

Numbers of calls: the kernel's arch/x86/entry/syscalls/syscall_64.tbl and, for aarch64,
include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Callable
from typing import NamedTuple

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _AND = 0x20, 0x54
_EQUAL, _ANY_BIT, _GREATER = 0x15, 0x45, 0x25
_RETURN = 0x06
_SET_SECCOMP, _FILTER = 22, 2  # prctl(2)
_NUMBER, _ARCH, _WORDS = 0, 4, 16  # offsets in struct seccomp_data
_NEWEST = 469
"""file_setattr, the newest call that is known here; newer ones are answered as unknown."""
_UNIX = 1
_NAMESPACES = 0x7E020000
"""The flags of clone(2) that make a namespace, in which a process would be its own root."""
_ATTRIBUTES = (0x40086602, 0x40046602, 0x401C5820)
"""ioctl FS_IOC_SETFLAGS, FS_IOC32_SETFLAGS and FS_IOC_FSSETXATTR: as `chattr` does."""

Instruction = tuple[int, int, int, int]
Block = Callable[[int], list[Instruction]]
"""Given what is to be answered, the instructions for one call; the number is known to match."""
Row = tuple[int, int, int, Block]


class Machine(NamedTuple):
    """An architecture: its number in audit.h, and the column of `_TABLE`."""

    audit: int
    column: int


_MACHINES = {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}


def _always(answer: int) -> list[Instruction]:
    return [(_RETURN, 0, 0, answer)]


def _unless_first_is(value: int) -> Block:
    def block(answer: int) -> list[Instruction]:
        return [_word(0), (_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW), *_always(answer)]

    return block


def _if_bits(word: int, bits: int) -> Block:
    def block(answer: int) -> list[Instruction]:
        return [_word(word), (_ANY_BIT, 0, 1, bits), *_always(answer), (_RETURN, 0, 0, _ALLOW)]

    return block


def _if_second_in(values: tuple[int, ...]) -> Block:
    def block(answer: int) -> list[Instruction]:
        left = len(values)
        tests = [(_EQUAL, left - at, 0, value) for at, value in enumerate(values)]
        return [_word(1), *tests, (_RETURN, 0, 0, _ALLOW), *_always(answer)]

    return block


def _unless_second_is(value: int) -> Block:
    def block(answer: int) -> list[Instruction]:
        return [_word(1), (_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW), *_always(answer)]

    return block


def _if_truncating_reader(word: int) -> Block:
    """``open`` for reading that empties the file all the same."""

    def block(answer: int) -> list[Instruction]:
        return [
            _word(word),
            (_ANY_BIT, 0, 2, os.O_TRUNC),
            (_AND, 0, 0, os.O_ACCMODE),
            (_EQUAL, 1, 0, os.O_RDONLY),
            (_RETURN, 0, 0, _ALLOW),
            *_always(answer),
        ]

    return block


def _word(index: int) -> Instruction:
    return (_LOAD, 0, 0, _WORDS + 8 * index)


_DONE = 0
_TABLE: tuple[Row, ...] = (
    # x86_64, aarch64 (-1: no such call), the error to answer with, when
    (41, 198, errno.ENETUNREACH, _unless_first_is(_UNIX)),  # socket
    (53, 199, errno.ENETUNREACH, _unless_first_is(_UNIX)),  # socketpair
    (90, -1, _DONE, _always),  # chmod
    (91, 52, _DONE, _always),  # fchmod
    (268, 53, _DONE, _always),  # fchmodat
    (452, 452, _DONE, _always),  # fchmodat2
    (132, -1, _DONE, _always),  # utime
    (235, -1, _DONE, _always),  # utimes
    (261, -1, _DONE, _always),  # futimesat
    (280, 88, _DONE, _always),  # utimensat
    (92, -1, errno.EPERM, _always),  # chown
    (93, 55, errno.EPERM, _always),  # fchown
    (94, -1, errno.EPERM, _always),  # lchown
    (260, 54, errno.EPERM, _always),  # fchownat
    (188, 5, errno.EOPNOTSUPP, _always),  # setxattr
    (189, 6, errno.EOPNOTSUPP, _always),  # lsetxattr
    (190, 7, errno.EOPNOTSUPP, _always),  # fsetxattr
    (197, 14, errno.EOPNOTSUPP, _always),  # removexattr
    (198, 15, errno.EOPNOTSUPP, _always),  # lremovexattr
    (199, 16, errno.EOPNOTSUPP, _always),  # fremovexattr
    (463, 463, errno.EOPNOTSUPP, _always),  # setxattrat
    (466, 466, errno.EOPNOTSUPP, _always),  # removexattrat
    (469, 469, errno.EOPNOTSUPP, _always),  # file_setattr
    (16, 29, errno.EPERM, _if_second_in(_ATTRIBUTES)),  # ioctl
    (112, 157, _DONE, _always),  # setsid: all stay in one group, which is killed at the end
    (109, 154, _DONE, _always),  # setpgid
    (56, 220, errno.EPERM, _if_bits(0, _NAMESPACES)),  # clone
    (435, 435, errno.ENOSYS, _always),  # clone3, whose flags a filter cannot see
    (272, 97, errno.EPERM, _always),  # unshare
    (308, 268, errno.EPERM, _always),  # setns
    (101, 117, errno.EPERM, _always),  # ptrace
    (250, 219, errno.EPERM, _always),  # keyctl
    (248, 217, errno.EPERM, _always),  # add_key
    (249, 218, errno.EPERM, _always),  # request_key
    (321, 280, errno.EPERM, _always),  # bpf
    (298, 241, errno.EPERM, _always),  # perf_event_open
    (323, 282, errno.EPERM, _always),  # userfaultfd
    (425, 425, errno.ENOSYS, _always),  # io_uring_setup, which a filter cannot see into
    (426, 426, errno.ENOSYS, _always),  # io_uring_enter
    (427, 427, errno.ENOSYS, _always),  # io_uring_register
    (304, 265, errno.EPERM, _always),  # open_by_handle_at
    (29, 194, errno.ENOSYS, _always),  # shmget
    (30, 196, errno.ENOSYS, _always),  # shmat
    (31, 195, errno.ENOSYS, _always),  # shmctl
    (64, 190, errno.ENOSYS, _always),  # semget
    (65, 193, errno.ENOSYS, _always),  # semop
    (66, 191, errno.ENOSYS, _always),  # semctl
    (220, 192, errno.ENOSYS, _always),  # semtimedop
    (68, 186, errno.ENOSYS, _always),  # msgget
    (69, 189, errno.ENOSYS, _always),  # msgsnd
    (70, 188, errno.ENOSYS, _always),  # msgrcv
    (71, 187, errno.ENOSYS, _always),  # msgctl
    (240, 180, errno.ENOSYS, _always),  # mq_open
    (241, 181, errno.ENOSYS, _always),  # mq_unlink
    (302, 261, errno.EPERM, _unless_first_is(0)),  # prlimit64 of another process
    (141, 140, _DONE, _unless_second_is(0)),  # setpriority of another process
    (203, 122, _DONE, _unless_first_is(0)),  # sched_setaffinity
    (144, 119, _DONE, _unless_first_is(0)),  # sched_setscheduler
    (142, 118, _DONE, _unless_first_is(0)),  # sched_setparam
    (314, 274, _DONE, _unless_first_is(0)),  # sched_setattr
    (251, 30, _DONE, _unless_second_is(0)),  # ioprio_set
    (179, 60, errno.EPERM, _always),  # quotactl
    (300, 262, errno.EPERM, _always),  # fanotify_init
)
_WITHOUT_TRUNCATE: tuple[Row, ...] = (
    # until ABI 3 Landlock lets every file be emptied
    (76, 45, errno.EACCES, _always),  # truncate
    (2, -1, errno.EACCES, _if_truncating_reader(1)),  # open
    (257, 56, errno.EACCES, _if_truncating_reader(2)),  # openat
    (437, 437, errno.ENOSYS, _always),  # openat2, whose flags a filter cannot see
)
_WITHOUT_SCOPES: tuple[Row, ...] = (
    (62, 129, errno.EPERM, _if_bits(0, 0x80000000)),  # kill of a group, or of all (-1)
)


def reason() -> str:
    """Return why calls cannot be filtered here, "" where they can."""
    if sys.platform != "linux":
        return "%s has no seccomp" % sys.platform
    if platform.machine() not in _MACHINES:
        return "no filter of system calls is known for %s" % platform.machine()
    libc = ctypes.CDLL(None, use_errno=True)
    # without a filter given it says EFAULT where filters are there: seccomp(2)
    libc.prctl(_SET_SECCOMP, ctypes.c_ulong(_FILTER), None)
    number = ctypes.get_errno()
    return "" if number == errno.EFAULT else "seccomp filters: %s" % os.strerror(number)


def program(machine: str, abi: int) -> list[Instruction]:
    """Return the filter for ``machine`` beside Landlock of version ``abi``; 0: without Landlock."""
    audit, column = _MACHINES[machine]
    table = _TABLE
    if abi < 3:
        table += _WITHOUT_TRUNCATE
    if abi < 6:
        table += _WITHOUT_SCOPES
    unknown = _ERRNO | errno.ENOSYS
    made: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, audit),
        (_RETURN, 0, 0, unknown),
        (_LOAD, 0, 0, _NUMBER),
        (_GREATER, 0, 1, _NEWEST),  # those of x32 among them, whose numbers are far above
        (_RETURN, 0, 0, unknown),
    ]
    for row in table:
        number = row[0] if column == 0 else row[1]
        if number >= 0:
            block = row[3](_ERRNO | row[2])
            made += [(_EQUAL, 0, len(block), number), *block]
    return [*made, (_RETURN, 0, 0, _ALLOW)]


def restrict(abi: int) -> None:
    """Filter the calls of this process and of all that come from it, for good.

    ``no_new_privileges`` must have been set. Raises OSError.
    """
    made = program(platform.machine(), abi)
    raw = b"".join(struct.pack("=HBBI", *one) for one in made)
    kept = ctypes.create_string_buffer(raw, len(raw))
    filters = ctypes.create_string_buffer(struct.pack("@HP", len(made), ctypes.addressof(kept)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_SECCOMP, ctypes.c_ulong(_FILTER), filters) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECCOMP)")
