"""Cards, asked of drivers and tools that answer, refuse, hang or are not there."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from provenance.facets import _accelerators, _gpu, _nvidia
from provenance.facets._gpu import Gpu


def smi(folder: Path, body: str) -> dict[str, str]:
    """Put a program called nvidia-smi into ``folder``; return an environment that finds it."""
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + body)
    program.chmod(0o755)
    return {"PATH": "%s:%s" % (folder, os.environ["PATH"])}


def driver(root: Path, *buses: str) -> str:
    """Make what the kernel driver shows in ``/proc``; return the root."""
    for bus in buses:
        folder = root / "proc/driver/nvidia/gpus" / bus
        folder.mkdir(parents=True)
        (folder / "information").write_text(
            "Model: \t\t NVIDIA A100\nGPU UUID: \t GPU-%s\nBus Location: \t %s\n" % (bus[5:7], bus)
        )
    (root / "proc/driver/nvidia/version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\nGCC version: 12\n"
    )
    return str(root)


def test_no_card_is_an_answer(tmp_path: Path) -> None:
    assert _gpu.look({"PATH": "/nonexistent"}, str(tmp_path)) == _gpu.Graphics()


GOOD = """case "$*" in
  *-q*COMPUTE*) echo "Driver Version : 535.104.05"; echo "CUDA Version   : 12.2" ;;
  *) echo "00000000:07:00.0, NVIDIA A100, GPU-07, 40960, 8.0, Disabled"
     echo "00000000:0F:00.0, NVIDIA A100, GPU-0f, 40960, 8.0, Enabled" ;;
esac
"""


def test_two_good_cards(tmp_path: Path) -> None:
    root = driver(tmp_path / "root", "0000:07:00.0", "0000:0f:00.0")
    found = _gpu.look(smi(tmp_path / "bin", GOOD), root)
    assert [(g.name, g.uuid, g.memory, g.capability, g.mig) for g in found.gpus] == [
        ("NVIDIA A100", "GPU-07", 40 << 30, "8.0", False),
        ("NVIDIA A100", "GPU-0f", 40 << 30, "8.0", True),
    ]
    assert found.gpus[0].how == ("/proc/driver/nvidia", "nvidia-smi")
    assert (found.driver, found.cuda_driver, found.notes) == ("535.104.05", "12.2", ())


ONE_ILL = """case "$*" in
  *-q*COMPUTE*) echo "CUDA Version : 12.2" ;;
  *0f:00.0*) echo "Unable to determine the device handle for GPU"; exit 15 ;;
  *-i*) echo "00000000:07:00.0, NVIDIA A100, GPU-07, 40960, 8.0, Disabled" ;;
  *) echo "Unable to determine the device handle for GPU"; exit 15 ;;
esac
"""


def test_one_ill_card_does_not_cost_the_other(tmp_path: Path) -> None:
    root = driver(tmp_path / "root", "0000:07:00.0", "0000:0f:00.0")
    found = _gpu.look(smi(tmp_path / "bin", ONE_ILL), root)
    assert [(g.name, g.memory, g.how[-1]) for g in found.gpus] == [
        ("NVIDIA A100", 40 << 30, "nvidia-smi"),
        ("NVIDIA A100", 0, "/proc/driver/nvidia"),
    ]
    (note,) = found.notes
    assert "0000:0f:00.0" in note
    assert "Unable to determine" in note


def test_a_program_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_nvidia, "SECONDS", 1.0)
    root = driver(tmp_path / "root", "0000:07:00.0")
    began = time.monotonic()
    found = _gpu.look(smi(tmp_path / "bin", "exec sleep 60\n"), root)
    assert time.monotonic() - began < 30, "it waited for the program"
    assert [g.name for g in found.gpus] == ["NVIDIA A100"]
    assert "did not answer in time" in " ".join(found.notes)


OLD = """case "$*" in
  *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2 ;;
  *-q*COMPUTE*) echo "CUDA Version : 10.1" ;;
  *) echo "00000000:07:00.0, Tesla K80, GPU-07, [N/A]" ;;
esac
"""


def test_an_old_program_is_asked_for_less(tmp_path: Path) -> None:
    found = _gpu.look(smi(tmp_path / "bin", OLD), driver(tmp_path / "root", "0000:07:00.0"))
    assert [(g.name, g.memory, g.capability) for g in found.gpus] == [("Tesla K80", 0, "")]
    assert found.notes == ()


def test_cards_of_amd(tmp_path: Path) -> None:
    nodes = tmp_path / "sys/class/kfd/kfd/topology/nodes"
    for node, simd, name in (("0", "0", ""), ("1", "304", "gfx90a")):
        (nodes / node).mkdir(parents=True)
        (nodes / node / "properties").write_text(
            "cpu_cores_count 0\nsimd_count %s\ngfx_target_version 90010\n" % simd
        )
        (nodes / node / "name").write_text(name + "\n")
    found = _gpu.look({"PATH": "/nonexistent"}, str(tmp_path))
    assert [(g.vendor, g.name, g.capability) for g in found.gpus] == [("amd", "gfx90a", "90010")]


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    body = "echo trouble >&2; echo No devices were found; exit 6\n"
    found = _gpu.look(smi(tmp_path / "bin", body), driver(tmp_path / "root", "0000:07:00.0"))
    assert found.notes
    assert capfd.readouterr() == ("", "")


def test_a_program_without_a_card_is_no_trouble(tmp_path: Path) -> None:
    environ = smi(tmp_path / "bin", "echo No devices were found; exit 6\n")
    assert _gpu.look(environ, str(tmp_path)) == _gpu.Graphics()


def test_cards_without_the_drivers_files(tmp_path: Path) -> None:
    found = _gpu.look(smi(tmp_path / "bin", GOOD), str(tmp_path))
    assert [g.how for g in found.gpus] == [("nvidia-smi",), ("nvidia-smi",)]
    assert found.driver == "535.104.05"


NVML = Path(__file__).with_name("nvml.c")


def nvml(folder: Path, *options: str) -> dict[str, str]:
    """Compile a library that answers as NVML does; return an environment that finds it."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    folder.mkdir()
    library = str(folder / "libnvidia-ml.so.1")
    words = [compiler, "-shared", "-fPIC", "-w", *options, "-o", library, str(NVML)]
    subprocess.run(words, check=True, capture_output=True)
    return {"PATH": "/nonexistent", "LD_LIBRARY_PATH": str(folder)}


def test_what_nvml_tells(tmp_path: Path) -> None:
    root = driver(tmp_path / "root", "0000:07:00.0", "0000:0f:00.0")
    environ = dict(nvml(tmp_path / "lib"), CUDA_VISIBLE_DEVICES="MIG-1")
    found = _gpu.look(environ, root)
    assert (found.driver, found.cuda_driver, found.notes) == ("535.104.05", "12.4", ())
    one, two = found.gpus
    assert one == Gpu(
        "nvidia",
        "NVIDIA H100",
        "0000:07:00.0",
        "GPU-07",
        80 << 30,
        "9.0",
        how=("/proc/driver/nvidia", "NVML"),
        ecc=True,
        power_limit_w=700.0,
        clocks_mhz={"sm": 1980, "memory": 2619},
        persistence=True,
        compute_mode="exclusive process",
        visible=False,
    )
    assert (two.mig, two.visible) == (True, True)
    assert [(part.uuid, part.memory) for part in two.instances] == [("MIG-1", 10 << 30)]


def test_a_driver_that_hangs_costs_what_it_had_not_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_nvidia, "SECONDS", 1.5)
    root = driver(tmp_path / "root", "0000:07:00.0", "0000:0f:00.0")
    environ = dict(nvml(tmp_path / "lib", "-DHANGS"))
    environ["PATH"] = smi(tmp_path / "bin", "touch %s/asked\n" % tmp_path)["PATH"]
    began = time.monotonic()
    found = _gpu.look(environ, root)
    assert time.monotonic() - began < 30, "it waited for the driver"
    assert [(g.uuid, g.memory, g.ecc) for g in found.gpus] == [
        ("GPU-07", 80 << 30, True),
        ("GPU-0f", 0, None),
    ]
    assert found.gpus[1].missing == {"the rest": "NVML did not answer in time"}
    assert found.notes == ("GPU: NVML did not answer in time",)
    assert not (tmp_path / "asked").exists(), "nvidia-smi would hang just the same"


def test_a_lost_card_and_a_refusal_are_named(tmp_path: Path) -> None:
    root = driver(tmp_path / "root", "0000:07:00.0", "0000:0f:00.0")
    found = _gpu.look(nvml(tmp_path / "lib", "-DLOST"), root)
    assert [(g.uuid, g.memory) for g in found.gpus] == [("GPU-07", 80 << 30), ("GPU-0f", 0)]
    assert found.gpus[0].missing == {"power_limit_w": "Unknown Error"}
    assert found.notes == (
        "GPU 0000:07:00.0: NVML did not tell power_limit_w: Unknown Error",
        "GPU 1: NVML: GPU is lost",
    )


def test_an_older_driver_is_no_trouble(tmp_path: Path) -> None:
    found = _gpu.look(nvml(tmp_path / "lib", "-DOLD"), driver(tmp_path / "root", "0000:07:00.0"))
    assert found.notes == ()
    why = "the library has no nvmlDeviceGetComputeMode"
    assert found.gpus[0].missing == {"compute_mode": why}
    assert found.gpus[0].memory == 80 << 30


def test_without_nvml_and_nvidia_smi_the_reason_is_kept(tmp_path: Path) -> None:
    root = driver(tmp_path / "root", "0000:07:00.0")
    found = _gpu.look({"PATH": "/nonexistent"}, root)
    assert [g.name for g in found.gpus] == ["NVIDIA A100"]
    (note,) = found.notes
    assert "nvidia-smi is not on PATH, and NVML cannot be used: libnvidia-ml.so.1" in note


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, [True, True]),
        ({"CUDA_VISIBLE_DEVICES": ""}, [False, False]),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, [False, False]),
        ({"CUDA_VISIBLE_DEVICES": "1"}, [False, True]),
        ({"CUDA_VISIBLE_DEVICES": "1,9,0"}, [False, True]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-0f"}, [False, True]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-"}, [False, False]),
    ],
)
def test_which_cards_the_command_may_see(
    tmp_path: Path, environ: dict[str, str], expected: list[bool]
) -> None:
    root = driver(tmp_path / "root", "0000:07:00.0", "0000:0f:00.0")
    found = _gpu.look(dict(environ, **smi(tmp_path / "bin", GOOD)), root)
    assert [gpu.visible for gpu in found.gpus] == expected
    assert _gpu.seen(environ, found.gpus) == environ


def test_numbers_of_different_cards_tell_nothing() -> None:
    cards = [Gpu("nvidia", "A", "0:1"), Gpu("nvidia", "B", "0:2")]
    assert [g.visible for g in _gpu._visible(cards, {"CUDA_VISIBLE_DEVICES": "0"})] == [None, None]
    by_bus = {"CUDA_VISIBLE_DEVICES": "0", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert [g.visible for g in _gpu._visible(cards, by_bus)] == [True, False]


def tool(folder: Path, name: str, body: str) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n" + body)
    (folder / name).chmod(0o755)
    return {"PATH": "%s:%s" % (folder, os.environ["PATH"])}


def amd(root: Path) -> str:
    """Make what the kernel shows of a processor and one card of AMD; return the root."""
    texts = {
        "sys/class/kfd/kfd/topology/nodes/0/properties": "simd_count 0\n",
        "sys/class/kfd/kfd/topology/nodes/1/properties": (
            "simd_count 304\ngfx_target_version 90402\nlocation_id 768\ndomain 0\n"
        ),
        "sys/class/kfd/kfd/topology/nodes/1/name": "ip discovery\n",
        "sys/class/drm/card1/device/uevent": "DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0\n",
        "sys/class/drm/card1/device/vendor": "0x1002\n",
        "sys/class/drm/card1/device/mem_info_vram_total": "206141652992\n",
        "sys/class/drm/card1-DP-1/status": "connected\n",
        "sys/module/amdgpu/version": "6.7.0\n",
        "opt/rocm/.info/version": "6.1.2-119\n",
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return str(root)


ROCM_SMI = """echo 'WARNING: AMD GPU device(s) is/are in a low-power state.'
echo '{"card0": {"Card Series": "AMD Instinct MI300X", "Unique ID": "0x5a1e", \
"PCI Bus": "0000:03:00.0", "Max Graphics Package Power (W)": "750.0"}}'
"""


def test_a_card_of_amd_in_full(tmp_path: Path) -> None:
    root = amd(tmp_path / "root")
    found = _gpu.look(tool(tmp_path / "bin", "rocm-smi", ROCM_SMI), root)
    assert found == _gpu.Graphics(
        (
            Gpu(
                "amd",
                "AMD Instinct MI300X",
                "0000:03:00.0",
                "0x5a1e",
                206141652992,
                "90402",
                how=("kfd", "drm", "rocm-smi"),
                power_limit_w=750.0,
                visible=True,
            ),
        ),
        "6.7.0",
        software={"rocm": "6.1.2-119"},
    )


def test_a_tool_of_amd_that_fails_costs_its_own_answer(tmp_path: Path) -> None:
    root = amd(tmp_path / "root")
    found = _gpu.look(tool(tmp_path / "bin", "rocm-smi", "echo broken; exit 2\n"), root)
    assert [(g.memory, g.how) for g in found.gpus] == [(206141652992, ("kfd", "drm"))]
    assert found.notes == ("GPU: rocm-smi ended with code 2: broken",)


def test_cards_of_intel_need_memory_of_their_own(tmp_path: Path) -> None:
    for card, address, memory in (("card0", "0000:00:02.0", ""), ("card1", "0000:4d:00.0", "8")):
        device = tmp_path / "sys/class/drm" / card / "device"
        device.mkdir(parents=True)
        (device / "vendor").write_text("0x8086\n")
        (device / "uevent").write_text("PCI_SLOT_NAME=%s\n" % address)
        if memory:
            (device.parent / "lmem_total_bytes").write_text(memory)
    body = """echo '{"device_list": [{"device_name": "Intel Data Center GPU Max 1550", \
"pci_bdf_address": "0000:4d:00.0", "uuid": "u-1"}]}'"""
    found = _accelerators.look(tool(tmp_path / "bin", "xpu-smi", body), str(tmp_path), "linux")
    assert [(g.name, g.bus, g.uuid, g.memory) for g in found.gpus] == [
        ("Intel Data Center GPU Max 1550", "0000:4d:00.0", "u-1", 8)
    ]


def test_tpus(tmp_path: Path) -> None:
    for n in range(2):
        device = tmp_path / "sys/class/accel" / ("accel%d" % n) / "device"
        device.mkdir(parents=True)
        (device / "vendor").write_text("0x1ae0\n")
        (device / "uevent").write_text("PCI_SLOT_NAME=0000:00:0%d.0\n" % (4 + n))
    environ = {"PATH": "/nonexistent", "TPU_ACCELERATOR_TYPE": "v4-8", "TPU_VISIBLE_DEVICES": "1"}
    found = _gpu.look(environ, str(tmp_path))
    assert [(g.name, g.bus, g.visible) for g in found.gpus] == [
        ("TPU v4-8", "0000:00:04.0", False),
        ("TPU v4-8", "0000:00:05.0", True),
    ]


def test_apple(tmp_path: Path) -> None:
    body = """echo '{"SPDisplaysDataType": [{"sppci_model": "Apple M2 Max", \
"sppci_cores": "38"}]}'"""
    environ = tool(tmp_path / "bin", "system_profiler", body)
    found = _accelerators.look(environ, str(tmp_path), "darwin")
    assert [(g.vendor, g.name) for g in found.gpus] == [("apple", "Apple M2 Max, 38 cores")]
