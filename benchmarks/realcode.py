"""Scripts written by others, verified against another environment, and the truth by a true rerun.

    python benchmarks/realcode.py --key scripts.yaml --sources MIRRORS --environments DIR --to DIR
    python benchmarks/realcode.py --only-print --to DIR

`realcode.json` names the scripts and pairs of exact environments, two or more minor releases apart.
Scripts are as published; where they would download, data made up by `_realcode_data.py` lie where
they look, and arguments of their command line make them small.
Per script: its tree in a git repository of its own, set up as the key says; recorded in the first
environment (`prov run`); `prov verify` against the second; and only then the truth, which shares no
code with `prov`: the script run bare, twice in the first environment and once in the second. What
differs between the two runs in the first is noise: times, addresses, unseeded draws. What differs
beyond that between the environments is the effect of the upgrade: in numbers and lines printed, or
in the exit code.

A script's findings are "right" when verify says "possible" or above and the truth differs, "missed"
when the truth differs and verify says less, "unneeded" when verify speaks and nothing differs.
"quiet" is right silence. Which single finding is right is for a reader: they are printed below the
table, with the first lines that differ. Noisy scripts can only be judged by steady lines.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, NamedTuple

import _behaviour_run as running
import _behaviour_score as score
import _corpus
import _realcode_report as report

PLAN = Path(__file__).resolve().parent / "realcode.json"
_NUMBER = re.compile(r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?")
_CLOSE = 1e-6
"""Relative difference below which two printed numbers are the same."""


class Ran(NamedTuple):
    """A bare run: its output, exit code and seconds of the processors."""

    output: str
    exit_code: int
    seconds: float


def main() -> int:
    """Run what was asked for and print a table in Markdown."""
    options = _options()
    plan = json.loads(PLAN.read_text())
    wanted = [one for one in plan["scripts"] if not options.only or one["id"] in options.only]
    if not options.only_print:
        known = {one.id: one for one in _corpus.scripts(options.key)}
        options.to.mkdir(parents=True, exist_ok=True)
        for one in wanted:
            pair = plan["pairs"][one["pair"]]
            if one.get("reversed"):  # recorded where it still runs
                pair = {"old": pair["new"], "new": pair["old"]}
            seen = _one(_script(one, known), pair, options)
            (options.to / (one["id"] + ".json")).write_text(json.dumps(seen, indent=1))
            print(one["id"], seen.get("error") or seen["verdict"], file=sys.stderr, flush=True)
    found = []
    for one in wanted:
        place = options.to / (one["id"] + ".json")
        if place.exists():
            found.append({**one, **json.loads(place.read_text())})
    print(report.table(found, plan["pairs"]))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--key", type=Path, help="the scripts, YAML")
    parser.add_argument("--sources", type=Path, help="mirrors of the repositories")
    parser.add_argument("--environments", type=Path, help="built where missing")
    parser.add_argument("--to", type=Path, required=True, help="what was seen, one file a script")
    parser.add_argument(
        "--only-print", action="store_true", help="print what was seen, run nothing"
    )
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--calls", help="the mode that verify is asked for")
    parser.add_argument("--keep", type=Path, help="keep the trees below this folder")
    parser.add_argument("--anew", action="store_true", help="do not use the bare runs kept in --to")
    parser.add_argument("--limit", type=float, default=900, help="seconds for each command")
    parser.add_argument("--prov", default=str(Path(sys.executable).parent / "prov"))
    parser.add_argument("--uv", default=os.environ.get("UV", "uv"))
    options = parser.parse_args()
    if not options.only_print:
        if not (options.key and options.sources and options.environments):
            parser.error("--key, --sources and --environments are needed to run")
        options.environments = options.environments.absolute()
    if options.keep:
        options.keep = options.keep.absolute()
        options.keep.mkdir(parents=True, exist_ok=True)
    return options


def _script(one: dict[str, Any], known: dict[str, _corpus.Script]) -> _corpus.Script:
    """Return a script of the key, or one beside such a script: same repository, other command."""
    base = known[one.get("like", one["id"])]
    data = "%s %s" % (sys.executable, Path(__file__).with_name("_realcode_data.py"))
    return base._replace(
        id=one["id"],
        command=one.get("command", base.command),
        folder=one.get("cwd", base.folder),
        setup=one.get("setup", base.setup).replace("{data}", data),
        environ={**base.environ, **one.get("environ", {})},
    )


def _one(
    script: _corpus.Script, pair: dict[str, Any], options: argparse.Namespace
) -> dict[str, Any]:
    folder = Path(tempfile.mkdtemp(prefix="real-%s-" % script.id, dir=options.keep))
    try:
        old, new = (
            running.environment(pair[side], options.environments, options.uv)
            for side in ("old", "new")
        )
        return _seen(script, old, new, folder, options)
    except running.Failed as error:
        return {"error": str(error)}
    except Exception:  # noqa: BLE001 - one broken script must not end the others
        return {"error": traceback.format_exc()[-500:]}
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _seen(
    script: _corpus.Script, old: Path, new: Path, folder: Path, options: argparse.Namespace
) -> dict[str, Any]:
    published, tree = folder / "published" / "tree", folder / "tree"
    why = _corpus.set_up(script, options.sources, published)
    if why:
        raise running.Failed(why)
    shutil.copytree(published, tree, symlinks=True)
    environs = [_environ(script, python, tree) for python in (old, new)]
    spent = 0.0
    for step in map(str.strip, script.command.split("&&")):  # verified is the last
        words = [options.prov, "run", "--quiet", "--", "bash", "-c", step]
        recorded = _run(words, tree / script.folder, environs[0], options.limit)
        spent += recorded.seconds
        if recorded.exit_code:
            raise running.Failed("it fails where it is recorded: %s" % recorded.output[-300:])
    mode = ["--calls", options.calls] if options.calls else []
    answers, taken = [], [_used()]
    for _ in range(2):  # the second finds the tapes of the first
        more, where = script.environ, tree / script.folder
        answers.append(running.verify(options.prov, new, where, mode, more, False, options.limit))
        taken.append(_used())
    answer = answers[0]
    truth = _truth(script, environs, folder, options)
    differs = true_differences(*truth)
    counted = [one for one in answer.findings if one["effect"] in score.ENOUGH]
    return {
        "verdict": verdict(bool(counted), bool(differs)),
        "record_s": spent,
        "verify_s": taken[1] - taken[0],
        "cached_s": taken[2] - taken[1],
        "waited_s": answer.seconds,
        "bare_s": min(truth[0].seconds, truth[1].seconds),
        "new_s": truth[2].seconds,
        "calls": answer.calls,
        "findings": counted,
        "differs": differs,
        "noisy": truth[0].output != truth[1].output,
        "not_compared": answer.not_compared,
    }


def _truth(
    script: _corpus.Script,
    environs: list[dict[str, str]],
    folder: Path,
    options: argparse.Namespace,
) -> list[Ran]:
    """Return the bare runs: two in the recorded environment, one in the other; kept in --to."""
    kept = options.to / (script.id + ".truth.json")
    if kept.exists() and not options.anew:
        known = json.loads(kept.read_text())
        if known[0] == script.command:
            return [Ran(*one) for one in known[1]]
    truth = []
    for number, environ in enumerate((environs[0], environs[0], environs[1])):
        fresh = folder / str(number) / "tree"
        shutil.copytree(folder / "published" / "tree", fresh, symlinks=True)
        bare = ["bash", "-c", script.command]
        truth.append(_run(bare, fresh / script.folder, environ, options.limit))
    kept.write_text(json.dumps([script.command, truth]))
    return truth


def verdict(spoke: bool, differs: bool) -> str:
    """Return what the answer was worth."""
    if spoke:
        return "right" if differs else "unneeded"
    return "missed" if differs else "quiet"


def _environ(script: _corpus.Script, python: Path, tree: Path) -> dict[str, str]:
    return {**_corpus.environment(script, python.parent.parent, tree), **running.STEADY}


def _run(words: list[str], cwd: Path, environ: dict[str, str], limit_s: float) -> Ran:
    start = _used()
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired:
        raise running.Failed("it took more than %g s" % limit_s) from None
    return Ran(done.stdout.decode("utf-8", "replace"), done.returncode, _used() - start)


def _used() -> float:
    """Return the seconds that finished children have had of the processors: steady under load."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# --- the truth -----------------------------------------------------------------------------------


def true_differences(first: Ran, again: Ran, new: Ran, most: int = 6) -> list[str]:
    """Return what differs between the environments beyond what differs between two equal runs."""
    if new.exit_code != first.exit_code:
        last = (new.output.strip() or "nothing").splitlines()[-1]
        return ["exit %d -> %d: %s" % (first.exit_code, new.exit_code, last[:200])]
    noise = {shape(line) for line in _changed(first.output, again.output)}
    found = [line for line in _changed(first.output, new.output) if shape(line) not in noise]
    return found[:most]


def _changed(old: str, new: str) -> list[str]:
    """Return the lines of the one that the other has not, in order, marked "- " and "+ "."""
    one, other = _lines(old), _lines(new)
    matcher = difflib.SequenceMatcher(None, [_plain(a) for a in one], [_plain(b) for b in other])
    lines = []
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            continue
        if j - i == m - k:
            for left, right in zip(one[i:j], other[k:m], strict=True):
                if not alike(left, right):
                    lines += ["- " + left[:160], "+ " + right[:160]]
        else:
            lines += ["- " + left[:160] for left in one[i:j]]
            lines += ["+ " + right[:160] for right in other[k:m]]
    return lines


def _lines(output: str) -> list[str]:
    """Return the lines; of a progress bar, drawn over and over, the last state only."""
    text = re.sub("\x1b\\[[0-9;]*m", "", output)
    found = re.split("[\\n\\r\\x08]+", text)
    return [line for line in found if line.strip() and not _unfinished(line)]


def _unfinished(line: str) -> bool:
    bar = re.match(r"\s*(\d+)/(\d+) .*step", line)
    return bool(bar) and bar.group(1) != bar.group(2)


def _plain(line: str) -> str:
    """Return a line without what no two runs share: addresses, paths, times of day."""
    line = re.sub(r"0x[0-9a-f]+", "0x", line)
    line = re.sub(r"\d{1,2}:\d\d:\d\d(?:[.,]\d+)?", "TIME", line)
    line = re.sub(r"\b\d+(?:\.\d+)? ?(?:ms|s|us|it/s)(?:/step|/epoch)?\b", "TIME", line)
    return re.sub(r"/[\w./+-]*/", "/", line)


def shape(line: str) -> str:
    """Return a line without its numbers: lines of one shape are noisy together."""
    return re.sub(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?", "#", _plain(line)[2:])


def alike(left: str, right: str) -> bool:
    """Return whether two lines say the same, numbers within a relative 1e-6."""
    one, other = _plain(left), _plain(right)
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return False
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    return all(
        abs(float(a) - float(b)) <= _CLOSE * max(abs(float(a)), abs(float(b)), 1e-300)
        for a, b in pairs
    )


if __name__ == "__main__":
    sys.exit(main())
