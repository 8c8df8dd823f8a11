"""The cards of this machine, and which of them the command's environment lets it see."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Tuple

from provenance.facets import _accelerators, _nvidia
from provenance.facets._cards import Gpu, Graphics, Instance

__all__ = ["Gpu", "Graphics", "Instance", "look", "seen"]

_VISIBLE = {
    "nvidia": ("CUDA_VISIBLE_DEVICES",),
    "amd": ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"),
    "google": ("TPU_VISIBLE_DEVICES", "TPU_VISIBLE_CHIPS"),
    "intel": ("ZE_AFFINITY_MASK",),
    "habana": ("HABANA_VISIBLE_DEVICES",),
}
"""Variables by which a program is told which cards it may use; any of them can take cards away."""


def look(environ: Mapping[str, str], root: str = "/") -> Graphics:
    """Return the cards of this machine; ``root`` is where ``proc``, ``sys`` and ``dev`` are."""
    nvidia = _nvidia.look(environ, root)
    others = _accelerators.look(environ, root)
    found = [nvidia.cards[address] for address in sorted(nvidia.cards)] + list(others.gpus)
    return Graphics(
        _visible(found, environ),
        nvidia.driver or others.driver,
        nvidia.cuda,
        nvidia.notes + others.notes,
        others.software,
    )


def seen(environ: Mapping[str, str], gpus: Tuple[Gpu, ...]) -> Dict[str, str]:
    """Return the variables that choose among ``gpus``, with their values."""
    names = [name for gpu in gpus for name in (*_VISIBLE.get(gpu.vendor, ()), "CUDA_DEVICE_ORDER")]
    return {name: environ[name] for name in dict.fromkeys(names) if name in environ}


def _visible(gpus: List[Gpu], environ: Mapping[str, str]) -> Tuple[Gpu, ...]:
    """Return ``gpus`` with whether the command may see each."""
    found = []
    for vendor in dict.fromkeys(gpu.vendor for gpu in gpus):
        cards = [gpu for gpu in gpus if gpu.vendor == vendor]
        chosen: List[Optional[bool]] = [True] * len(cards)
        set_here = [environ[name] for name in _VISIBLE.get(vendor, ()) if name in environ]
        if len(set_here) == 1:
            chosen = _chosen(set_here[0], cards, environ.get("CUDA_DEVICE_ORDER", ""))
        elif set_here:  # one counts in what the other leaves
            chosen = [None] * len(cards)
        found += [gpu._replace(visible=flag) for gpu, flag in zip(cards, chosen)]
    return tuple(found)


def _chosen(value: str, cards: List[Gpu], order: str) -> List[Optional[bool]]:
    """Return which ``cards``, in the order of their addresses, a list of numbers or names chooses.

    As CUDA reads it: what stands behind the first entry that names no card does not count. Numbers
    count the fastest card first, which tells nothing where the cards are of several models.
    """
    known = order == "PCI_BUS_ID" or len({gpu.name for gpu in cards}) == 1
    flags: List[Optional[bool]] = [False] * len(cards)
    for word in (part.strip() for part in value.split(",")):
        if word.isdigit() and int(word) < len(cards):
            if not known and len(cards) > 1:
                return [None] * len(cards)
            flags[int(word)] = True
            continue
        named = [
            n
            for n, gpu in enumerate(cards)
            if word
            and (
                (gpu.uuid and gpu.uuid.startswith(word))
                or any(part.uuid.startswith(word) for part in gpu.instances)
            )
        ]
        if len(named) != 1:
            break
        flags[named[0]] = True
    return flags
