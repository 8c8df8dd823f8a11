"""Rehearse the probes of the known changes: what would be found if nobody knew of them?

Each probe is rehearsed as `prov verify` rehearses a run (`operations.rehearse`): twice in the old
release, once in the new one, and the tapes are compared. No entry is looked at for that. A change
is *found* where a root names a symbol of its entry, or lies on a line that uses one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

import _behaviour_places

from provenance.compare import roots, tapes
from provenance.compare import tape as tapes_
from provenance.compare.roots import Compared, Root
from provenance.compare.tape import Tape
from provenance.operations.rehearse import RUNNER

LIMIT_S = 180.0
STEADY = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JAX_PLATFORMS": "cpu",
}


class Judged(NamedTuple):
    """What rehearsing gave. named, placed: a root is right. said: the roots, for people."""

    named: bool
    placed: bool
    any: bool
    said: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether a root is at the right symbol."""
        return self.named or self.placed


def taped(
    python: str,
    script: str,
    more: Mapping[str, str],
    loops: Iterable[tuple[int, int, int]] | None = None,
    seed: str = "0",
) -> str:
    """Return the lines of the tape of ``script`` in an environment. Raises OSError without one."""
    with tempfile.TemporaryDirectory() as folder:
        path, told = os.path.join(folder, "tape"), os.path.join(folder, "settings.json")
        work = Path(folder) / "work"
        work.mkdir()
        (work / "probe.py").write_text(script, encoding="utf-8")
        settings = {
            "tape": path,
            "script": str(work / "probe.py"),
            "argv": [],
            "own": [str(work)],
            "rows": 0,
            "limit_s": LIMIT_S / 3,
        }
        if loops is not None:
            settings.update(follows=True, loops=[list(one) for one in loops])
        Path(told).write_text(json.dumps(settings), encoding="utf-8")
        env = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "VIRTUAL_ENV"))}
        env.update({**STEADY, "PYTHONHASHSEED": seed, **more})
        done = subprocess.run(
            [python, os.path.join(RUNNER, "_prov_rehearse.py"), told],
            cwd=work, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        try:
            return Path(path).read_text(encoding="utf-8")
        except OSError:
            raise OSError(done.stderr.strip()[-400:]) from None


def three(pythons: tuple[str, str], script: str, more: Mapping[str, str]) -> tuple[str, str, str]:
    """Return the lines of three tapes: old release, new release, old release again."""
    old = taped(pythons[0], script, more)
    loops = tapes_.read(old.splitlines()).loops
    again = taped(pythons[0], script, more, loops, "1")
    return old, taped(pythons[1], script, more, loops), again


def compared(texts: tuple[str, str, str]) -> Compared:
    """Return what comparing three tapes gives. Raises OSError where the first holds nothing."""
    old, new, again = (tapes_.read(text.splitlines()) for text in texts)
    if not old.operations and not new.failed:
        raise OSError("nothing was noted: %s" % _why(old))
    return tapes.compare(old, new, again)


def _why(tape: Tape) -> str:
    return tape.failed[0][1] if tape.failed else "%s %s" % (tape.end, tape.why)


def judge(found: Compared, script: str, symbols: Iterable[str]) -> Judged:
    """Judge the roots of a probe by the symbols of its entry."""
    told = [one for one in found.roots if one.kind != roots.RANDOM or one.follows]
    symbols = [symbol.rpartition(":")[2] for symbol in symbols]
    lines: set[int] = set()
    for symbol in symbols:
        right = _behaviour_places.places(script, symbol)
        lines |= right.lines if right.by in ("symbol", "class") else set()
    return Judged(
        any(_names(one, symbol) for one in told for symbol in symbols),
        any(line in lines for one in told for line in _lines(one)),
        bool(told),
        tuple(_said(one) for one in told),
    )


def _lines(root: Root) -> list[int]:
    return [root.site.line] + ([root.maker[0].line] if root.maker else [])


def _names(root: Root, symbol: str) -> bool:
    """Return whether a root tells the last part of a symbol."""
    words = [one for one in symbol.split(".") if one != "*" and not one.startswith("__")]
    texts = [root.operation.callee, root.site.text, root.error]
    if root.maker is not None:
        texts += [root.maker[1].callee, root.maker[0].text]
    word = re.compile(r"(?<!\w)%s(?!\w)" % re.escape(words[-1]))
    return any(word.search(text) for text in texts)


def _said(root: Root) -> str:
    what = root.unlike.text if root.unlike is not None else root.error
    maker = " of %s" % root.maker[1].callee if root.maker is not None else ""
    return "%s line %d %s (%s)%s: %s" % (
        root.kind, root.site.line, root.site.text, root.operation.callee, maker, what,
    )  # fmt: skip


def table(found: Mapping[str, Judged | str]) -> str:
    """Return the judged probes counted per library, and those that are missed, as Markdown."""
    counts: dict[str, list[int]] = {}
    misses = []
    for name, one in found.items():
        row = (
            [1, 0, 0, 0, 0]
            if isinstance(one, str)
            else [1, one.named, one.placed, one.found, one.any]
        )
        for key in (name.partition("-")[0], "all"):
            counts[key] = [a + b for a, b in zip(counts.get(key, [0] * 5), row, strict=True)]
        if isinstance(one, str):
            misses.append("%s: %s" % (name, one))
        elif not one.found:
            misses.append("%s: %s" % (name, "; ".join(one.said) or "no root"))
    lines = [
        "| library | probes | named | placed | found | any root |",
        "|---|---|---|---|---|---|",
    ]
    order = sorted(counts, key=lambda key: (key == "all", -counts[key][0], key))
    lines += ["| %s | %d | %d | %d | %d | %d |" % (key, *counts[key]) for key in order]
    return "\n".join([*lines, "", *misses])
