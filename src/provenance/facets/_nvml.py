"""Asking NVIDIA's management library (NVML): a program of its own, run by `_nvidia`.

It stands alone and prints one line of JSON for each thing it was told, so that what was said before
a driver hangs is not lost. Names and numbers are those of nvml.h (CUDA 12). A function that a card
does not support is left out; any other refusal is told with NVML's own words.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Callable, Dict, List, Tuple

LIBRARY = "libnvidia-ml.so.1"
_NOT_SUPPORTED = 3
_MOST = 256
_MODES = ("default", "exclusive thread", "prohibited", "exclusive process")
_CLOCKS = ("graphics", "sm", "memory")
"""nvmlClockType_t in its order."""


class Refused(Exception):
    """NVML refused: ``args[0]`` is its number, ``args[1]`` its words."""


class Nvml:
    """The library. Raises OSError where it cannot be loaded."""

    def __init__(self) -> None:
        import ctypes

        self.c: Any = ctypes
        self._library = ctypes.CDLL(LIBRARY)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function that gives an nvmlReturn_t. Raises `Refused`."""
        try:
            function = getattr(self._library, name)
        except AttributeError:
            raise Refused(13, "the library has no %s" % name) from None
        code = function(*arguments)
        if code:
            raise Refused(code, self._words(code))

    def _words(self, code: int) -> str:
        try:
            explain = self._library.nvmlErrorString
            explain.restype = self.c.c_char_p
            return str(explain(code).decode("utf-8", "replace"))
        except (AttributeError, ValueError):
            return "error %d" % code

    def text(self, name: str, *handle: Any) -> str:
        """Return a text that a function writes."""
        room = self.c.create_string_buffer(256)
        self.call(name, *handle, room, self.c.c_uint(256))
        return str(room.value.decode("utf-8", "replace"))

    def numbers(self, name: str, count: int, *arguments: Any) -> List[int]:
        """Return the ``count`` whole numbers that a function writes behind ``arguments``."""
        rooms = [self.c.c_uint(0) for _ in range(count)]
        self.call(name, *arguments, *[self.c.byref(room) for room in rooms])
        return [int(room.value) for room in rooms]

    def device(self, name: str, *arguments: Any) -> Any:
        """Return the handle that a function gives."""
        handle = self.c.c_void_p()
        self.call(name, *arguments, self.c.byref(handle))
        return handle

    def memory(self, handle: Any) -> int:
        """Return the bytes of a card: nvmlMemory_t is total, free, used."""
        room = (self.c.c_ulonglong * 3)()
        self.call("nvmlDeviceGetMemoryInfo", handle, self.c.byref(room))
        return int(room[0])

    def bus(self, handle: Any) -> str:
        """Return the PCI address: nvmlPciInfo_t ends with it, behind 16 bytes and five numbers."""
        room = self.c.create_string_buffer(128)
        self.call("nvmlDeviceGetPciInfo_v3", handle, room)
        return str(room.raw[36:68].partition(b"\0")[0].decode("ascii", "replace"))


def _members(nvml: Nvml, card: Any) -> List[Tuple[str, Callable[[], Any]]]:
    """Return what is asked of a card, by the names under which it is told."""

    def clocks(function: str, ending: str) -> Dict[str, int]:
        found = {}
        for kind in (1, 2):
            found[_CLOCKS[kind] + ending] = nvml.numbers(function, 1, card, nvml.c.c_uint(kind))[0]
        return found

    return [
        ("name", lambda: nvml.text("nvmlDeviceGetName", card)),
        ("uuid", lambda: nvml.text("nvmlDeviceGetUUID", card)),
        ("memory", lambda: nvml.memory(card)),
        ("capability", lambda: "%d.%d" % _two(nvml, "nvmlDeviceGetCudaComputeCapability", card)),
        ("ecc", lambda: bool(_two(nvml, "nvmlDeviceGetEccMode", card)[0])),
        ("mig", lambda: bool(_two(nvml, "nvmlDeviceGetMigMode", card)[0])),
        (
            "power_limit_w",
            lambda: nvml.numbers("nvmlDeviceGetEnforcedPowerLimit", 1, card)[0] / 1000.0,
        ),
        ("clocks", lambda: clocks("nvmlDeviceGetMaxClockInfo", "")),
        ("clocks_set", lambda: clocks("nvmlDeviceGetApplicationsClock", "_set")),
        (
            "persistence",
            lambda: bool(nvml.numbers("nvmlDeviceGetPersistenceMode", 1, card)[0]),
        ),
        (
            "compute_mode",
            lambda: _MODES[nvml.numbers("nvmlDeviceGetComputeMode", 1, card)[0]],
        ),
    ]


def _two(nvml: Nvml, name: str, card: Any) -> Tuple[int, int]:
    first, second = nvml.numbers(name, 2, card)
    return first, second


def _instances(nvml: Nvml, card: Any) -> List[Dict[str, Any]]:
    """Return the MIG instances of a card."""
    found = []
    for index in range(min(nvml.numbers("nvmlDeviceGetMaxMigDeviceCount", 1, card)[0], _MOST)):
        try:
            part = nvml.device("nvmlDeviceGetMigDeviceHandleByIndex", card, nvml.c.c_uint(index))
        except Refused:
            continue  # not every place is taken
        told = {}
        for name, ask in _members(nvml, part)[:3]:
            try:
                told[name] = ask()
            except Refused:
                continue
        found.append(told)
    return found


def _card(nvml: Nvml, index: int, tell: Callable[[Dict[str, Any]], None]) -> None:
    """Tell of one card, its address first, each member when it is known."""
    card = nvml.device("nvmlDeviceGetHandleByIndex_v2", nvml.c.c_uint(index))
    tell({"gpu": index, "bus": nvml.bus(card)})
    told: Dict[str, Any] = {"gpu": index}
    missing: Dict[str, str] = {}
    for name, ask in _members(nvml, card):
        try:
            value = ask()
        except (Refused, IndexError) as error:
            if error.args[0] != _NOT_SUPPORTED:
                missing[name] = str(error.args[-1])
            continue
        told[name] = value
        tell({"gpu": index, name: value})
    if told.get("mig"):
        try:
            tell({"gpu": index, "instances": _instances(nvml, card)})
        except Refused as error:
            missing["instances"] = str(error.args[1])
    tell({"gpu": index, "missing": missing, "complete": True})


def main() -> int:
    """Tell everything; return 0 where the library answered at all."""

    def tell(value: Dict[str, Any]) -> None:
        os.write(1, (json.dumps(value) + "\n").encode("ascii"))

    try:
        nvml = Nvml()
        nvml.call("nvmlInit_v2")
    except (OSError, Refused) as error:
        tell({"problem": str(error.args[-1])})
        return 0
    for name, ask in (
        ("driver", lambda: nvml.text("nvmlSystemGetDriverVersion")),
        ("cuda", lambda: nvml.numbers("nvmlSystemGetCudaDriverVersion_v2", 1)[0]),
        ("count", lambda: nvml.numbers("nvmlDeviceGetCount_v2", 1)[0]),
    ):
        try:
            value = ask()
        except Refused as error:
            tell({"refused": name, "why": str(error.args[1])})
            continue
        tell({name: value})
        if name == "count":
            for index in range(min(int(value), _MOST)):
                try:
                    _card(nvml, index, tell)
                except Refused as error:
                    tell({"gpu": index, "lost": str(error.args[1])})
    return 0


if __name__ == "__main__":
    sys.exit(main())
