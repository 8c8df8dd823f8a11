"""What a file probably is, by its name alone."""

from __future__ import annotations

import os
import re
from typing import FrozenSet

from provenance.core import filekinds

OUTPUT, CHECKPOINT, METRICS, LOG, PLOT = "output", "checkpoint", "metrics", "log", "plot"
INTERMEDIATE, UPDATED, LINK, FOLDER = "intermediate", "updated", "link", "folder"
DATA, CONFIG, PACKAGED = "data", "config", "packaged"

CONFIG_LIMIT = 1 << 20
"""Bytes: a larger .json or .yaml is data (annotations, vocabularies), not configuration."""

TELLING = re.compile(
    r"metric|history|result|score|progress|(?:^|[_\-.\d])logs?(?:$|[_\-.\d])", re.I
)
"""Names that say that a table holds metrics."""

TABLES = frozenset(".csv .tsv .jsonl .ndjson".split())
_METRIC_SUFFIXES = TABLES | frozenset(".json .yaml .yml".split())
_CHECKPOINTS = frozenset(
    (
        ".pt .pth .ckpt .safetensors .h5 .hdf5 .keras .pkl .pickle .joblib .npz .onnx .bin "
        ".msgpack .pdparams .params .tflite .orbax .gguf .ubj .cbm"
    ).split()
)
_CHECKPOINT_FOLDER = re.compile(r"^(?:checkpoints?|ckpts?)(?:[-_.]?\d+)?$|\.orbax", re.I)
_PLOTS = frozenset(".png .jpg .jpeg .svg .pdf .eps .gif .tif .tiff .webp".split())
_LOGS = frozenset(".log .out .err".split())
_LITTER = re.compile(r"~$|^\.#|^#.*#$|\.sw[a-p]$|^4913$|^\.DS_Store$|^\.nfs|\.tmp$")


def output_kind(path: str) -> str:
    """Return the kind of a file that a run wrote."""
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    suffix = suffix.lower()
    if suffix in _METRIC_SUFFIXES and TELLING.search(stem):
        return METRICS
    if suffix in _LOGS or name == "nohup.out" or name.startswith("events.out.tfevents"):
        return LOG
    if suffix == ".txt" and re.search(r"(?:^|[_\-.])log(?:$|[_\-.\d])", stem, re.I):
        return LOG
    if suffix in _CHECKPOINTS or _CHECKPOINT_FOLDER.search(os.path.basename(folder)):
        return CHECKPOINT
    return PLOT if suffix in _PLOTS else OUTPUT


def input_kind(path: str, size: int) -> str:
    """Return the kind of a file that a run read."""
    if filekinds.is_package_data(path):
        return PACKAGED
    return CONFIG if filekinds.is_config(path) and size <= CONFIG_LIMIT else DATA


def is_litter(path: str) -> bool:
    """Return whether ``path`` has the name of an editor's or system's passing file."""
    return _LITTER.search(os.path.basename(path)) is not None


_HOME_CACHES = tuple(
    (
        ".cache/matplotlib .config/matplotlib .matplotlib .cache/fontconfig .cache/pip .cache/uv "
        ".nv .triton .cache/torch/kernels .cache/torch_extensions .cache/wandb .config/wandb "
        ".cache/mesa_shader_cache .ipython .jupyter .local/share/jupyter .config/git .conda .dvc "
        ".keras/keras.json .netrc .gitconfig .pyenv .rustup .cargo .ssh .aws .config/gcloud "
        ".kaggle .condarc .cache/huggingface/token .huggingface .python_history"
    ).split()
)


def telling_names() -> FrozenSet[str]:
    """Return the names by which a file is left out though others in its folder are not."""
    return filekinds.IGNORED_FOLDERS | {one.rpartition("/")[2] for one in _HOME_CACHES}


_DVC_STATE = re.compile(r"/repo/[0-9a-f]{32}/(?:hashes|links|index|lock|rwlock|tmp)\b")


def is_dvc_state(path: str) -> bool:
    """Return whether ``path`` is of what DVC keeps for itself (``/var/tmp/dvc/repo/...``)."""
    return _DVC_STATE.search(path.replace(os.sep, "/")) is not None


def is_home_cache(path: str, home: str) -> bool:
    """Return whether ``path`` is a library's own cache or setting, or a key, in the home folder."""
    if not path.startswith(home.rstrip(os.sep) + os.sep):
        return False
    below = os.path.relpath(path, home).replace(os.sep, "/")
    return any(below == one or below.startswith(one + "/") for one in _HOME_CACHES)
