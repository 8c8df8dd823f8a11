"""When two defaults of a parameter are the same to a caller, and when their change says nothing.

Each rule gives its reason in words. They come from signatures of the scientific libraries over
their releases, where raw comparison raised an alarm and an ordinary call gave the same result.
"""

from __future__ import annotations

import math
import re
from typing import Any, List

_STAND_IN = re.compile(
    r"(?i)^(auto_|_)*(no_?default|no_?value|sentinel|unset|missing|deprecated|undefined|not_?given|"
    r"default_?value_?placeholder|unspecified|not_?set|empty)_*(type)?$"
)
_WARNING_TEXTS = frozenset(("warn", "deprecated", "warn_deprecated"))
_EFFORT = frozenset(
    "n_jobs njobs nthread nthreads n_threads num_threads workers num_workers n_workers threads "
    "copy copy_x copy_X copy_U overwrite_x overwrite_a overwrite_b check_finite pre_dispatch "
    "cache_size memory precompute_distances parallel parallel_edges low_memory chunksize "
    "working_memory foreach fused capturable maximize differentiable jit compile "
    "use_multiprocessing max_queue_size return_output".split()
)
"""Parameters that say how the work is done, by their meaning not what comes out."""
_DISPLAY = frozenset(
    "verbose verbosity verbose_eval verbose_feature_names_out disp iprint display progress "
    "progress_bar show_progress show_progress_bar log_level logging_steps name desc print_fn "
    "out file stacklevel silent quiet report doc title label colorbar figsize ax fig "
    "enable_progress_bar".split()
)
"""Parameters that say what is shown, or how a thing is called."""


def shown(value: Any) -> str:
    """Return a default as people write it: ``'auto'``, ``1e-05``, ``no_default``."""
    if isinstance(value, dict):
        for member in ("name", "type"):
            if member in value:
                return str(value[member]).rpartition(".")[2]
        for member in ("code", "float"):
            if member in value:
                return str(value[member])
        if "dict" in value:
            inside = ("%r: %s" % (k, shown(v)) for k, v in value["dict"].items())
            return "{%s}" % ", ".join(inside)
        return "set(%s)" % ", ".join(shown(one) for one in value.get("set", ()))
    if isinstance(value, list):
        return "(%s)" % ", ".join(shown(one) for one in value)
    return repr(value)


def why_equal(old: Any, new: Any) -> str:
    """Return "same" for equal forms, a reason where they differ only in writing, "" else."""
    if old == new and isinstance(old, bool) == isinstance(new, bool):
        return "same"
    if any(isinstance(one, dict) and "unknown" in one for one in (old, new)):
        return "not stated in a stub"
    numbers = [_as_number(one) for one in (old, new)]
    if None not in numbers and (numbers[0] == numbers[1] or _both_nan(numbers)):
        return "the same number"
    if _is_empty(old) and _is_empty(new):
        return "both mean nothing"
    if _word(old) and _word(old) == _word(new):
        return "the same in another spelling"
    if _same_items(old, new):
        return "the same items"
    for one, other in ((old, new), (new, old)):
        if isinstance(one, list) and one and all(why_equal(item, other) for item in one):
            return "one number for all"
    codes = [isinstance(one, dict) and ("code" in one or "type" in one) for one in (old, new)]
    if any(codes):
        return "made by code"
    return ""


def _same_items(old: Any, new: Any) -> bool:
    if not (isinstance(old, list) and isinstance(new, list) and len(old) == len(new)):
        return False
    return all(why_equal(a, b) for a, b in zip(old, new))


def _both_nan(numbers: List[Any]) -> bool:
    return all(isinstance(one, float) and math.isnan(one) for one in numbers)


def _as_number(value: Any) -> Any:
    if isinstance(value, dict):
        if "float" in value:
            return float(value["float"])
        name = str(value.get("name", "")).rpartition(".")[2].lower()
        named = {"nan": math.nan, "inf": math.inf, "infty": math.inf, "pi": math.pi}
        return named.get(name)
    return value if isinstance(value, (int, float)) else None


def _is_empty(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("dict") == {} or value.get("set") == []
    return value is None or value in ([], "")


def _word(value: Any) -> str:
    """Return the one word that a default comes down to: 'Adam', 'adam' and optim.Adam are one."""
    if isinstance(value, dict):
        value = value.get("name")
    if not isinstance(value, str) or not value:
        return ""
    word = value.rpartition(".")[2] if "/" not in value else value
    return re.sub(r"[\s_\-]+", "", word).lower()


def is_stand_in(value: Any) -> bool:
    """Return whether a default only stands for "not passed": ``no_default``, 'deprecated'."""
    if isinstance(value, dict) and "name" in value:
        return bool(_STAND_IN.match(str(value["name"]).rpartition(".")[2]))
    return isinstance(value, str) and (
        value in _WARNING_TEXTS or bool(_STAND_IN.match(value)) or value.startswith("<no")
    )


def why_quiet(name: str, old: Any, new: Any) -> str:
    """Return why the change of the default of ``name`` says nothing, "" where it may matter."""
    if name in _EFFORT:
        return "says how the work is done"
    if name in _DISPLAY:
        return "says what is shown"
    if is_stand_in(new) and not _is_choice(old):
        return "stands for the old default while that is deprecated"
    return ""


def _is_choice(value: Any) -> bool:
    """Return whether a default names one of several ways, which a stand-in no longer does."""
    if not isinstance(value, str) or is_stand_in(value):
        return False
    return bool(value) and _word(value) not in ("auto", "default", "none", "infer")
