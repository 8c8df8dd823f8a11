"""Cards of other makers: AMD, Intel, Apple, Google's TPUs and Habana, as far as the system tells.

Files of the kernel come first; a maker's tool is asked only where it is installed and there is a
card for it. Each tool has its own short time, and a tool that fails costs its own answer.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

from provenance.core import programs
from provenance.facets import _asked, _cards
from provenance.facets._cards import Gpu

SECONDS = 2.0
"""What each tool may take."""

_AMD, _INTEL, _GOOGLE, _HABANA = "0x1002", "0x8086", "0x1ae0", "0x1da3"
"""Makers by their PCI numbers (pci-ids)."""


class Others(NamedTuple):
    """Cards, the version of their kernel driver, versions of their software, and what failed."""

    gpus: Tuple[Gpu, ...] = ()
    driver: str = ""
    software: Dict[str, str] = {}
    notes: Tuple[str, ...] = ()


def look(environ: Mapping[str, str], root: str = "/", platform: str = sys.platform) -> Others:
    """Return the cards that are not NVIDIA's; ``root``: where ``sys`` and ``dev`` are."""
    if platform == "darwin":
        return _apple(environ)
    notes: List[str] = []
    drawing = _drawing(root)
    amd = _amd(environ, root, drawing, notes)
    found = amd + _intel(environ, drawing, notes) + _accel(environ, root)
    driver = _cards.text(os.path.join(root, "sys/module/amdgpu/version")).strip() if amd else ""
    software = _rocm(environ, root) if amd else {}
    return Others(tuple(found), driver, software, tuple(notes))


def _drawing(root: str) -> Dict[str, Dict[str, str]]:
    """Return of each card that can draw its maker and memory in bytes, by PCI address."""
    folder = os.path.join(root, "sys/class/drm")
    found: Dict[str, Dict[str, str]] = {}
    for name in _cards.names(folder):
        if not re.match(r"card\d+$", name):
            continue
        place = os.path.join(folder, name, "device")
        told = _cards.fields(_cards.text(os.path.join(place, "uevent")).replace("=", ": "))
        vendor = _cards.text(os.path.join(place, "vendor")).strip()
        address = _cards.bus(told.get("PCI_SLOT_NAME", "") or name)
        memory = ""
        for file in (
            "device/mem_info_vram_total",  # amdgpu
            "lmem_total_bytes",  # i915
            "device/tile0/physical_vram_size_bytes",  # xe
        ):
            memory = memory or _cards.text(os.path.join(folder, name, file)).strip()
        product = _cards.text(os.path.join(place, "product_name")).strip()
        unique = _cards.text(os.path.join(place, "unique_id")).strip()
        found[address] = {"vendor": vendor, "memory": memory, "name": product, "uuid": unique}
    return found


# --- AMD -----------------------------------------------------------------------------------------


def _amd(
    environ: Mapping[str, str], root: str, drawing: Dict[str, Dict[str, str]], notes: List[str]
) -> List[Gpu]:
    """Return AMD's cards as the compute driver (KFD) lists them."""
    folder = os.path.join(root, "sys/class/kfd/kfd/topology/nodes")
    found = []
    for node in sorted(_cards.names(folder), key=lambda n: (len(n), n)):
        text = _cards.text(os.path.join(folder, node, "properties"))
        fields = dict(line.split(None, 1) for line in text.splitlines() if " " in line)
        if fields.get("simd_count", "0").strip() == "0":
            continue  # a processor, not a card
        name = _cards.text(os.path.join(folder, node, "name")).strip()
        version = fields.get("gfx_target_version", "").strip()
        address = _location(fields) or "node " + node
        more = drawing.get(address, {})
        memory = _cards.number(more.get("memory", ""))
        memory = memory or _banks(os.path.join(folder, node, "mem_banks"))
        how = ("kfd", "drm") if more else ("kfd",)
        name = more.get("name") or name or "gfx " + version
        uuid = more.get("uuid", "")
        found.append(Gpu("amd", name, address, uuid, memory, version, how=how))
    return _by_rocm_smi(environ, found, notes) if found else found


def _location(fields: Dict[str, str]) -> str:
    """Return the PCI address that KFD packs into a number: bus, device (5 bits), function (3)."""
    place = _cards.number(fields.get("location_id", ""))
    domain = _cards.number(fields.get("domain", ""))
    if not place:
        return ""
    return "%04x:%02x:%02x.%x" % (domain, place >> 8 & 0xFF, place >> 3 & 0x1F, place & 7)


def _banks(folder: str) -> int:
    """Return the bytes of a card's own memory: heaps 1 and 2 (kfd_topology.h)."""
    total = 0
    for name in _cards.names(folder):
        text = _cards.text(os.path.join(folder, name, "properties"))
        fields = dict(line.split(None, 1) for line in text.splitlines() if " " in line)
        if fields.get("heap_type", "").strip() in ("1", "2"):
            total += _cards.number(fields.get("size_in_bytes", ""))
    return total


def _by_rocm_smi(environ: Mapping[str, str], found: List[Gpu], notes: List[str]) -> List[Gpu]:
    """Return ``found`` with what rocm-smi adds; its cards are known again by their addresses."""
    program = programs.find("rocm-smi", environ)
    if program is None:
        return found
    words = ["--showproductname", "--showbus", "--showuniqueid", "--showmaxpower", "--json"]
    text, problem = _asked.ask([program, *words], environ, SECONDS)
    try:
        answer = json.loads(text[text.index("{") :])
        told = [one for one in answer.values() if isinstance(one, dict)]
    except (ValueError, AttributeError):
        notes.append("GPU: rocm-smi %s" % (problem or "did not answer in JSON"))
        return found
    if problem:
        notes.append("GPU: rocm-smi %s" % problem)
    by_bus = {_cards.bus(str(one.get("PCI Bus", ""))): one for one in told}
    return [
        _cards.joined(gpu, _row(by_bus[gpu.bus])) if gpu.bus in by_bus else gpu for gpu in found
    ]


def _row(told: Dict[str, Any]) -> Gpu:
    lower = {name.lower(): str(value) for name, value in told.items()}
    power = [v for n, v in lower.items() if "power" in n and re.match(r"[\d.]+$", v)]
    return Gpu(
        "amd",
        lower.get("card series", ""),
        uuid=lower.get("unique id", ""),
        power_limit_w=float(power[0]) if power else None,
        how=("rocm-smi",),
    )


def _rocm(environ: Mapping[str, str], root: str) -> Dict[str, str]:
    """Return the version of ROCm that is installed, if any."""
    usual = os.path.join(root, "opt/rocm")
    for folder in (environ.get("ROCM_PATH"), environ.get("ROCM_HOME"), usual):
        text = _cards.text(os.path.join(folder, ".info/version")).strip() if folder else ""
        if text:
            return {"rocm": text[:80]}
    return {}


# --- Intel ---------------------------------------------------------------------------------------


def _intel(
    environ: Mapping[str, str], drawing: Dict[str, Dict[str, str]], notes: List[str]
) -> List[Gpu]:
    """Return Intel's cards with memory of their own: those inside of processors only draw."""
    found = {
        address: Gpu("intel", "", address, memory=_cards.number(one["memory"]), how=("drm",))
        for address, one in drawing.items()
        if one["vendor"] == _INTEL and _cards.number(one["memory"])
    }
    program = programs.find("xpu-smi", environ) if found else None
    if program is None:
        return [found[address] for address in sorted(found)]
    text, problem = _asked.ask([program, "discovery", "-j"], environ, SECONDS)
    try:
        devices = json.loads(text)["device_list"]
    except (ValueError, KeyError, TypeError):
        devices = []
        problem = problem or "did not answer in JSON"
    if problem:
        notes.append("GPU: xpu-smi %s" % problem)
    for one in devices:
        address = _cards.bus(str(one.get("pci_bdf_address", "")))
        told = Gpu("intel", str(one.get("device_name", "")), uuid=str(one.get("uuid", "")))
        if address in found:
            found[address] = _cards.joined(found[address], told._replace(how=("xpu-smi",)))
    return [found[address] for address in sorted(found)]


# --- TPU, Habana, Apple --------------------------------------------------------------------------


def _accel(environ: Mapping[str, str], root: str) -> List[Gpu]:
    """Return what the kernel calls accelerators: TPUs and Habana's; Google names its kind."""
    kind = environ.get("TPU_ACCELERATOR_TYPE", "")
    found = []
    folder = os.path.join(root, "sys/class/accel")
    for name in _cards.names(folder):
        vendor = _cards.text(os.path.join(folder, name, "device/vendor")).strip()
        told = _cards.text(os.path.join(folder, name, "device/uevent")).replace("=", ": ")
        address = _cards.bus(_cards.fields(told).get("PCI_SLOT_NAME", "") or name)
        if vendor == _GOOGLE:
            found.append(Gpu("google", ("TPU " + kind).strip(), address, how=("accel",)))
        elif vendor == _HABANA:
            found.append(Gpu("habana", "Gaudi", address, how=("accel",)))
    if not found and kind:  # chips that are handed through: /dev/vfio/0 ...
        chips = [n for n in _cards.names(os.path.join(root, "dev/vfio")) if n.isdigit()]
        found = [Gpu("google", "TPU " + kind, "vfio " + n, how=("environment",)) for n in chips]
    return found


def _apple(environ: Mapping[str, str]) -> Others:
    """Return what macOS tells of its graphics processor."""
    program = programs.find("system_profiler", environ) or "/usr/sbin/system_profiler"
    words = [program, "SPDisplaysDataType", "-json"]
    text, problem = _asked.ask(words, environ, SECONDS)
    try:
        rows = json.loads(text)["SPDisplaysDataType"]
    except (ValueError, KeyError, TypeError):
        return Others(notes=("GPU: system_profiler %s" % (problem or "told nothing"),))
    found = []
    for one in rows:
        name = str(one.get("sppci_model", ""))
        cores = str(one.get("sppci_cores", ""))
        vendor = "apple" if name.startswith("Apple") else str(one.get("spdisplays_vendor", ""))
        shown = "%s, %s cores" % (name, cores) if cores else name
        found.append(Gpu(vendor, shown, how=("system_profiler",)))
    return Others(tuple(found))
