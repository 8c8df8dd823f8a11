"""On which machine the command ran: processors, memory, graphics cards, and the limits on them."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import DURING, Context
from provenance.core.difference import (
    NONE,
    UNKNOWN,
    Comparison,
    Difference,
    NotCompared,
)
from provenance.core.record import Payload, Record, captured
from provenance.facets import _cpu, _facet, _gpu
from provenance.facets._cpu import Cpu, Memory
from provenance.facets._gpu import Gpu

NAME = "hardware"
VERSION = 1
PHASES = (DURING,)
SITE = _facet.HOST

upgrade = _facet.nothing_to_upgrade


class Cuda(NamedTuple):
    """Three versions that are often confused.

    driver: the newest that the driver can serve. toolkit: installed with its compiler. runtime:
    per framework, the one it was built with. "" or absent where not known.
    """

    driver: str = ""
    toolkit: str = ""
    runtime: Dict[str, str] = {}


class Hardware(NamedTuple):
    """The machine. gpus: empty where there are none. driver: version of the graphics driver."""

    cpu: Cpu
    memory: Memory
    gpus: Tuple[Gpu, ...] = ()
    driver: str = ""
    cuda: Cuda = Cuda()


def capture(context: Context) -> Payload:
    """Return the machine's hardware; what could not be read is named in the notes."""
    graphics = _gpu.look(context.environ)
    cuda = Cuda(
        graphics.cuda_driver,
        toolkit(context.environ) if graphics.gpus else "",
        _runtimes(context) if graphics.gpus else {},
    )
    machine = Hardware(_cpu.cpu(), _cpu.memory(), graphics.gpus, graphics.driver, cuda)
    return captured(VERSION, machine, "host", graphics.notes)


def toolkit(environ: Mapping[str, str], usual: str = "/usr/local/cuda") -> str:
    """Return the version of the CUDA toolkit that the environment names, else of the usual one."""
    for folder in (environ.get("CUDA_HOME"), environ.get("CUDA_PATH"), usual):
        if not folder:
            continue
        try:
            with open(os.path.join(folder, "version.json"), encoding="utf-8") as stream:
                return str(json.load(stream)["cuda"]["version"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        try:
            with open(os.path.join(folder, "version.txt"), encoding="utf-8") as stream:
                found = re.search(r"CUDA Version (\d[\d.]*)", stream.read(1000))
        except (OSError, ValueError):
            continue
        if found:
            return found.group(1)
    return ""


def _runtimes(context: Context) -> Dict[str, str]:
    """Return the CUDA version each framework of the run says that it was built with."""
    found: Dict[str, str] = {}
    for one in context.interpreters:
        for library, settings in one.settings.items():
            value = settings.get("cuda") if isinstance(settings, dict) else None
            if isinstance(value, str) and value:
                found[library] = context.redact.text(value)
    return found


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare processors, memory and cards; nothing here is ever above "unknown"."""
    was, now = _of(old), _of(new)
    facts = _cpu_facts(was.cpu, now.cpu)
    facts.append(("memory", _gib(was.memory.total), _gib(now.memory.total), NONE))
    missing: Tuple[NotCompared, ...] = ()
    if was.gpus and not now.gpus:
        missing = (NotCompared(NAME, "GPU", "none here"),)
    else:
        facts += _gpu_facts(was, now)
    found = [
        Difference(NAME, old.subjects[0].id, "changed", name, effect, before, after)
        for name, before, after, effect in facts
        if before != after
    ]
    return Comparison(tuple(found), len(facts) - len(found), len(facts), "facts", missing)


Fact = Tuple[str, Any, Any, str]
"""Name, old value, new value, and the effect of their being different."""


def _cpu_facts(old: Cpu, new: Cpu) -> List[Fact]:
    return [
        ("CPU", old.model, new.model, UNKNOWN),
        ("CPU instruction sets", " ".join(old.flags), " ".join(new.flags), UNKNOWN),
        ("CPU threads available", old.available, new.available, UNKNOWN),
        ("CPU cores", old.physical, new.physical, NONE),
        ("CPU quota", old.quota, new.quota, NONE),
    ]


def _gpu_facts(old: Hardware, new: Hardware) -> List[Fact]:
    facts: List[Fact] = [("GPUs", _models(old.gpus), _models(new.gpus), UNKNOWN)]
    if old.gpus and new.gpus:
        facts.append(("GPU driver", old.driver, new.driver, UNKNOWN))
        if old.cuda.toolkit and new.cuda.toolkit:
            facts.append(("CUDA toolkit", old.cuda.toolkit, new.cuda.toolkit, UNKNOWN))
    return facts


def _models(gpus: Tuple[Gpu, ...]) -> str:
    """Return the cards in a few words: "2 x NVIDIA A100-SXM4-40GB"; "none"."""
    counted: Dict[str, int] = {}
    for gpu in gpus:
        name = gpu.name or gpu.vendor
        counted[name] = counted.get(name, 0) + 1
    words = ["%d x %s" % (n, name) if n > 1 else name for name, n in sorted(counted.items())]
    return ", ".join(words) or "none"


def _gib(size: int) -> str:
    return "%.0f GiB" % (size / float(1 << 30))


def _of(payload: Payload) -> Hardware:
    return codec.decode(Hardware, payload.subjects[0].payload)


def of(record: Record) -> Optional[Hardware]:
    """Return the hardware; None where the record has none."""
    found = record.payloads(NAME)
    return codec.decode(Hardware, found[0].payload) if found else None
