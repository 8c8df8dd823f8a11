"""Processors, memory and versions, read from this machine and from the files of others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from provenance.core import codec
from provenance.core.context import AFTER, DURING, Interpreter
from provenance.core.record import Payload, captured
from provenance.facets import _cpu, _cuda, hardware
from provenance.facets._cpu import Cpu, Memory
from provenance.facets._gpu import Gpu
from provenance.facets.hardware import Cuda, Hardware
from tests.conftest import PYTHON
from tests.facet_contract import a_context, a_record

CPU = Cpu("Xeon", ("avx2", "fma"), 8, 4, 8)
A100 = Gpu("nvidia", "NVIDIA A100", "0000:07:00.0", "GPU-1", 40 << 30)
MACHINE = Hardware(CPU, Memory(64 << 30))
WITH_GPU = MACHINE._replace(gpus=(A100, A100), driver="535.1", cuda=Cuda("12.2", "12.1"))
NVML = A100._replace(ecc=True, power_limit_w=400.0, persistence=True, how=("NVML",))
TORCH = tuple(Cuda("12.2", "12.1", {"torch": "12.%d" % n}, {"torch": "9.%d.0" % n}) for n in (1, 4))
FULL = MACHINE._replace(gpus=(NVML,), driver="1", cuda=TORCH[0], software={"libtpu": "1"})


def payload(machine: Hardware) -> Payload:
    return captured(1, machine, "host")


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


def test_toolkit_and_runtime_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "version.json").write_text('{"cuda": {"version": "12.1.105"}}')
    assert _cuda.toolkit({"CUDA_HOME": str(tmp_path)}) == "12.1.105"
    (tmp_path / "version.json").write_text("{")
    (tmp_path / "version.txt").write_text("CUDA Version 10.2.89\n")
    assert _cuda.toolkit({"CUDA_HOME": str(tmp_path)}) == "10.2.89"
    assert _cuda.toolkit({}, str(tmp_path / "none")) == ""


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
        (WITH_GPU, WITH_GPU._replace(cuda=Cuda("12.4", "12.1")), ["CUDA of the driver"], []),
        (WITH_GPU, WITH_GPU._replace(cuda=Cuda()), [], []),
        (FULL, FULL, [], []),
        (FULL, FULL._replace(gpus=(A100,)), [], []),
        (FULL, FULL._replace(cuda=TORCH[1]), ["CUDA runtime of torch", "cuDNN of torch"], []),
        (FULL, FULL._replace(software={"libtpu": "2"}), ["libtpu"], []),
        (FULL, FULL._replace(gpus=(NVML._replace(ecc=False),)), ["GPU error correction"], []),
        (FULL, FULL._replace(gpus=(NVML._replace(power_limit_w=300.0),)), ["GPU power limit"], []),
        (FULL, MACHINE, [], ["GPU"]),
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


# --- what the run's own software tells -----------------------------------------------------------


def test_cudnn_and_cuda_by_who_told(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    for name in ("nvidia_cudnn_cu12-9.1.0.70", "nvidia_cuda_runtime_cu12-12.1.105", "libtpu-0.0.6"):
        (site / (name + ".dist-info")).mkdir(parents=True)
    settings = {"torch": {"cuda": "12.1", "cudnn": 90100, "hip": None}, "odd": 3}
    python = Interpreter("python", "/p", "3.11", sys_path=(str(site),), settings=settings)
    assert _cuda.frameworks((python,)) == _cuda.Installed(
        {"torch": "9.1.0", "nvidia-cudnn-cu12": "9.1.0.70"},
        {"torch": "12.1", "nvidia-cuda-runtime-cu12": "12.1.105"},
        {"libtpu": "0.0.6"},
    )
    assert _cuda._cudnn(8902) == "8.9.2"


def test_cudnn_of_a_header(tmp_path: Path) -> None:
    (tmp_path / "include").mkdir()
    text = "#define CUDNN_MAJOR 8\n#define CUDNN_MINOR 9\n#define CUDNN_PATCHLEVEL 7\n"
    (tmp_path / "include" / "cudnn_version.h").write_text(text)
    assert _cuda.header({"CUDA_HOME": str(tmp_path)}, "", ()) == "8.9.7"
    assert _cuda.header({}, "", ()) == ""


def test_the_end_of_a_run_adds_what_its_frameworks_told(tmp_path: Path) -> None:
    settings = {
        "torch": {"cuda": "12.1", "cudnn": 8902, "num_threads": 4},
        "numpy": {"blas": "scipy-openblas 0.3.27"},
        "threadpoolctl": {"libgomp": "openmp , 8 threads"},
    }
    python = Interpreter("python", "/p", "3.11", settings=settings)
    context = a_context(tmp_path, AFTER, interpreters=(python,), earlier=payload(WITH_GPU))
    view = codec.decode(Hardware, hardware.capture(context).subjects[0].payload)
    assert view.cuda == Cuda("12.2", "12.1", {"torch": "12.1"}, {"torch": "8.9.2"})
    assert view.gpus == WITH_GPU.gpus
    assert view.blas == {
        "torch": "4 threads",
        "numpy": "scipy-openblas 0.3.27",
        "libgomp": "openmp , 8 threads",
    }
    nothing = a_context(tmp_path, AFTER, interpreters=(), earlier=payload(MACHINE))
    assert hardware.capture(nothing) == payload(MACHINE)


def test_variables_of_threads_are_kept_and_secrets_are_not(tmp_path: Path) -> None:
    environ = {"OMP_NUM_THREADS": "4", "MKL_DYNAMIC": "FALSE", "HF_TOKEN": "x" * 20, "PATH": "/n"}
    answer = hardware.capture(a_context(tmp_path, DURING, environ=environ))
    assert answer.subjects[0].payload["threads"] == {"OMP_NUM_THREADS": "4", "MKL_DYNAMIC": "FALSE"}


def test_processors_in_full(tmp_path: Path) -> None:
    block = "processor\t: %d\nphysical id\t: %d\ncore id\t: 0\n"
    root = files(
        tmp_path,
        proc__cpuinfo="\n".join(block % (n, n // 2) for n in range(4)),
        sys__devices__system__cpu__smt__active="1\n",
        sys__devices__system__cpu__cpufreq__policy0__scaling_governor="performance\n",
        sys__devices__system__cpu__cpufreq__policy1__scaling_governor="powersave\n",
        sys__devices__system__node__node0__cpulist="0-1\n",
        sys__devices__system__node__node1__cpulist="2-3\n",
        sys__devices__system__node__online="0-1\n",
    )
    cpu = _cpu.cpu(root)
    assert (cpu.sockets, cpu.numa_nodes, cpu.smt) == (2, 2, True)
    assert cpu.governor == "performance,powersave"


def test_affinity_is_told_in_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 8})
    assert _cpu._affinity(16) == "0-2,8"
    assert _cpu._affinity(4) == ""


def test_a_real_run(prov: Any) -> None:
    environ = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    prov("run", "--", PYTHON, "-c", "import numpy", env=environ)
    found = codec.decode(Hardware, prov.payload("hardware"))
    assert found.threads["OMP_NUM_THREADS"] == "1"
    assert found.blas["numpy"]
    assert found.cpu.available == len(os.sched_getaffinity(0))
    assert not any(gpu.visible for gpu in found.gpus if gpu.vendor == "nvidia")
