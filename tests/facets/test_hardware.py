"""Processors, memory and cards, read from this machine and from the files of others."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from provenance.core import codec
from provenance.core.context import DURING, Interpreter
from provenance.core.record import Payload, captured
from provenance.facets import _cpu, _gpu, hardware
from provenance.facets._cpu import Cpu, Memory
from provenance.facets._gpu import Gpu
from provenance.facets.hardware import Cuda, Hardware
from tests.facet_contract import a_context, a_record

CPU = Cpu("Xeon", ("avx2", "fma"), 8, 4, 8)
A100 = Gpu("nvidia", "NVIDIA A100", "0000:07:00.0", "GPU-1", 40 << 30)
MACHINE = Hardware(CPU, Memory(64 << 30))
WITH_GPU = MACHINE._replace(gpus=(A100, A100), driver="535.1", cuda=Cuda("12.2", "12.1"))


def payload(machine: Hardware) -> Payload:
    return captured(1, machine, "host")


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


def test_this_machine(tmp_path: Path) -> None:
    answer = hardware.capture(a_context(tmp_path, DURING))
    view = codec.decode(Hardware, answer.subjects[0].payload)
    assert answer.subjects[0].id == "host"
    assert view.cpu.logical >= 1
    assert view.cpu.available == len(os.sched_getaffinity(0))
    assert view.memory.total == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_affinity_counts_what_may_be_used() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert _cpu.cpu().available == 1
    finally:
        os.sched_setaffinity(0, before)


def files(root: Path, **texts: str) -> str:
    for name, text in texts.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


def test_processors_from_cpuinfo(tmp_path: Path) -> None:
    block = "processor\t: %d\nmodel name\t: Xeon X\nphysical id\t: 0\ncore id\t: %d\n"
    block += "flags\t: fpu avx2 fma amx_tile\n"
    root = files(tmp_path, proc__cpuinfo="\n".join(block % (n, n // 2) for n in range(4)))
    cpu = _cpu.cpu(root)
    assert (cpu.model, cpu.logical, cpu.physical) == ("Xeon X", 4, 2)
    assert cpu.flags == ("amx_tile", "avx2", "fma")


def test_arm_processors(tmp_path: Path) -> None:
    text = "processor\t: 0\nFeatures\t: fp asimd sve\n\nModel\t\t: Raspberry Pi\n"
    cpu = _cpu.cpu(files(tmp_path, proc__cpuinfo=text))
    assert (cpu.logical, cpu.physical, cpu.flags) == (1, None, ("asimd", "sve"))


def test_limits_of_control_groups_version_2(tmp_path: Path) -> None:
    root = files(
        tmp_path,
        proc__self__cgroup="0::/job/step\n",
        proc__meminfo="MemTotal:  1000 kB\nSwapTotal: 10 kB\n",
    )
    top = tmp_path / "sys/fs/cgroup"
    (top / "job/step").mkdir(parents=True)
    (top / "job/cpu.max").write_text("250000 100000\n")
    (top / "job/step/cpu.max").write_text("max 100000\n")
    (top / "job/step/memory.max").write_text("max\n")
    (top / "job/memory.max").write_text("524288\n")
    assert _cpu.cpu(root).quota == 2.5
    assert _cpu.memory(root) == Memory(1024000, 10240, 524288)


def test_limits_of_control_groups_version_1(tmp_path: Path) -> None:
    text = "4:cpu,cpuacct:/docker/1\n3:memory:/docker/1\n"
    root = files(tmp_path, proc__self__cgroup=text)
    for name, value in (
        ("cpu/cpu.cfs_quota_us", "150000"),
        ("cpu/cpu.cfs_period_us", "100000"),
        ("memory/memory.limit_in_bytes", "9223372036854771712"),
    ):
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value + "\n")
    assert _cpu.cpu(root).quota == 1.5
    assert _cpu.memory(root).limit is None


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
    monkeypatch.setattr(_gpu, "SECONDS", 0.3)
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


def test_toolkit_and_runtime_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "version.json").write_text('{"cuda": {"version": "12.1.105"}}')
    assert hardware.toolkit({"CUDA_HOME": str(tmp_path)}) == "12.1.105"
    (tmp_path / "version.json").write_text("{")
    (tmp_path / "version.txt").write_text("CUDA Version 10.2.89\n")
    assert hardware.toolkit({"CUDA_HOME": str(tmp_path)}) == "10.2.89"
    assert hardware.toolkit({}, str(tmp_path / "none")) == ""
    settings = {"torch": {"cuda": "11.8"}, "numpy": {"blas": "x"}, "odd": 3}
    python = Interpreter("python", "/p", "3.11", settings=settings)
    context = a_context(tmp_path, DURING, interpreters=(python,))
    assert hardware._runtimes(context) == {"torch": "11.8"}


@pytest.mark.parametrize(
    ("old", "new", "names", "missing"),
    [
        (MACHINE, MACHINE, [], []),
        (MACHINE, MACHINE._replace(cpu=CPU._replace(model="EPYC")), ["CPU"], []),
        (MACHINE, MACHINE._replace(cpu=CPU._replace(flags=())), ["CPU instruction sets"], []),
        (MACHINE, MACHINE._replace(cpu=CPU._replace(available=1)), ["CPU threads available"], []),
        (MACHINE, MACHINE._replace(memory=Memory(16 << 30)), ["memory"], []),
        (MACHINE, MACHINE._replace(memory=Memory((64 << 30) + 5)), [], []),
        (WITH_GPU, MACHINE, [], ["GPU"]),
        (MACHINE, WITH_GPU, ["GPUs"], []),
        (WITH_GPU, WITH_GPU._replace(gpus=(A100,)), ["GPUs"], []),
        (WITH_GPU, WITH_GPU._replace(driver="550.1"), ["GPU driver"], []),
        (WITH_GPU, WITH_GPU._replace(cuda=Cuda("12.2", "12.4")), ["CUDA toolkit"], []),
    ],
)
def test_differences(old: Hardware, new: Hardware, names: Any, missing: Any) -> None:
    found = hardware.compare(payload(old), payload(new))
    assert [d.name for d in found.differences] == names
    assert {d.effect for d in found.differences} <= {"none", "unknown"}
    assert [n.what for n in found.not_compared] == missing
    assert found.total - found.equal == len(names)


def test_cards_are_counted_in_words() -> None:
    (one,) = hardware.compare(
        payload(WITH_GPU), payload(WITH_GPU._replace(gpus=(A100,)))
    ).differences
    assert (one.old, one.new) == ("2 x NVIDIA A100", "NVIDIA A100")


def test_view(tmp_path: Path) -> None:
    assert hardware.of(a_record(tmp_path, {"hardware": payload(WITH_GPU)})) == WITH_GPU
