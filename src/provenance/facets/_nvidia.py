"""NVIDIA's cards, asked for in ways that fail apart from each other.

The kernel driver's own files come first: they need no program and answer even when a card is ill.
Then NVML, in a process of its own that can be left when a driver hangs; and where it cannot be
had, ``nvidia-smi``: all cards at once, and where that fails one card at a time, so that one bad
card does not cost the others' answers.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

from provenance.core import programs
from provenance.facets import _asked, _cards
from provenance.facets._cards import Gpu, Instance

SECONDS = 2.0
"""What asking the driver may take in all: it may hang for ever on a card that fell off the bus."""

_QUERY = ("pci.bus_id", "name", "uuid", "memory.total", "compute_cap", "mig.mode.current",
          "ecc.mode.current", "enforced.power.limit", "persistence_mode", "compute_mode",
          "clocks.max.sm", "clocks.max.memory")  # fmt: skip
_QUERY_OLD = ("pci.bus_id", "name", "uuid", "memory.total")
_FAILED = ("[N/A]", "[Not Supported]", "[Unknown Error]", "[GPU requires reset]", "[Not Found]")
_DEVICES = ("proc/driver/nvidia/version", "dev/nvidiactl", "dev/dxg")
"""Files that are there where a driver is; the last under WSL."""

_OLDER = "the library has no"
"""How `_nvml` says that the driver is older than a question: no trouble of the card's."""


class Nvidia(NamedTuple):
    """Cards by PCI address, versions of the driver and of its CUDA, and what went wrong."""

    cards: Dict[str, Gpu]
    driver: str = ""
    cuda: str = ""
    notes: Tuple[str, ...] = ()


def look(environ: Mapping[str, str], root: str = "/") -> Nvidia:
    """Return NVIDIA's cards; ``root`` is where ``proc`` and ``dev`` are."""
    known = Nvidia(_files(root), _driver(root))
    program = programs.find("nvidia-smi", environ)
    here = known.cards or any(os.path.exists(os.path.join(root, name)) for name in _DEVICES)
    if not here and program is None:
        return known
    deadline = time.monotonic() + SECONDS
    told, problem = _by_nvml(environ, deadline) if here else (Nvidia({}), "")
    merged = _merged(known, told)
    if told.cards or "in time" in problem:
        more = ["GPU: NVML %s" % problem] if problem else []
        return merged._replace(notes=(*told.notes, *more))
    if program is None:
        why = "nvidia-smi is not on PATH, and NVML %s" % (problem or "told of none")
        more = ["GPU: %s" % why] if known.cards or problem else []
        return merged._replace(notes=(*told.notes, *more))
    smi = _by_smi(program, environ, sorted(known.cards), deadline)
    if not (known.cards or smi.cards or known.driver or told.driver):
        # The program is part of many images, and says so where it has nothing to serve.
        return known._replace(notes=tuple(note for note in smi.notes if "in time" in note))
    return _merged(merged, smi)._replace(notes=told.notes + smi.notes)


def _merged(known: Nvidia, told: Nvidia) -> Nvidia:
    cards = dict(known.cards)
    for address, gpu in told.cards.items():
        cards[address] = _cards.joined(cards[address], gpu) if address in cards else gpu
    return Nvidia(cards, known.driver or told.driver, known.cuda or told.cuda)


# --- the driver's files --------------------------------------------------------------------------


def _files(root: str) -> Dict[str, Gpu]:
    folder = os.path.join(root, "proc/driver/nvidia/gpus")
    found = {}
    for name in _cards.names(folder):
        fields = _cards.fields(_cards.text(os.path.join(folder, name, "information")))
        uuid = fields.get("GPU UUID", "")
        uuid = "" if "?" in uuid else uuid
        address = _cards.bus(name)
        how = ("/proc/driver/nvidia",)
        found[address] = Gpu("nvidia", fields.get("Model", ""), address, uuid, how=how)
    return found


def _driver(root: str) -> str:
    text = _cards.text(os.path.join(root, "proc/driver/nvidia/version"))
    match = re.search(r"NVRM version:.*?(\d+\.\d+(?:\.\d+)?)", text)
    return match.group(1) if match else ""


# --- NVML ----------------------------------------------------------------------------------------


def _by_nvml(environ: Mapping[str, str], deadline: float) -> Tuple[Nvidia, str]:
    """Return what NVML told, and why it told no more, "" for no reason."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_nvml.py")
    if not sys.executable or not os.path.isfile(program):
        return Nvidia({}), "cannot be asked without an interpreter of our own"
    words = [sys.executable, "-I", "-S", program]
    text, problem = _asked.ask(words, environ, deadline - time.monotonic())
    return _told(text, problem)


def _told(text: str, problem: str) -> Tuple[Nvidia, str]:
    """Return what the lines of `_nvml` say."""
    plain: Dict[str, Any] = {}
    cards: Dict[int, Dict[str, Any]] = {}
    notes: List[str] = []
    for line in text.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue  # cut off in the middle
        if "gpu" in said:
            cards.setdefault(said["gpu"], {}).update(said)
        elif "refused" in said:
            notes.append("GPU: NVML did not tell %s: %s" % (said["refused"], said["why"]))
        else:
            plain.update(said)
    found: Dict[str, Gpu] = {}
    for index, said in sorted(cards.items()):
        if "lost" in said:
            name = "GPU %s" % _cards.bus(said["bus"]) if said.get("bus") else "GPU %d" % index
            notes.append("%s: NVML: %s" % (name, said["lost"]))
        if "bus" in said:
            gpu = _gpu(said, problem)
            found[gpu.bus] = gpu
            notes += [
                "GPU %s: NVML did not tell %s: %s" % (gpu.bus, name, why)
                for name, why in sorted(gpu.missing.items())
                if name != "the rest" and _OLDER not in why
            ]
    driver, cuda = str(plain.get("driver", "")), _cuda(plain.get("cuda", 0))
    why = problem
    if plain.get("problem"):
        why = "cannot be used: %s" % plain["problem"]
    return Nvidia(found, driver, cuda, tuple(notes)), why


def _cuda(number: int) -> str:
    """Return a CUDA version of NVML in words: 12020 is 12.2."""
    return "%d.%d" % (number // 1000, number % 1000 // 10) if number else ""


def _gpu(said: Dict[str, Any], problem: str) -> Gpu:
    missing = dict(said.get("missing", {}))
    if not said.get("complete") and "lost" not in said:
        missing["the rest"] = "NVML %s" % (problem or "ended early")
    return Gpu(
        "nvidia",
        said.get("name", ""),
        _cards.bus(said["bus"]),
        said.get("uuid", ""),
        said.get("memory", 0),
        said.get("capability", ""),
        said.get("mig", False),
        ("NVML",),
        tuple(
            Instance(one.get("name", ""), one.get("uuid", ""), one.get("memory", 0))
            for one in said.get("instances", ())
        ),
        said.get("ecc"),
        said.get("power_limit_w"),
        dict(said.get("clocks", {}), **said.get("clocks_set", {})),
        said.get("persistence"),
        said.get("compute_mode", ""),
        None,
        missing,
    )


# --- nvidia-smi ----------------------------------------------------------------------------------


def _by_smi(program: str, environ: Mapping[str, str], buses: List[str], deadline: float) -> Nvidia:
    """Return what nvidia-smi tells; asks card by card where the joint question fails."""
    notes: List[str] = []
    rows, problem = _query(program, environ, (), deadline)
    if problem and buses and "time" not in problem:
        for address in buses:
            some, trouble = _query(program, environ, ("-i", address), deadline)
            rows += some
            if trouble:
                notes.append("GPU %s: nvidia-smi %s" % (address, trouble))
    elif problem:
        notes.append("GPU: nvidia-smi %s" % problem)
    cards = {gpu.bus: gpu for gpu in rows}
    if "time" in problem or not (cards or buses):
        return Nvidia(cards, notes=tuple(notes))
    words = [program, "-q", "-d", "COMPUTE"]
    text, problem = _asked.ask(words, environ, deadline - time.monotonic())
    if problem:
        notes.append("CUDA version of the driver: nvidia-smi %s" % problem)
    fields = _cards.fields(text)
    versions = fields.get("Driver Version", ""), fields.get("CUDA Version", "")
    return Nvidia(cards, versions[0], versions[1], tuple(notes))


def _query(
    program: str, environ: Mapping[str, str], which: Tuple[str, ...], deadline: float
) -> Tuple[List[Gpu], str]:
    """Return the cards that one call told of, and what went wrong, "" for nothing."""
    problem = ""
    for fields in (_QUERY, _QUERY_OLD):
        words = [program, *which, "--query-gpu=" + ",".join(fields)]
        words.append("--format=csv,noheader,nounits")
        text, problem = _asked.ask(words, environ, deadline - time.monotonic())
        rows = [_row(fields, line) for line in text.splitlines() if line.count(",") >= 3]
        if rows:
            return rows, problem
        if not problem or "time" in problem:
            break
    return [], problem


def _row(fields: Tuple[str, ...], line: str) -> Gpu:
    values = [part.strip() for part in line.split(",")]
    told = {f: v for f, v in zip(fields, values) if v not in _FAILED}
    mebibytes = told.get("memory.total", "")
    clocks = {"sm": told.get("clocks.max.sm", ""), "memory": told.get("clocks.max.memory", "")}
    return Gpu(
        "nvidia",
        told.get("name", ""),
        _cards.bus(told.get("pci.bus_id", "")),
        told.get("uuid", ""),
        int(mebibytes) << 20 if mebibytes.isdigit() else 0,
        told.get("compute_cap", ""),
        told.get("mig.mode.current") == "Enabled",
        ("nvidia-smi",),
        ecc=_enabled(told.get("ecc.mode.current")),
        power_limit_w=_watts(told.get("enforced.power.limit", "")),
        clocks_mhz={name: int(text) for name, text in clocks.items() if text.isdigit()},
        persistence=_enabled(told.get("persistence_mode")),
        compute_mode=told.get("compute_mode", "").lower().replace("_", " "),
    )


def _enabled(word: Any) -> Any:
    return {"Enabled": True, "Disabled": False}.get(word)


def _watts(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return None
