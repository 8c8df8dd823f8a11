"""Graphics processors, asked for in ways that fail apart from each other.

The kernel driver's own files come first: they need no program and answer even when a card is ill.
Then ``nvidia-smi``: all cards at once, and where that fails one card at a time, so that one bad
card does not cost the others' answers. Every call has a time limit; nothing is ever printed.
"""

from __future__ import annotations

import os
import re
from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

from provenance.core import programs

SECONDS = 5.0
"""Time limit of one call of nvidia-smi: it may hang for ever on a card that fell off the bus."""

_QUERY = ("pci.bus_id", "name", "uuid", "memory.total", "compute_cap", "mig.mode.current")
_SMI_OLD = ("pci.bus_id", "name", "uuid", "memory.total")
_FAILED = ("[N/A]", "[Not Supported]", "[Unknown Error]", "[GPU requires reset]", "[Not Found]")


class Gpu(NamedTuple):
    """One card.

    name: its model. bus: its PCI address. memory: bytes. capability: CUDA's, "8.0". mig: whether it
    is cut into instances. how: who told.
    """

    vendor: str
    name: str = ""
    bus: str = ""
    uuid: str = ""
    memory: int = 0
    capability: str = ""
    mig: bool = False
    how: Tuple[str, ...] = ()


class Graphics(NamedTuple):
    """All cards and what drives them.

    driver: version of the kernel driver. cuda_driver: the newest CUDA that the driver can serve, as
    nvidia-smi shows it; neither the toolkit's version nor the one that a framework was built with.
    """

    gpus: Tuple[Gpu, ...] = ()
    driver: str = ""
    cuda_driver: str = ""
    notes: Tuple[str, ...] = ()


def look(environ: Mapping[str, str], root: str = "/") -> Graphics:
    """Return the cards of this machine; ``root`` is where ``proc`` and ``sys`` are."""
    cards = {gpu.bus: gpu for gpu in _nvidia_files(root)}
    driver = _driver(root)
    notes: List[str] = []
    cuda = ""
    program = _program(environ)
    if program:
        told = _by_smi(program, environ, sorted(cards), notes)
        if not (cards or told or driver):
            notes.clear()  # the program is part of many images; here it has nothing to serve
        for bus, gpu in told.items():
            known = cards.get(bus, Gpu("nvidia"))
            cards[bus] = gpu._replace(
                name=gpu.name or known.name,
                uuid=gpu.uuid or known.uuid,
                how=known.how + gpu.how,
            )
        smi_driver, cuda = _versions(program, environ, notes) if cards else ("", "")
        driver = driver or smi_driver
    elif cards:
        notes.append("GPU: nvidia-smi is not on PATH; memory and CUDA version are not known")
    found = [cards[bus] for bus in sorted(cards)] + _amd(root)
    return Graphics(tuple(found), driver or _amd_driver(root, found), cuda, tuple(notes))


def _nvidia_files(root: str) -> List[Gpu]:
    folder = os.path.join(root, "proc/driver/nvidia/gpus")
    found = []
    for bus in _names(folder):
        fields = _fields(_text(os.path.join(folder, bus, "information")))
        uuid = fields.get("GPU UUID", "")
        uuid = "" if "?" in uuid else uuid
        name = fields.get("Model", "")
        found.append(Gpu("nvidia", name, _bus(bus), uuid, how=("/proc/driver/nvidia",)))
    return found


def _driver(root: str) -> str:
    text = _text(os.path.join(root, "proc/driver/nvidia/version"))
    match = re.search(r"NVRM version:.*?(\d+\.\d+(?:\.\d+)?)", text)
    return match.group(1) if match else ""


def _by_smi(
    program: str, environ: Mapping[str, str], buses: List[str], notes: List[str]
) -> Dict[str, Gpu]:
    """Return what nvidia-smi tells, by bus; asks card by card where the joint question fails."""
    rows, problem = _query(program, environ, ())
    if problem and buses:
        for bus in buses:
            some, trouble = _query(program, environ, ("-i", bus))
            rows += some
            if trouble:
                notes.append("GPU %s: nvidia-smi %s" % (bus, trouble))
    elif problem:
        notes.append("GPU: nvidia-smi %s" % problem)
    return {gpu.bus: gpu for gpu in rows}


def _query(
    program: str, environ: Mapping[str, str], which: Tuple[str, ...]
) -> Tuple[List[Gpu], str]:
    """Return the cards that one call told of, and what went wrong, "" for nothing."""
    problem = ""
    for fields in (_QUERY, _SMI_OLD):
        words = [program, *which, "--query-gpu=" + ",".join(fields)]
        text, problem = _run([*words, "--format=csv,noheader,nounits"], environ)
        rows = [_row(fields, line) for line in text.splitlines() if line.count(",") >= 3]
        if rows:
            return rows, problem
        if not problem or "in time" in problem:
            break
    return [], problem


def _row(fields: Tuple[str, ...], line: str) -> Gpu:
    values = [part.strip() for part in line.split(",")]
    told = {f: v for f, v in zip(fields, values) if v not in _FAILED}
    mebibytes = told.get("memory.total", "")
    return Gpu(
        "nvidia",
        told.get("name", ""),
        _bus(told.get("pci.bus_id", "")),
        told.get("uuid", ""),
        int(mebibytes) << 20 if mebibytes.isdigit() else 0,
        told.get("compute_cap", ""),
        told.get("mig.mode.current") == "Enabled",
        ("nvidia-smi",),
    )


def _versions(program: str, environ: Mapping[str, str], notes: List[str]) -> Tuple[str, str]:
    """Return the versions of the driver and of its CUDA, as nvidia-smi shows them."""
    text, problem = _run([program, "-q", "-d", "COMPUTE"], environ)
    if problem:
        notes.append("CUDA version of the driver: nvidia-smi %s" % problem)
    fields = _fields(text)
    return fields.get("Driver Version", ""), fields.get("CUDA Version", "")


def _run(words: List[str], environ: Mapping[str, str]) -> Tuple[str, str]:
    """Return a program's output and what went wrong. Never waits longer than `SECONDS`."""
    import subprocess

    try:
        done = subprocess.run(
            words,
            env=dict(environ, LC_ALL="C"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return (error.stdout or b"").decode("utf-8", "replace"), "did not answer in time"
    except OSError as error:
        return "", "could not be started (%s)" % error.strerror
    text = done.stdout.decode("utf-8", "replace")
    if done.returncode == 0:
        return text, ""
    said = " ".join(text.split("\n")[0].split())[:80] if text.count(",") < 3 else ""
    return text, "ended with code %d%s" % (done.returncode, ": " + said if said else "")


def _program(environ: Mapping[str, str]) -> Optional[str]:
    return programs.find("nvidia-smi", environ)


def _amd(root: str) -> List[Gpu]:
    """Return AMD's cards as the compute driver (KFD) lists them."""
    folder = os.path.join(root, "sys/class/kfd/kfd/topology/nodes")
    found = []
    for node in sorted(_names(folder), key=lambda n: (len(n), n)):
        text = _text(os.path.join(folder, node, "properties"))
        fields = dict(line.split(None, 1) for line in text.splitlines() if " " in line)
        if fields.get("simd_count", "0").strip() == "0":
            continue  # a processor, not a card
        name = _text(os.path.join(folder, node, "name")).strip()
        version = fields.get("gfx_target_version", "").strip()
        found.append(
            Gpu("amd", name or "gfx " + version, "node " + node, capability=version, how=("kfd",))
        )
    return found


def _amd_driver(root: str, found: List[Gpu]) -> str:
    return _text(os.path.join(root, "sys/module/amdgpu/version")).strip() if found else ""


def _bus(text: str) -> str:
    """Return a PCI address in one form: nvidia-smi writes eight digits of domain, Linux four."""
    domain, colon, rest = text.lower().partition(":")
    return "%s:%s" % (domain[-4:].rjust(4, "0"), rest) if colon else text.lower()


def _fields(text: str) -> Dict[str, str]:
    pairs = [line.partition(":") for line in text.splitlines() if ":" in line]
    return {name.strip(): value.strip() for name, _, value in reversed(pairs)}


def _names(folder: str) -> List[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(1 << 20)
    except OSError:
        return ""
