"""What the hook tells of a process: its command, its settings, its rank, how it and others ended.

Run by ``sitecustomize`` at its start, which gives ``log(kind, value)`` and ``load(name)`` (the
names of a file beside this one). Names of variables that may hold a secret are left out here
already; the reader looks again.
"""

import os
import sys

log, load = globals()["log"], globals()["load"]

# The same lists as in facets/_variables.py, which cannot be imported here; a test compares them.
_PREFIXES = tuple(
    (
        "CUDA_ CUDNN_ CUBLAS_ CUBLASLT_ NVIDIA_ NCCL_ HIP_ ROCR_ HSA_ MIOPEN_ OMP_ KMP_ GOMP_ MKL_ "
        "OPENBLAS_ BLIS_ VECLIB_ NUMEXPR_ NUMBA_ POLARS_ TBB_ ACCELERATE_ DEEPSPEED_ XLA_ LIBTPU_ "
        "JAX_ TF2_ KERAS_ TORCH_ TORCHINDUCTOR_ PYTORCH_ TRITON_ HF_ TRANSFORMERS_ DIFFUSERS_ "
        "LC_ MALLOC_ OMPI_COMM_WORLD_ SLURM_GPUS SLURM_ARRAY_ "
        "TF_CUDNN_ TF_CPP_ TF_DETERMINISTIC_ TF_DISABLE_ TF_ENABLE_ TF_FORCE_ TF_FUNCTION_ TF_GPU_ "
        "TF_NUM_ TF_ONEDNN_ TF_USE_ TF_XLA_"
    ).split()
)
_ALLOWED = frozenset(
    (
        "GOTO_NUM_THREADS RAYON_NUM_THREADS JULIA_NUM_THREADS TOKENIZERS_PARALLELISM "
        "LANG LANGUAGE TZ LD_PRELOAD LD_LIBRARY_PATH CONDA_DEFAULT_ENV CONDA_PREFIX VIRTUAL_ENV "
        "R_LIBS R_LIBS_USER WORLD_SIZE RANK LOCAL_RANK LOCAL_WORLD_SIZE GROUP_RANK NODE_RANK "
        "HOROVOD_RANK HOROVOD_SIZE HOROVOD_LOCAL_RANK "
        "SLURM_JOB_ID SLURM_JOBID SLURM_JOB_NUM_NODES SLURM_NNODES SLURM_NTASKS SLURM_NPROCS "
        "SLURM_PROCID SLURM_LOCALID SLURM_NODEID SLURM_CPUS_PER_TASK SLURM_CPUS_ON_NODE "
        "SLURM_TASKS_PER_NODE SLURM_STEP_ID SLURM_MEM_PER_NODE SLURM_MEM_PER_CPU "
        "SLURM_JOB_PARTITION PMI_RANK PMI_SIZE PMIX_RANK MPI_LOCALRANKID PBS_JOBID "
        "PBS_ARRAY_INDEX LSB_JOBID LSB_JOBINDEX JOB_ID SGE_TASK_ID NSLOTS "
        "PYTHONHASHSEED PYTHONOPTIMIZE PYTHONUTF8 PYTHONIOENCODING PYTHONPATH PYTHONHOME "
        "PYTHONNOUSERSITE PYTHONUSERBASE PYTHONSAFEPATH PYTHONDONTWRITEBYTECODE PYTHONWARNINGS "
        "PYTHONUNBUFFERED PYTHONMALLOC PYTHONDEVMODE PYTHONINTMAXSTRDIGITS PYTHON_GIL PYTHON_JIT"
    ).split()
)
_SECRET = ("TOKEN", "SECRET", "PASS", "KEY", "AUTH", "CREDENTIAL", "COOKIE")
_HELPERS = ("from multiprocessing.", "from joblib.", "from loky.", "from multiprocess.")
_LONGEST = 1000
_MOST_ENDS = 1000
"""Ends of child processes that one process tells."""

_first = {}
_ends = [0]


def facts():
    """Return what is known of this process at its start."""
    _first.update(_environ())
    return {"argv": _argv(), "environ": dict(_first), "host": os.uname().nodename}


def _environ():
    found = {}
    for name, value in os.environ.items():
        allowed = name.startswith(_PREFIXES) or name in _ALLOWED
        if allowed and not any(part in name for part in _SECRET):
            found[name] = value[:_LONGEST]
    return found


def _argv():
    argv = getattr(sys, "orig_argv", None)
    if argv is None:
        try:
            fd = os.open("/proc/self/cmdline", os.O_RDONLY)
        except OSError:
            return []
        try:
            words = os.read(fd, 1 << 16).split(b"\0")[:-1]
        finally:
            os.close(fd)
        argv = [os.fsdecode(word) for word in words]
    argv = list(argv)
    if (
        "-c" in argv[1:]
    ):  # a program is no place to look for secrets by name; that of a helper tells
        place = argv.index("-c", 1) + 1
        if not argv[place : place + 1] or not argv[place].startswith(_HELPERS):
            argv[place : place + 1] = ["..."]
    return load("_prov_events")["masked"](argv)


# --- while it runs -------------------------------------------------------------------------------


def patch(name, module):
    """Replace the functions of ``module`` that tell a rank, or how a child process ended."""
    replace = load("_prov_patches")["replace"]
    if name == "subprocess":
        replace(module.Popen, "_handle_exitstatus", _waited)
    elif name == "multiprocessing.process":
        replace(module.BaseProcess, "_bootstrap", _child)
    elif name == "multiprocessing.popen_fork":
        replace(module.Popen, "poll", _polled)
    elif name == "torch.distributed.distributed_c10d":
        replace(module, "init_process_group", _joined)
    elif name == "torch.multiprocessing.spawn":
        replace(module, "_wrap", _spawned)


def _told(function, *args):
    try:
        function(*args)
    except Exception:
        pass


def _waited(original, popen, *args, **kwargs):
    result = original(popen, *args, **kwargs)
    _told(_end, popen.pid, popen.returncode, popen.args)
    return result


def _polled(original, popen, *args, **kwargs):
    before = popen.returncode
    result = original(popen, *args, **kwargs)
    if before is None and result is not None:
        _told(_end, popen.pid, result, ())
    return result


def _end(pid, code, argv):
    """Log how a child process ended; what it was called only where it failed."""
    if code is None or _ends[0] >= _MOST_ENDS:
        return
    _ends[0] += 1
    if isinstance(argv, (str, bytes)) or hasattr(argv, "__fspath__"):
        argv = [argv]
    words = load("_prov_events")["masked"](argv) if code else []
    log("N", ("ended", {"pid": pid, "code": code, "argv": words}))


def _child(original, process, *args, **kwargs):
    """Log how a process of `multiprocessing` ends: a forked one runs no exit handlers."""
    result = original(process, *args, **kwargs)
    _told(_child_ended, result)
    return result


def _child_ended(code):
    log("N", ("leaving", dict(leave(), code=code)))


def _spawned(original, function, rank, *args, **kwargs):
    _told(log, "N", ("rank", {"rank": rank, "by": "torch.multiprocessing.spawn"}))
    return original(function, rank, *args, **kwargs)


def _joined(original, *args, **kwargs):
    result = original(*args, **kwargs)
    _told(_group)
    return result


def _group():
    module = sys.modules["torch.distributed.distributed_c10d"]
    told = {"rank": module.get_rank(), "size": module.get_world_size(), "by": "torch.distributed"}
    log("N", ("rank", dict(told, backend=str(module.get_backend()))))


# --- at the end ----------------------------------------------------------------------------------


def leave():
    """Return, for the report, what the program changed of its settings, its device, its error."""
    now = _environ()
    names = sorted(now.keys() | _first.keys())
    changed = {name: now.get(name) for name in names if now.get(name) != _first.get(name)}
    error = getattr(sys, "last_type", None)
    told = {"changed": changed, "error": getattr(error, "__name__", "")}
    for read in (_device, _world):
        try:
            told.update(read())
        except Exception:
            continue
    return told


def _device():
    """Return the GPU that torch used, where it has begun to use one; this begins nothing."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return {}
    number = torch.cuda.current_device()
    properties = torch.cuda.get_device_properties(number)
    found = {"number": number, "name": str(properties.name)}
    found["uuid"] = str(getattr(properties, "uuid", ""))
    found["peak_bytes"] = int(torch.cuda.max_memory_allocated(number))
    return {"device": found}


def _world():
    """Return the rank that mpi4py knows."""
    mpi = sys.modules.get("mpi4py.MPI")
    if mpi is None or not mpi.Is_initialized() or mpi.Is_finalized():
        return {}
    world = mpi.COMM_WORLD
    return {"mpi": {"rank": world.Get_rank(), "size": world.Get_size()}}
