"""The environment of a rehearsal: nothing secret, nothing drawn, one thread, no outside world.

A cache that libraries only read stays where it is. Those that they write to are made anew, from
links to the files of the user's.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Mapping

from provenance.agent import launch
from provenance.core.redact import MASK, is_secret_name
from provenance.operations import _scratch_home

_THREADS = (
    "OMP_NUM_THREADS OPENBLAS_NUM_THREADS MKL_NUM_THREADS BLIS_NUM_THREADS GOTO_NUM_THREADS "
    "VECLIB_MAXIMUM_THREADS NUMEXPR_NUM_THREADS NUMEXPR_MAX_THREADS NUMBA_NUM_THREADS "
    "RAYON_NUM_THREADS POLARS_MAX_THREADS TF_NUM_INTRAOP_THREADS TF_NUM_INTEROP_THREADS"
).split()
"""Thread counts: sums that are split among threads end in other digits."""

_FIXED = {
    "MPLBACKEND": "Agg",
    "TOKENIZERS_PARALLELISM": "false",
    "WANDB_MODE": "disabled",
    "WANDB_SILENT": "true",
    "COMET_MODE": "disabled",
    "NEPTUNE_MODE": "debug",
    "CLEARML_OFFLINE_MODE": "1",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DO_NOT_TRACK": "1",
    "PIP_NO_INDEX": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONUNBUFFERED": "1",
}

_REMOVED = (
    "PYTHONDONTWRITEBYTECODE PYTHONSTARTUP PYTHONINSPECT PYTHONBREAKPOINT PYTHONPYCACHEPREFIX "
    "SSH_AUTH_SOCK SSH_AGENT_PID GPG_AGENT_INFO DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY "
    "XAUTHORITY XDG_RUNTIME_DIR DOCKER_HOST MLFLOW_TRACKING_TOKEN WANDB_SERVICE"
).split()
"""What leads to other programs of the user, or changes what the interpreter does at its start."""

_TOKENS = frozenset(("token", "stored_tokens"))
MOST_LINKS = 20000


def cleaned(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` without our hook and with secrets masked: their names stay."""
    kept = {}
    for name, value in launch.unhooked_environment(environ).items():
        if name in _REMOVED or name.startswith("PROV_"):
            continue
        kept[name] = MASK if value and is_secret_name(name) else value
    return kept


class Settings:
    """What a rehearsal's environment is to say.

    rest: a folder for what is neither code nor data. temporary: one for temporary files.
    """

    def __init__(self, rest: str, temporary: str) -> None:
        self._rest, self._temporary = rest, temporary
        self.notes: tuple[str, ...] = ()

    def applied(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return ``environ`` for a rehearsal, making the folders that it names. Raises OSError."""
        changed = dict(environ, **_FIXED)
        changed.update(dict.fromkeys(_THREADS, "1"))
        if not changed.get("PYTHONHASHSEED", "").isdigit():
            changed["PYTHONHASHSEED"] = "0"  # "random" or none: then sets have no order to compare
        for name in ("TMPDIR", "TEMP", "TMP", "JOBLIB_TEMP_FOLDER"):
            changed[name] = self._temporary
        changed["HOME"] = self._home(environ)
        changed["MPLCONFIGDIR"] = self._matplotlib(environ)
        changed["HF_HOME"] = self._hugging_face(environ)
        for name, folder in (
            ("NUMBA_CACHE_DIR", "numba"),
            ("TRITON_CACHE_DIR", "triton"),
            ("TORCHINDUCTOR_CACHE_DIR", "inductor"),
            ("CUDA_CACHE_PATH", "cuda"),
            ("WANDB_DIR", "wandb"),
            ("IPYTHONDIR", "ipython"),
            ("JUPYTER_RUNTIME_DIR", "jupyter"),
        ):
            changed[name] = self._folder(folder)
        changed["MLFLOW_TRACKING_URI"] = "file://" + self._folder("mlruns")
        return changed

    def _folder(self, name: str) -> str:
        path = os.path.join(self._rest, name)
        os.makedirs(path, exist_ok=True)
        return path

    def _home(self, environ: Mapping[str, str]) -> str:
        own = environ.get("HOME") or os.path.expanduser("~")
        return _scratch_home.make(own, os.path.join(self._rest, "home"))

    def _matplotlib(self, environ: Mapping[str, str]) -> str:
        """Return a folder with the user's settings and list of fonts: making that takes seconds."""
        folder = self._folder("matplotlib")
        own = environ.get("MPLCONFIGDIR")
        sources = [
            os.path.join(own or _xdg(environ, "XDG_CONFIG_HOME", ".config", "matplotlib"), "*rc"),
            os.path.join(own or _xdg(environ, "XDG_CACHE_HOME", ".cache", "matplotlib"), "*.json"),
        ]
        for pattern in sources:
            for path in glob.glob(pattern):
                if os.path.isfile(path) and os.path.getsize(path) < 1 << 22:
                    shutil.copyfile(path, os.path.join(folder, os.path.basename(path)))
        return folder

    def _hugging_face(self, environ: Mapping[str, str]) -> str:
        own = environ.get("HF_HOME") or _xdg(environ, "XDG_CACHE_HOME", ".cache", "huggingface")
        folder = self._folder("huggingface")
        if not mirror(own, folder, _TOKENS):
            shutil.rmtree(folder, ignore_errors=True)
            self.notes += ("%s holds too many files: used as it is, read only" % own,)
            return own
        return folder


def mirror(source: str, target: str, without: frozenset[str] = frozenset()) -> bool:
    """Make the folders of ``source`` below ``target``, with links to the files.

    Return False where there are more than `MOST_LINKS` of them. Raises OSError.
    """
    made = 0
    for path, folders, names in os.walk(source):
        here = os.path.normpath(os.path.join(target, os.path.relpath(path, source)))
        os.makedirs(here, exist_ok=True)
        linked = [name for name in folders if os.path.islink(os.path.join(path, name))]
        for name in (*linked, *names):
            if name not in without:
                os.symlink(os.path.realpath(os.path.join(path, name)), os.path.join(here, name))
        made += len(names) + len(folders)
        if made > MOST_LINKS:
            return False
    return True


def _xdg(environ: Mapping[str, str], variable: str, below: str, name: str) -> str:
    home = environ.get("HOME") or os.path.expanduser("~")
    return os.path.join(environ.get(variable) or os.path.join(home, below), name)
