"""How much `prov run` sees of scripts that others wrote: recall and precision against the truth.

Needs a key (a YAML file: scripts with repository, commit, command and what their readers say they
do), bare clones of their repositories as ``SOURCES/OWNER+NAME/repo``, environments as
``VENVS/NAME``, and strace. A script whose repository or environment is missing is named and left
out. Each is run twice from a fresh tree: bare under strace, which is the truth for files and
distributions, and under ``prov run``. Parameters and final metrics are those of the key, and of
``corpus_truth.json`` beside this file, written by reading the scripts.

Recall: how much of the truth the record has. Precision: how much of the record is true. Files that
are read are those that the record has as data, as used source, or as written and then read.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import _corpus

HERE = Path(__file__).resolve().parent
AIMS = {
    "read": (0.98, 0.95),
    "written": (1.0, 0.95),
    "parameters": (0.95, 0.95),
    "metrics": (0.95, 0.95),
    "distributions": (1.0, 1.0),
}
"""Least recall and precision in total."""
_READ_TOO = ("intermediate", "updated")
_PROSE = re.compile(r"dict literal|in code|^per step$")


class Score(NamedTuple):
    """What one question gave. missed, wrong: for people."""

    hit: int
    truth: int
    right: int
    said: int
    missed: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def main() -> int:
    """Run, print, and return 0 where all aims are met in total."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--prov", default=str(Path(sys.executable).parent / "prov"))
    parser.add_argument("--trace", choices=["strace"], help="record with --trace as well")
    parser.add_argument("--only", action="append", help="id of a script; may be repeated")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the trees; removed otherwise")
    options = parser.parse_args()
    place = options.keep or Path(tempfile.mkdtemp(prefix="corpus-"))
    more = json.loads((HERE / "corpus_truth.json").read_text())
    found: dict[str, dict[str, Score] | str] = {}
    try:
        for script in _corpus.scripts(options.key):
            if options.only and script.id not in options.only:
                continue
            found[script.id] = _one(script, options, place / script.id, more.get(script.id, {}))
            if not options.json:
                _print_one(script.id, found[script.id])
    finally:
        if options.keep is None:
            shutil.rmtree(place, ignore_errors=True)
    totals = _totals(one for one in found.values() if not isinstance(one, str))
    if options.json:
        print(json.dumps({"scripts": _plain(found), "totals": _plain(totals)}, indent=1))
    else:
        _print_totals(totals, found)
    return 0 if all(_met(name, totals[name]) for name in AIMS) else 1


def _one(
    script: _corpus.Script, options: argparse.Namespace, place: Path, more: dict[str, Any]
) -> dict[str, Score] | str:
    venv = options.venvs / script.venv
    if not (venv / "bin" / "python").exists():
        return "environment %s is not at hand" % script.venv
    if place.exists():
        shutil.rmtree(place)
    tree = place / "tree"
    why = _corpus.set_up(script, options.sources, tree)
    if why:
        return why
    environ = _corpus.environment(script, venv, tree)
    truth = _corpus.bare(script, environ, tree, place / "told")
    _corpus.fresh(tree)
    record = _recorded(script, options, environ, tree)
    if isinstance(record, str):
        return record
    return {
        "read": _files(truth.read, _read(record, tree, script), _sources_too(record, tree, script)),
        "written": _files(truth.written, _written(record, tree, script)),
        "parameters": _parameters(script, more, record),
        "metrics": _metrics(_expected(more, venv, tree, script), more, record),
        "distributions": _distributions(truth, record),
    }


def _recorded(
    script: _corpus.Script, options: argparse.Namespace, environ: dict[str, str], tree: Path
) -> dict[str, Any] | str:
    words = [options.prov, "run", "--quiet"] + (["--trace", options.trace] if options.trace else [])
    cwd = tree / script.folder
    with open(tree.parent / "recorded-output", "wb") as out:
        subprocess.run(
            [*words, "--", "bash", "-c", script.command],
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    shown = subprocess.run(
        [options.prov, "show", "@last", "--json"], cwd=cwd, capture_output=True, check=False
    )
    if shown.returncode:
        return "nothing was recorded: %s" % shown.stderr.decode("utf-8", "replace")
    (tree.parent / "record.json").write_bytes(shown.stdout)
    data: dict[str, Any] = json.loads(shown.stdout)["data"]
    return data


# --- what the record says ----------------------------------------------------------------------


def _payloads(record: dict[str, Any], facet: str) -> list[dict[str, Any]]:
    subjects = record["facets"].get(facet, {}).get("subjects", [])
    return [one["payload"] for one in subjects]


def _below(path: dict[str, Any], tree: Path, script: _corpus.Script) -> str | None:
    """Return a path of the record relative to the tree, None where it lies elsewhere."""
    text = str(path.get("path", ""))
    bases = {"repo": tree, "cwd": tree / script.folder, "home": Path.home()}
    base = bases.get(str(path.get("root")))
    whole = os.path.realpath(base / text if base else text)
    top = os.path.realpath(tree) + "/"
    return whole[len(top) :] if whole.startswith(top) else None


def _read(record: dict[str, Any], tree: Path, script: _corpus.Script) -> set[str]:
    """Return what the record says was read, without used source."""
    paths = [f["path"] for part in _payloads(record, "data") for f in _files_of(part, tree, script)]
    for part in _payloads(record, "outputs"):
        paths += [
            f["path"]
            for f in _files_of(part, tree, script)
            if f["kind"] in _READ_TOO or f.get("read")
        ]
    return {below for path in paths if (below := _below(path, tree, script)) is not None}


def _sources_too(record: dict[str, Any], tree: Path, script: _corpus.Script) -> set[str]:
    """Return used source: it counts for recall, and against precision only where never opened."""
    paths = [one["path"] for part in _payloads(record, "code") for one in part.get("used", [])]
    return {below for path in paths if (below := _below(path, tree, script)) is not None}


def _written(record: dict[str, Any], tree: Path, script: _corpus.Script) -> set[str]:
    paths = [
        f["path"] for part in _payloads(record, "outputs") for f in _files_of(part, tree, script)
    ]
    return {below for path in paths if (below := _below(path, tree, script)) is not None}


def _files_of(part: dict[str, Any], tree: Path, script: _corpus.Script) -> Iterable[dict[str, Any]]:
    """Yield the files of a payload; a folder that stands for its files as those files."""
    for one in part.get("files", []):
        if one["kind"] != "folder":
            yield one
            continue
        below = _below(one["path"], tree, script)
        for folder, _, names in os.walk(tree / below) if below is not None else ():
            for name in names:
                whole = os.path.join(folder, name)
                yield dict(one, kind="data", path={"root": "abs", "path": whole})


# --- scores --------------------------------------------------------------------------------------


def _files(truth: frozenset[str], said: set[str], also: Iterable[str] = ()) -> Score:
    truth = frozenset(map(_corpus.steady, truth))
    said = set(map(_corpus.steady, said))
    everything = said | set(map(_corpus.steady, also))
    missed, wrong = truth - everything, said - truth
    return Score(
        len(truth & everything),
        len(truth),
        len(said) - len(wrong),
        len(said),
        tuple(sorted(missed)),
        tuple(sorted(wrong)),
    )


def _parameters(script: _corpus.Script, more: dict[str, Any], record: dict[str, Any]) -> Score:
    """Score names with values; precision over those that the record says the user gave."""
    stated = script.truth.get("parameters") or {}
    truth = {} if not isinstance(stated, dict) else dict(stated)
    truth = {k: v for k, v in truth.items() if not _PROSE.search(str(v))}
    truth.update(more.get("parameters", {}))
    for name in more.get("not_parameters", []):
        truth.pop(name, None)
    said: dict[str, list[Any]] = {}
    given = set()
    for part in _payloads(record, "params"):
        for name, one in part.get("values", {}).items():
            names = [name, *(other["name"] for other in one.get("others", []))]
            values = [one["value"], *(other["value"] for other in one.get("others", []))]
            for each in names:
                said.setdefault(_key(each), []).extend(values)
            if one.get("given") is True:
                given.add(name)
    for part in _payloads(record, "model"):
        _flatten(part.get("optimizers", []), said)
    hits = [n for n, v in truth.items() if any(_same(v, w) for w in _among(said, n))]
    known = {_key(name) for name in truth} | {_key(n) for n in more.get("given_too", [])}
    positional = {n for n in given if n.startswith("[") and _among_values(said[n], truth)}
    wrong = [n for n in given - positional if not any(_tails(_key(n), one) for one in known)]
    return Score(
        len(hits),
        len(truth),
        len(given) - len(wrong),
        len(given),
        tuple(sorted(set(truth) - set(hits))),
        tuple(sorted(wrong)),
    )


def _among_values(values: list[Any], truth: dict[str, Any]) -> bool:
    return any(_same(one, other) for one in values for other in truth.values())


def _flatten(part: Any, said: dict[str, list[Any]]) -> None:
    """Add every named plain value of what the record says of optimizers."""
    for one in part if isinstance(part, list) else [part]:
        for name, value in one.items() if isinstance(one, dict) else ():
            plain = value.get("value") if isinstance(value, dict) and "value" in value else value
            if isinstance(plain, (int, float, str)):
                said.setdefault({"lr": "learning_rate"}.get(name, name), []).append(plain)
            else:
                _flatten(value, said)


def _key(name: str) -> str:
    return name.replace("-", "_").lower()


def _tails(name: str, other: str) -> bool:
    return name == other or name.endswith("." + other) or other.endswith("." + name)


def _among(said: dict[str, list[Any]], name: str) -> list[Any]:
    return [
        value
        for one, values in said.items()
        if _tails(one, _key(name)) or re.match(r"\[\d+\]$", one)
        for value in values
    ]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) or isinstance(other, list):
        many = one if isinstance(one, list) else [one]
        others = other if isinstance(other, list) else str(other).split(",")
        return len(many) == len(others) and all(map(_same, many, others))
    if isinstance(one, bool) or isinstance(other, bool):
        return str(one).lower() == str(other).lower()
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-9)
    except (TypeError, ValueError):
        return str(one) == str(other)


def _expected(
    more: dict[str, Any], venv: Path, tree: Path, script: _corpus.Script
) -> dict[str, float] | None:
    """Return final values by name, from the recorded run's own output; None where not stated."""
    if more.get("tensorboard"):
        return _corpus.scalars(venv / "bin" / "python", tree / script.folder)
    if "metrics" not in more:
        return None
    place = tree.parent / "recorded-output"
    if "output" in more:
        place = tree / script.folder / more["output"]
    output = re.sub(r"\x1b\[[0-9;]*m", "", place.read_text("utf-8", "replace"))
    found = {name: re.findall(pattern, output) for name, pattern in more["metrics"].items()}
    return {name: float(values[-1]) for name, values in found.items() if values}


def _metrics(
    expected: dict[str, float] | None, more: dict[str, Any], record: dict[str, Any]
) -> Score:
    """Score final values by name; what the record has as a time or rate is no false result."""
    said: dict[str, Any] = {}
    timings: dict[str, Any] = {}
    for part in _payloads(record, "metrics"):
        said.update(part.get("final", {}))
        timings.update(part.get("timings", {}))
    if expected is None:
        return Score(0, 0, 0, 0)
    names = {name: [s for s in said if _alike(s, name)] for name in expected}
    hits = [n for n, value in expected.items() if any(_close(said[s], value) for s in names[n])]
    hits += [n for n in set(timings) & set(expected) if _close(timings[n], expected[n])]
    of_truth = {one for found in names.values() for one in found}
    extra = [re.compile(pattern, re.I) for pattern in more.get("metrics_too", [])]
    wrong = [s for s in said if s not in of_truth and not any(p.search(s) for p in extra)]
    return Score(
        len(hits),
        len(expected),
        len(said) - len(wrong),
        len(said),
        tuple(sorted(set(expected) - set(hits))),
        tuple("%s=%s" % (name, said[name]) for name in sorted(wrong)),
    )


def _alike(said: str, name: str) -> bool:
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    return all(word in said.lower() for word in words)


def _close(said: Any, value: float) -> bool:
    try:
        number = float(said if not isinstance(said, dict) else said.get("float", "nan"))
    except (TypeError, ValueError):
        return False
    return math.isclose(number, value, rel_tol=1e-4, abs_tol=1e-9)


def _distributions(truth: _corpus.Truth, record: dict[str, Any]) -> Score:
    expected = {_pep503(name): version for name, version in truth.distributions.items()}
    said = {}
    for part in _payloads(record, "packages"):
        for name, one in part.get("distributions", {}).items():
            if one.get("imported"):
                said[name] = one["version"]
    missed = {"%s %s" % pair for pair in set(expected.items()) - set(said.items())}
    wrong = {"%s %s" % pair for pair in set(said.items()) - set(expected.items())}
    return Score(
        len(expected) - len(missed),
        len(expected),
        len(said) - len(wrong),
        len(said),
        tuple(sorted(missed)),
        tuple(sorted(wrong)),
    )


def _pep503(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# --- printing -----------------------------------------------------------------------------------


def _totals(found: Iterable[dict[str, Score]]) -> dict[str, Score]:
    totals = {name: Score(0, 0, 0, 0) for name in AIMS}
    for one in found:
        for name, score in one.items():
            old = totals[name]
            totals[name] = Score(*(a + b for a, b in zip(old[:4], score[:4], strict=True)))
    return totals


def _met(name: str, score: Score) -> bool:
    recall, precision = AIMS[name]
    return _ratio(score.hit, score.truth) >= recall and _ratio(score.right, score.said) >= precision


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _print_one(name: str, found: dict[str, Score] | str) -> None:
    if isinstance(found, str):
        print("%-18s left out: %s" % (name, found), flush=True)
        return
    cells = ["%s %d/%d %d/%d" % (what, *score[:4]) for what, score in found.items()]
    print("%-18s %s" % (name, "  ".join(cells)), flush=True)
    for what, score in found.items():
        for label, items in (("missed", score.missed), ("wrong", score.wrong)):
            if items:
                print("    %s %s: %s" % (what, label, ", ".join(items[:12])), flush=True)


def _print_totals(totals: dict[str, Score], found: dict[str, dict[str, Score] | str]) -> None:
    ran = sum(1 for one in found.values() if not isinstance(one, str))
    print("\n%d of %d scripts; in total:" % (ran, len(found)))
    print("%-14s %8s %10s   %s" % ("", "recall", "precision", "aims"))
    for name, score in totals.items():
        recall, precision = _ratio(score.hit, score.truth), _ratio(score.right, score.said)
        verdict = "met" if _met(name, score) else "MISSED"
        print(
            "%-14s %8.3f %10.3f   >= %.2f, %.2f: %s"
            % (name, recall, precision, *AIMS[name], verdict)
        )


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: one._asdict()
        if isinstance(one, Score)
        else _plain(one)
        if isinstance(one, dict)
        else one
        for name, one in found.items()
    }


if __name__ == "__main__":
    sys.exit(main())
