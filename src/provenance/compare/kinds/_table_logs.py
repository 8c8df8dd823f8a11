"""Which tables are logs of a run, where times do not count, and which are data, where they do.

The duration of a ride is what a model learns; that of an epoch says nothing of the result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from provenance.core.volatile import is_volatile_name

_WORDS = frozenset(
    "step steps epoch epochs iter iteration iterations loss acc accuracy f1 auc bleu rouge ppl "
    "perplexity rmse mae mse lr seed fold trial train val valid validation test eval".split()
)
_OF_THE_RUN = frozenset(
    "wall walltime elapsed runtime uptime eta hostname pid rss vram fps throughput train training "
    "fit predict inference eval run".split()
)
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")


def is_log(names: Iterable[str]) -> bool:
    """Return whether columns of these names are those of a log or of a table of results."""
    return any(_WORDS & _words(name) for name in names)


def is_clock(name: str, log: bool) -> bool:
    """Return whether a column does not count: a time, rate or memory of the run.

    log: whether the table is one (see `is_log`); elsewhere ``duration`` is data, ``wall_time`` not.
    """
    return is_volatile_name(name) and (log or bool(_OF_THE_RUN & _words(name)))


def _words(name: str) -> set[str]:
    return {word.lower() for word in _SPLIT.split(name)}
