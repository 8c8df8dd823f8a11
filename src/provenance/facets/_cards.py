"""What is known of a card that computes, and small readers for files of the system."""

from __future__ import annotations

import os
from typing import Dict, List, NamedTuple, Optional, Tuple


class Instance(NamedTuple):
    """A part of a card that is cut into instances (MIG). memory: bytes."""

    name: str = ""
    uuid: str = ""
    memory: int = 0


class Gpu(NamedTuple):
    """One card. Members that could not be asked have their default; ``missing`` says why.

    vendor: "nvidia", "amd", "intel", "apple", "google" (TPU) or "habana". name: its model. bus: its
    PCI address. memory: bytes. capability: CUDA's ("8.0"), or AMD's target version. mig: whether it
    is cut into instances, which ``instances`` names. ecc: whether memory errors are corrected, None
    where it cannot or that is not known. power_limit_w: watts that it may draw. clocks_mhz: the
    fastest that it can ("sm", "memory") and those set for programs ("sm_set", "memory_set").
    persistence: whether the driver stays loaded without a program, None where not known.
    compute_mode: who may use it ("default", "exclusive process", "prohibited"). visible: whether
    the command's environment lets it see the card, None where that cannot be told. missing: what
    its driver did not tell, with the reason. how: who told.
    """

    vendor: str
    name: str = ""
    bus: str = ""
    uuid: str = ""
    memory: int = 0
    capability: str = ""
    mig: bool = False
    how: Tuple[str, ...] = ()
    instances: Tuple[Instance, ...] = ()
    ecc: Optional[bool] = None
    power_limit_w: Optional[float] = None
    clocks_mhz: Dict[str, int] = {}
    persistence: Optional[bool] = None
    compute_mode: str = ""
    visible: Optional[bool] = None
    missing: Dict[str, str] = {}


class Graphics(NamedTuple):
    """All cards and what drives them.

    driver: version of the kernel driver. cuda_driver: the newest CUDA that the driver can serve:
    neither the toolkit's version nor the one that a framework was built with. software: versions of
    what other makers' cards need ("rocm", "libtpu"). notes: what failed, and why.
    """

    gpus: Tuple[Gpu, ...] = ()
    driver: str = ""
    cuda_driver: str = ""
    notes: Tuple[str, ...] = ()
    software: Dict[str, str] = {}


def joined(known: Gpu, told: Gpu) -> Gpu:
    """Return ``known`` with everything that ``told`` says; what it does not say stays."""
    blank = Gpu(known.vendor)
    changes = {
        name: getattr(told, name)
        for name in Gpu._fields
        if name not in ("how", "missing") and getattr(told, name) != getattr(blank, name)
    }
    missing = dict(known.missing, **told.missing)
    return known._replace(**changes)._replace(how=known.how + told.how, missing=missing)


def bus(text: str) -> str:
    """Return a PCI address in one form: NVIDIA writes eight digits of domain, Linux four."""
    domain, colon, rest = text.strip().lower().partition(":")
    return "%s:%s" % (domain[-4:].rjust(4, "0"), rest) if colon else domain


def fields(text: str) -> Dict[str, str]:
    """Return the lines ``name: value`` of ``text``; of a repeated name the first."""
    pairs = [line.partition(":") for line in text.splitlines() if ":" in line]
    return {name.strip(): value.strip() for name, _, value in reversed(pairs)}


def names(folder: str) -> List[str]:
    """Return the names in ``folder``, sorted; none where it cannot be listed."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def text(path: str) -> str:
    """Return the text of a file of the system, "" where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(1 << 20)
    except OSError:
        return ""


def number(text: str) -> int:
    """Return a whole number that a file tells, 0 where it is none."""
    try:
        return int(text.strip() or "0", 0)
    except ValueError:
        return 0
