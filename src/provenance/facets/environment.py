"""Which environment variables the command had: all names, and the values of harmless ones only."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import DURING, Context
from provenance.core.difference import NONE, UNKNOWN, Comparison, Difference
from provenance.core.record import Payload, Record, captured
from provenance.core.redact import MASK, is_secret_name
from provenance.facets import _facet

NAME = "environment"
VERSION = 1
PHASES = (DURING,)
SITE = _facet.HOST

LONGEST = 1000
"""Longer values are cut: they are lists of folders, not settings."""

_OURS = "PROV_"

# TF_ alone would take in Terraform's variables (TF_VAR_...).
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
"""Variables whose values are recorded (with those of `_PREFIXES`), unless their name speaks of a
secret (HF_TOKEN)."""

_THREADS = ("_NUM_THREADS", "_MAX_THREADS", "_MAXIMUM_THREADS", "_THREAD_LIMIT")
_RESULTS = frozenset(
    (
        "MKL_CBWR MKL_DYNAMIC MKL_ENABLE_INSTRUCTIONS MKL_DEBUG_CPU_TYPE MKL_THREADING_LAYER "
        "OPENBLAS_CORETYPE OMP_DYNAMIC OMP_SCHEDULE KMP_DETERMINISTIC_REDUCTION NUMBA_DISABLE_JIT "
        "NUMBA_ENABLE_CUDASIM NUMBA_CPU_NAME NUMBA_CPU_FEATURES CUBLAS_WORKSPACE_CONFIG "
        "CUDNN_DETERMINISTIC CUDA_VISIBLE_DEVICES CUDA_LAUNCH_BLOCKING CUDA_DEVICE_ORDER "
        "HIP_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES NVIDIA_VISIBLE_DEVICES NVIDIA_TF32_OVERRIDE "
        "NCCL_ALGO NCCL_PROTO XLA_FLAGS JAX_ENABLE_X64 JAX_PLATFORMS JAX_PLATFORM_NAME "
        "JAX_DISABLE_JIT JAX_DEFAULT_MATMUL_PRECISION JAX_DEFAULT_PRNG_IMPL "
        "JAX_THREEFRY_PARTITIONABLE JAX_NUMPY_DTYPE_PROMOTION TF_DETERMINISTIC_OPS "
        "TF_CUDNN_DETERMINISTIC TF_CUDNN_USE_AUTOTUNE TF_ENABLE_ONEDNN_OPTS TF_USE_LEGACY_KERAS "
        "TF_XLA_FLAGS TF_DISABLE_MKL KERAS_BACKEND TORCH_ALLOW_TF32_CUBLAS_OVERRIDE "
        "TORCH_BLAS_PREFER_CUBLASLT PYTORCH_JIT PYTORCH_ENABLE_MPS_FALLBACK PYTHONHASHSEED "
        "PYTHONOPTIMIZE PYTHONUTF8 PYTHON_GIL WORLD_SIZE SLURM_NTASKS LD_PRELOAD"
    ).split()
)
"""Variables that can change a result: threads, determinism, devices, precision."""

upgrade = _facet.nothing_to_upgrade


class Environment(NamedTuple):
    """The command's environment.

    names: of all variables, sorted, our own left out. values: of those on the allow-list.
    """

    names: Tuple[str, ...]
    values: Dict[str, str]


def capture(context: Context) -> Payload:
    """Return names of all variables and values of the allowed ones, redacted."""
    environ = {n: v for n, v in context.environ.items() if not n.startswith(_OURS)}
    names = tuple(sorted(context.redact.text(name) for name in environ))
    values = {
        name: context.redact.value(name, value[:LONGEST])
        for name, value in sorted(environ.items())
        if has_public_value(name)
    }
    return captured(VERSION, Environment(names, values))


def has_public_value(name: str) -> bool:
    """Return whether the value of a variable of this name is recorded."""
    allowed = name.startswith(_PREFIXES) or name in _ALLOWED
    return allowed and not is_secret_name(name)


def can_change_results(name: str) -> bool:
    """Return whether the value of a variable of this name can change what a program computes."""
    return name in _RESULTS or name.endswith(_THREADS) or name.startswith("TORCHINDUCTOR_")


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare what can change results value by value; the rest is one difference without effect."""
    was, now = _of(old), _of(new)
    subject = old.subjects[0].id
    relevant = sorted(n for n in set(was.values) | set(now.values) if can_change_results(n))
    found: List[Difference] = []
    for name in relevant:
        before, after = was.values.get(name), now.values.get(name)
        if before != after and MASK not in (before, after):
            kind = "added" if before is None else ("removed" if after is None else "changed")
            found.append(Difference(NAME, subject, kind, name, UNKNOWN, before, after))
    equal = len(relevant) - len(found)
    others = _other_names(subject, was, now)
    # Names are one fact together: a login shell has a dozen that change from day to day.
    total = len(relevant) + 1
    return Comparison(tuple(found) + others, equal + (0 if others else 1), total, "variables")


def _other_names(subject: str, old: Environment, new: Environment) -> Tuple[Difference, ...]:
    told = {n for n in (*old.values, *new.values) if can_change_results(n)}
    gone = sorted(set(old.names) - set(new.names) - told)
    here = sorted(set(new.names) - set(old.names) - told)
    if not gone and not here:
        return ()
    text = "%d set then and not now, %d set now and not then" % (len(gone), len(here))
    sides: Tuple[Any, Any] = (gone, here)
    return (Difference(NAME, subject, "changed", "other names", NONE, *sides, (), text),)


def _of(payload: Payload) -> Environment:
    return codec.decode(Environment, payload.subjects[0].payload)


def of(record: Record) -> Optional[Environment]:
    """Return the environment; None where the record has none."""
    found = record.payloads(NAME)
    return codec.decode(Environment, found[0].payload) if found else None
