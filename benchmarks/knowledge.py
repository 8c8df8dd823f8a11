"""Run the probes of the known behaviour changes in both releases, and see that they differ.

A probe is ``benchmarks/probes/ID.py`` for the entry ``ID``. Its first lines name both environments:

    # python: 3.9
    # old: scikit-learn==1.3.2 numpy==1.26.4
    # new: scikit-learn==1.4.0 numpy==1.26.4

``python`` may name two versions, for old and new; ``env: A=1`` sets variables. The script prints
what the change changes. It holds where both releases print something and the texts differ. A script
that asks for ``"restored" in sys.argv`` is run with this argument in the new release, too, and must
then print what the old one printed.

Exit 0: all asked for hold. ``--write`` keeps what was printed in ``probes/results.json``.
``--rehearse`` asks instead whether rehearsing the probes would find the changes if nobody knew of
them (`_knowledge_rehearsal`); it prints a table and those that are missed.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

PROBES = Path(__file__).resolve().parent / "probes"
RESULTS = PROBES / "results.json"
ENTRIES = PROBES.parents[1] / "src" / "provenance" / "knowledge" / "entries"
PAGE = PROBES.parents[1] / "docs" / "knowledge.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"
LONGEST = 160
"""Characters of a printed text that the results keep."""


class Probe(NamedTuple):
    """A probe: its entry, the requirements of both sides, and the text of the script."""

    id: str
    python: tuple[str, str]
    old: tuple[str, ...]
    new: tuple[str, ...]
    env: dict[str, str]
    script: str

    @property
    def digest(self) -> str:
        """SHA-256 of the script."""
        return hashlib.sha256(self.script.encode()).hexdigest()[:16]

    @property
    def restores(self) -> bool:
        """Whether the script knows how to bring the old behaviour back."""
        return '"restored" in sys.argv' in self.script


class Outcome(NamedTuple):
    """What a probe gave: printed texts, and what is wrong ("" where the claim holds)."""

    probe: Probe
    old: str
    new: str
    problem: str


def probes(folder: Path = PROBES) -> list[Probe]:
    """Return all probes in ``folder`` by id."""
    return [read(path) for path in sorted(folder.glob("*.py"))]


def read(path: Path) -> Probe:
    """Return the probe in ``path``. Raises ValueError where its head is incomplete."""
    text = path.read_text(encoding="utf-8")
    head: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("# "):
            break
        name, colon, value = line[2:].partition(":")
        if colon:
            head[name.strip()] = value.strip()
    missing = {"python", "old", "new"} - set(head)
    if missing:
        raise ValueError("%s: no %s" % (path.name, ", ".join(sorted(missing))))
    versions = head["python"].split()
    pairs = [word.partition("=") for word in head.get("env", "").split()]
    return Probe(
        path.stem,
        (versions[0], versions[-1]),
        tuple(sorted(head["old"].split())),
        tuple(sorted(head["new"].split())),
        {name: value for name, _, value in pairs},
        text,
    )


def interpreter(version: str) -> str:
    """Return the path of an interpreter of this version where pyenv has one, else the version."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(root.glob(version + ".*")) if root.is_dir() else []
    return str(found[-1] / "bin" / "python") if found else version


def built(python: str, requirements: tuple[str, ...], base: Path) -> str:
    """Return the interpreter of an environment with ``requirements``; built once."""
    uv = os.environ.get("UV", "uv")
    name = hashlib.sha256(repr((python, requirements)).encode()).hexdigest()[:12]
    folder = base / name
    target = str(folder / "bin" / "python")
    if (folder / "complete").exists():
        return target
    make = [uv, "venv", "-q", "--clear", "--python", interpreter(python), str(folder)]
    _asked(make)
    if requirements:
        only = [":all:"]
        install = [uv, "pip", "install", "-q", "--only-binary", *only, "--python", target]
        _asked([*install, *requirements])
    (folder / "complete").touch()
    return target


def _asked(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip()[-400:])


def printed(python: str, probe: Probe, *words: str) -> str:
    """Return what ``probe`` prints with ``python``. Raises OSError where it fails."""
    env = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "VIRTUAL_ENV"))}
    env.update(PYTHONWARNINGS="ignore", OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="",
               TF_CPP_MIN_LOG_LEVEL="3", JAX_PLATFORMS="cpu", **probe.env)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "probe.py"
        script.write_text(probe.script, encoding="utf-8")
        done = subprocess.run(
            [python, str(script), *words],
            cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
    if done.returncode:
        raise OSError(done.stderr.strip()[-400:])
    return done.stdout.strip()


def run(probe: Probe, base: Path) -> Outcome:
    """Run ``probe`` in both environments and, where it can, restored in the new one."""
    old = new = problem = ""
    try:
        pythons = [
            built(version, side, base)
            for version, side in zip(probe.python, (probe.old, probe.new), strict=True)
        ]
        old, new = (printed(python, probe) for python in pythons)
        again = printed(pythons[0], probe)
        if not old or old == new:
            problem = "both releases print the same"
        elif again != old:
            problem = "the old release prints something else each time"
        elif probe.restores and printed(pythons[1], probe, "restored") != old:
            problem = "restored, the new release does not print what the old one did"
    except (OSError, subprocess.SubprocessError) as error:
        problem = "failed: %s" % error
    return Outcome(probe, old, new, problem)


def keep(outcomes: list[Outcome]) -> None:
    """Write what holds to the results, beside what they hold of other probes."""
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    known = {one.id for one in probes()}
    results = {name: one for name, one in results.items() if name in known}
    for one in outcomes:
        results.pop(one.probe.id, None)
        if not one.problem:
            results[one.probe.id] = {
                "script": one.probe.digest,
                "old": one.old[:LONGEST],
                "new": one.new[:LONGEST],
                "restored": one.probe.restores,
            }
    text = json.dumps(results, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    RESULTS.write_text(text, encoding="utf-8")


def table() -> str:
    """Return the entries counted per package and by how they are known, as Markdown."""
    counts: dict[str, list[int]] = {}
    for path in ENTRIES.glob("*.json"):
        entry = json.loads(path.read_text(encoding="utf-8"))
        row = counts.setdefault(entry["packages"][0], [0, 0, 0, 0])
        row[0] += 1
        row[1] += bool(entry.get("verified"))
        row[2] += bool(entry.get("probe"))
        row[3] += not (entry.get("verified") or entry.get("probe"))
    lines = ["| package | entries | case | probe | documents only |", "|---|---|---|---|---|"]
    for name, row in sorted(counts.items(), key=lambda item: (-item[1][0], item[0])):
        lines.append("| %s | %d | %d | %d | %d |" % (name, *row))
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    lines.append("| all | %d | %d | %d | %d |" % tuple(total))
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Return the page of the documents with today's table."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def main() -> int:
    """Run the probes that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("ids", nargs="*", help="entries; all that have a probe where none is named")
    parser.add_argument("--write", action="store_true", help="keep the results")
    parser.add_argument("--new", action="store_true", help="only probes without a result")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="only renew the page's table")
    parser.add_argument("--rehearse", action="store_true", help="find the changes without entries")
    asked = parser.parse_args()
    if asked.table:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    wanted = [one for one in probes() if not asked.ids or one.id in asked.ids]
    if asked.new:
        results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        wanted = [p for p in wanted if results.get(p.id, {}).get("script") != p.digest]
    if shutil.which(os.environ.get("UV", "uv")) is None:
        print("uv is needed to build the environments", file=sys.stderr)
        return 2
    base = Path(os.environ.get("TMPDIR", tempfile.gettempdir())) / "prov-probes"
    base.mkdir(parents=True, exist_ok=True)
    _prepare(wanted, base, asked.jobs)
    if asked.rehearse:
        return _rehearse(wanted, base, asked.jobs)
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        for one in pool.map(lambda p: run(p, base), wanted):
            told = one.problem or "%.60s -> %.60s" % (one.old, one.new)
            print("%-5s %s: %s" % ("WRONG" if one.problem else "holds", one.probe.id,
                                   told.replace("\n", " | ")), flush=True)  # fmt: skip
            outcomes.append(one)
            if asked.write:
                keep([one])
    wrong = sum(1 for one in outcomes if one.problem)
    print("%d probes, %d hold, %d do not" % (len(outcomes), len(outcomes) - wrong, wrong))
    return 1 if wrong else 0


def _rehearse(wanted: list[Probe], base: Path, jobs: int) -> int:
    """Print what rehearsing the probes finds; return 1 where it misses one."""
    import _knowledge_rehearsal as rehearsal  # noqa: PLC0415  # the other modes need no prov

    def judged(probe: Probe) -> rehearsal.Judged | str:
        entry = json.loads((ENTRIES / (probe.id + ".json")).read_text(encoding="utf-8"))
        sides = zip(probe.python, (probe.old, probe.new), strict=True)
        try:
            old, new = (built(version, side, base) for version, side in sides)
            found = rehearsal.compared(rehearsal.three((old, new), probe.script, probe.env))
        except (OSError, subprocess.SubprocessError) as error:
            return "failed: %s" % error
        return rehearsal.judge(found, probe.script, entry["symbols"])

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        found = dict(zip([one.id for one in wanted], pool.map(judged, wanted), strict=True))
    print(rehearsal.table(found))
    return (
        0 if all(isinstance(one, rehearsal.Judged) and one.found for one in found.values()) else 1
    )


def _prepare(wanted: list[Probe], base: Path, jobs: int) -> None:
    """Build each environment once, before probes that share it run side by side."""
    sides = {(p.python[0], p.old): None for p in wanted}
    sides.update({(p.python[1], p.new): None for p in wanted})
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(built, *side, base) for side in sides]:
            try:
                done.result()
            except (OSError, subprocess.SubprocessError):
                continue  # the probe that needs it says why


if __name__ == "__main__":
    sys.exit(main())
