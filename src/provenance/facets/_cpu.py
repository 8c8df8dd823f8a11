"""Processor, memory and the limits set on them, from the kernel's own files."""

from __future__ import annotations

import os
from typing import Dict, List, NamedTuple, Optional, Tuple

NUMERIC_FLAGS = frozenset(
    (
        "sse4_2 avx avx2 fma f16c avx512f avx512dq avx512bw avx512vl avx512cd avx512_vnni "
        "avx512_bf16 avx512_fp16 avx_vnni amx_tile amx_bf16 amx_int8 amx_fp16 "
        "asimd asimdhp asimddp sve sve2 bf16 i8mm svebf16 svei8mm"
    ).split()
)
"""Instruction sets by which numerical libraries choose their kernels, as Linux names them."""

_NO_LIMIT = 1 << 60


class Cpu(NamedTuple):
    """The processors.

    model: as the maker calls it. flags: of `NUMERIC_FLAGS`, those there are. logical: threads the
    system has. physical: cores, None where not told. available: threads this command may run on.
    quota: processors' worth of time the control group allows, None for no limit. affinity: which
    threads those available are ("0-3,8"), "" for all. sockets and numa_nodes: how many, 0 where not
    told. smt: whether cores run several threads each, None where not told. governor: by what the
    kernel chooses the clock ("performance"; several with commas), "" where not told.
    """

    model: str = ""
    flags: Tuple[str, ...] = ()
    logical: int = 0
    physical: Optional[int] = None
    available: int = 0
    quota: Optional[float] = None
    affinity: str = ""
    sockets: int = 0
    numa_nodes: int = 0
    smt: Optional[bool] = None
    governor: str = ""


class Memory(NamedTuple):
    """Main memory in bytes: what there is, what swap there is, and the control group's limit."""

    total: int = 0
    swap: int = 0
    limit: Optional[int] = None


def cpu(root: str = "/") -> Cpu:
    """Return the processors; ``root`` is where ``proc`` and ``sys`` are."""
    blocks = _cpuinfo(_text(root, "proc/cpuinfo"))
    first = blocks[0] if blocks else {}
    model = first.get("model name") or first.get("Model") or first.get("cpu model") or ""
    have = (first.get("flags") or first.get("Features") or "").split()
    logical = len([b for b in blocks if "processor" in b]) or os.cpu_count() or 0
    physical = _physical(blocks) or _integer(_sysctl("hw.physicalcpu"))
    return Cpu(
        model or _sysctl("machdep.cpu.brand_string"),
        tuple(sorted(NUMERIC_FLAGS.intersection(have))),
        logical,
        physical,
        _available(logical),
        _quota(root),
        _affinity(logical),
        len({b["physical id"] for b in blocks if "physical id" in b}),
        len(_matching(root, "sys/devices/system/node", "node")),
        _smt(root, physical, logical),
        _governor(root),
    )


def memory(root: str = "/") -> Memory:
    """Return main memory and its limit."""
    found = {}
    for line in _text(root, "proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            found[name] = int(words[0]) * 1024
    total = found.get("MemTotal", 0) or _integer(_sysctl("hw.memsize")) or 0
    return Memory(total, found.get("SwapTotal", 0), _memory_limit(root))


def _cpuinfo(text: str) -> List[Dict[str, str]]:
    blocks = []
    for paragraph in text.split("\n\n"):
        pairs = [line.partition(":") for line in paragraph.splitlines() if ":" in line]
        if pairs:
            blocks.append({name.strip(): value.strip() for name, _, value in pairs})
    return blocks


def _physical(blocks: List[Dict[str, str]]) -> Optional[int]:
    """Return the number of cores: distinct pairs of socket and core."""
    cores = {(b.get("physical id"), b["core id"]) for b in blocks if "core id" in b}
    return len(cores) or None


def _available(logical: int) -> int:
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return logical


def _affinity(logical: int) -> str:
    """Return the numbers of the threads that may be used, "" where those are all there are."""
    try:
        free = sorted(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return ""
    if len(free) >= logical:
        return ""
    spans: List[List[int]] = []
    for number in free:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join("%d-%d" % (a, b) if b > a else "%d" % a for a, b in spans)


def _smt(root: str, physical: Optional[int], logical: int) -> Optional[bool]:
    told = _text(root, "sys/devices/system/cpu/smt/active").strip()
    if told in ("0", "1"):
        return told == "1"
    return logical > physical if physical else None


def _governor(root: str) -> str:
    folder = "sys/devices/system/cpu/cpufreq"
    found = {
        _text(root, "%s/%s/scaling_governor" % (folder, name)).strip()
        for name in _matching(root, folder, "policy")
    }
    return ",".join(sorted(found - {""}))


def _matching(root: str, folder: str, start: str) -> List[str]:
    """Return the names in ``folder`` that are ``start`` and a number."""
    try:
        names = os.listdir(os.path.join(root, folder))
    except OSError:
        return []
    return [n for n in names if n.startswith(start) and n[len(start) :].isdigit()]


def _groups(root: str, controller: str) -> List[str]:
    """Return the folders of this process's control group and those above it, innermost first.

    Inside a container the path that ``/proc`` tells may not exist; the mount's top then stands for
    it.
    """
    places = []
    for line in _text(root, "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            places.append(("sys/fs/cgroup", path))
        elif controller in controllers.split(","):
            places.append(("sys/fs/cgroup/" + controller, path))
    folders = []
    for mount, path in places:
        parts = [p for p in path.split("/") if p and p != ".."]
        folders += ["/".join([mount, *parts[:n]]) for n in range(len(parts), -1, -1)]
    return folders


def _quota(root: str) -> Optional[float]:
    """Return the least number of processors' time that a control group allows."""
    found = []
    for folder in _groups(root, "cpu"):
        words = _text(root, folder + "/cpu.max").split()
        if len(words) == 2 and words[0].isdigit():
            found.append(int(words[0]) / float(words[1]))
        old = _integer(_text(root, folder + "/cpu.cfs_quota_us"))
        period = _integer(_text(root, folder + "/cpu.cfs_period_us"))
        if old is not None and old > 0 and period:
            found.append(old / float(period))
    return round(min(found), 3) if found else None


def _memory_limit(root: str) -> Optional[int]:
    found = []
    for folder in _groups(root, "memory"):
        for name in ("/memory.max", "/memory.limit_in_bytes"):
            value = _integer(_text(root, folder + name))
            if value is not None and 0 < value < _NO_LIMIT:
                found.append(value)
    return min(found) if found else None


def _integer(text: str) -> Optional[int]:
    try:
        return int(text)
    except ValueError:
        return None


def _text(root: str, name: str) -> str:
    try:
        with open(os.path.join(root, name), encoding="utf-8", errors="replace") as stream:
            return stream.read(4 << 20)
    except OSError:
        return ""


def _sysctl(name: str) -> str:
    """Return what macOS says of ``name``, "" on every other system."""
    import sys

    platform: str = sys.platform
    if platform != "darwin":
        return ""
    import subprocess

    try:
        said = subprocess.run(
            ["/usr/sbin/sysctl", "-n", name],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.stdout.decode("utf-8", "replace").strip()
