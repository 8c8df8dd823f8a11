"""On which machine the command ran: processors, memory, graphics cards, and the limits on them."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import AFTER, DURING, PRESENT, Context
from provenance.core.difference import (
    NONE,
    UNKNOWN,
    Comparison,
    Difference,
    NotCompared,
)
from provenance.core.record import CAPTURED, Payload, Record, captured
from provenance.facets import _cpu, _cuda, _facet, _gpu
from provenance.facets._cpu import Cpu, Memory
from provenance.facets._gpu import Gpu
from provenance.facets._variables import has_public_value

NAME = "hardware"
VERSION = 1
PHASES = (DURING, AFTER)
SITE = _facet.HOST

upgrade = _facet.nothing_to_upgrade

_THREADS = ("_NUM_THREADS", "_MAX_THREADS", "_THREAD_LIMIT", "_PROC_BIND", "_PLACES", "_AFFINITY")
_THREADING = frozenset("MKL_DYNAMIC OMP_DYNAMIC MKL_THREADING_LAYER OPENBLAS_CORETYPE".split())


class Cuda(NamedTuple):
    """Versions that are often confused.

    driver: the newest that the driver can serve. toolkit: installed with its compiler. runtime: by
    framework the one it was built with, and by wheel the one installed. cudnn: by framework the one
    it found, by wheel and as "header" the one installed. "" or absent where not known.
    """

    driver: str = ""
    toolkit: str = ""
    runtime: Dict[str, str] = {}
    cudnn: Dict[str, str] = {}


class Hardware(NamedTuple):
    """The machine. gpus: empty where there are none. driver: version of the graphics driver.

    visible: variables that choose among the cards, with their values. software: versions of what
    other makers' cards need ("rocm", "libtpu"). threads: variables that say how many threads
    libraries use. blas: libraries of linear algebra and threads that the run had loaded, as far as
    they told, with versions and numbers of threads.
    """

    cpu: Cpu
    memory: Memory
    gpus: Tuple[Gpu, ...] = ()
    driver: str = ""
    cuda: Cuda = Cuda()
    visible: Dict[str, str] = {}
    software: Dict[str, str] = {}
    threads: Dict[str, str] = {}
    blas: Dict[str, str] = {}


def capture(context: Context) -> Payload:
    """Return the machine's hardware; what could not be read is named in the notes.

    While the command runs the machine is looked at; at the end its frameworks have told theirs.
    """
    earlier = context.earlier
    if context.phase == AFTER and earlier is not None and earlier.status == CAPTURED:
        libraries = _libraries(context)
        if not (libraries or earlier.subjects[0].payload.get("gpus")):
            return earlier
        machine, notes = _of(earlier), tuple(earlier.notes)
    else:
        machine, notes = _machine(context)
    if context.phase in (AFTER, PRESENT):
        machine = _told(machine, context)
    return captured(VERSION, machine, "host", notes)


def _machine(context: Context) -> Tuple[Hardware, Tuple[str, ...]]:
    """Return what the machine tells, and what it does not."""
    environ, text = context.environ, context.redact.text
    graphics = _gpu.look(environ)
    nvidia = any(gpu.vendor == "nvidia" for gpu in graphics.gpus)
    cuda = Cuda(graphics.cuda_driver)
    if nvidia:
        header = _cuda.header(environ)
        cudnn = {"header": header} if header else {}
        cuda = cuda._replace(toolkit=_cuda.toolkit(environ), cudnn=cudnn)
    return Hardware(
        _cpu.cpu(),
        _cpu.memory(),
        graphics.gpus,
        graphics.driver,
        cuda,
        {name: text(value) for name, value in _gpu.seen(environ, graphics.gpus).items()},
        graphics.software,
        {name: text(environ[name]) for name in sorted(environ) if _counts_threads(name)},
    ), tuple(text(note) for note in graphics.notes)


def _counts_threads(name: str) -> bool:
    return (name.endswith(_THREADS) or name in _THREADING) and has_public_value(name)


def _told(machine: Hardware, context: Context) -> Hardware:
    """Return ``machine`` with what the run's frameworks and their wheels told."""
    machine = machine._replace(blas=_libraries(context))
    if not machine.gpus:
        return machine
    found = _cuda.frameworks(context.interpreters)
    redact = context.redact.value
    cuda = machine.cuda._replace(
        runtime=redact("runtime", found.runtime),
        cudnn=redact("cudnn", dict(machine.cuda.cudnn, **found.cudnn)),
    )
    software = redact("software", dict(machine.software, **found.software))
    return machine._replace(cuda=cuda, software=software)


def _libraries(context: Context) -> Dict[str, str]:
    """Return the libraries of linear algebra and threads that the run had loaded."""
    found: Dict[str, str] = {}
    for one in context.interpreters:
        before = "" if one.id == "python" else one.id + " "
        for library, told in sorted(one.settings.items()):
            if not isinstance(told, dict):
                continue
            if library == "threadpoolctl":
                found.update((before + str(name), str(text)) for name, text in told.items())
            elif told.get("blas"):
                found[before + library] = str(told["blas"])
            elif told.get("num_threads"):
                found[before + library] = "%s threads" % told["num_threads"]
    clean: Dict[str, str] = context.redact.value("blas", found)
    return clean


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare processors, memory and cards; nothing here is ever above "unknown".

    Variables and loaded libraries are compared by the facets ``environment`` and ``seeds``.
    """
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
        *_both("NUMA nodes", old.numa_nodes, new.numa_nodes, NONE),
        *_both("CPU governor", old.governor, new.governor, NONE),
    ]


def _both(name: str, old: Any, new: Any, effect: str = UNKNOWN) -> List[Fact]:
    """Return a fact that counts only where both sides know it."""
    return [(name, old, new, effect)] if old and new else []


def _gpu_facts(old: Hardware, new: Hardware) -> List[Fact]:
    facts: List[Fact] = [("GPUs", _models(old.gpus), _models(new.gpus), UNKNOWN)]
    if not (old.gpus and new.gpus):
        return facts
    facts.append(("GPU driver", old.driver, new.driver, UNKNOWN))
    facts += _both("CUDA of the driver", old.cuda.driver, new.cuda.driver)
    facts += _both("CUDA toolkit", old.cuda.toolkit, new.cuda.toolkit)
    facts += _by_name("CUDA runtime of %s", old.cuda.runtime, new.cuda.runtime)
    facts += _by_name("cuDNN of %s", old.cuda.cudnn, new.cuda.cudnn)
    facts += _by_name("%s", old.software, new.software)
    facts += _both("GPU memory", _sizes(old.gpus), _sizes(new.gpus), NONE)
    for name, key in (("GPU error correction", "ecc"), ("GPU instances (MIG)", "mig")):
        facts += _both(name, _states(old.gpus, key), _states(new.gpus, key), NONE)
    facts += _both("GPU power limit", _states(old.gpus, "power_limit_w"),
                   _states(new.gpus, "power_limit_w"), NONE)  # fmt: skip
    return facts


def _by_name(label: str, old: Mapping[str, str], new: Mapping[str, str]) -> List[Fact]:
    return [(label % name, old[name], new[name], UNKNOWN) for name in sorted(set(old) & set(new))]


def _states(gpus: Tuple[Gpu, ...], name: str) -> str:
    """Return a member of all cards in words, "" where one of them did not tell."""
    told = [getattr(gpu, name) for gpu in gpus]
    if None in told:
        return ""
    words = {True: "on", False: "off"}
    return ", ".join(sorted({words[v] if isinstance(v, bool) else "%g W" % v for v in told}))


def _sizes(gpus: Tuple[Gpu, ...]) -> str:
    if not all(gpu.memory for gpu in gpus):
        return ""
    return ", ".join(sorted({_gib(gpu.memory) for gpu in gpus}))


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
