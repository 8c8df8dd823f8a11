"""Does `prov verify` say that an upgrade matters, before anything is rerun, and is it quiet else?

    python benchmarks/behaviour.py --cases cases.yaml --scripts cases/ --environments DIR

Each case is a small script, two exact environments and the outputs seen in both. In a git
repository of its own the script is recorded in the old one (`prov run`), then `prov verify --python
NEW --json` is asked once for each mechanism. Nothing is rerun in the new environment. A case whose
recorded output is not the one that was seen cannot be judged; it is named and counted apart.

What counts as flagged stands in `_behaviour_score.py`, which lines are right in
`_behaviour_places.py`. Mechanisms:

L1          curated knowledge alone              (PROV_LEVELS=L1, --calls off)
L2          changed interfaces alone             (PROV_LEVELS=L2, --calls off)
synthetic   calls compared on made-up data       (PROV_LEVELS=L3, --calls synthetic)
cut         calls compared on cut data           (PROV_LEVELS=L3, --calls cut)
all         as a user gets it, nothing set
all-own     `all` without the knowledge entries of the case's package (PROV_KNOWLEDGE_WITHOUT)

The times are of `prov run`, of the first `prov verify` of the first mechanism ("cold": nothing
cached) and of the same command again ("cached"). Exit 1 where an aim of AIMS is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import _behaviour_report as report
import _behaviour_run as running
import _behaviour_score as score
import yaml
from _behaviour_score import Case

MECHANISMS: dict[str, tuple[dict[str, str], list[str]]] = {
    "all": ({}, []),
    "all-own": ({}, []),
    "cut": ({"PROV_LEVELS": "L3"}, ["--calls", "cut"]),
    "synthetic": ({"PROV_LEVELS": "L3"}, ["--calls", "synthetic"]),
    "L2": ({"PROV_LEVELS": "L2"}, ["--calls", "off"]),
    "L1": ({"PROV_LEVELS": "L1"}, ["--calls", "off"]),
}
"""Variables and options of each, in the order in which they are asked."""

AIMS = {"all": (0.95, 0.02), "all-own": (0.90, 0.02)}
"""Least share of the cases flagged, largest share of the controls."""


def main() -> int:
    """Run what was asked for, print the tables, return the exit code."""
    options = _options()
    cases = _chosen(options)
    mechanisms = options.mechanism or list(MECHANISMS)
    ready = _ready(options.json, mechanisms) if options.resume else {}
    left = [case for case in cases if case.id not in ready and not options.only_print]
    with ThreadPoolExecutor(options.jobs) as pool:
        for one in pool.map(lambda case: _case(case, mechanisms, options), left):
            ready[one["id"]] = one
    found = [ready[case.id] for case in cases if case.id in ready]
    text, missed = report.tables(found, mechanisms, AIMS)
    print(text)
    return 1 if missed else 0


def _ready(path: Path | None, mechanisms: list[str]) -> dict[str, dict[str, Any]]:
    """Return what an earlier, interrupted benchmark has seen with the same mechanisms."""
    if path is None or not path.exists():
        return {}
    seen = [json.loads(line) for line in path.read_text().splitlines()]
    return {
        one["id"]: one for one in seen if "error" in one or set(mechanisms) <= set(one["answers"])
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=Path, required=True, help="the key, YAML")
    parser.add_argument("--scripts", type=Path, required=True, help="the folder of the scripts")
    parser.add_argument("--environments", type=Path, help="built ones; missing ones are built here")
    parser.add_argument("--only", nargs="+", help="these cases alone")
    parser.add_argument("--split", help="cases of this split alone")
    parser.add_argument("--package", nargs="+", help="cases of these packages alone")
    parser.add_argument("--mechanism", nargs="+", choices=list(MECHANISMS), help="default: all")
    parser.add_argument(
        "--without-own-knowledge",
        action="store_true",
        help="leave out the entries of the case's package in every mechanism",
    )
    parser.add_argument("--jobs", type=int, default=2, help="cases at the same time")
    parser.add_argument("--limit", type=float, default=600, help="seconds for each command")
    parser.add_argument("--prov", default=str(Path(sys.executable).parent / "prov"))
    parser.add_argument("--uv", default=os.environ.get("UV", "uv"))
    parser.add_argument("--keep", type=Path, help="keep the repositories below this folder")
    parser.add_argument("--json", type=Path, help="add what was seen of each case, a line each")
    parser.add_argument("--resume", action="store_true", help="leave out what --json holds")
    parser.add_argument("--only-print", action="store_true", help="print what --json holds")
    options = parser.parse_args()
    if options.environments is None:
        options.environments = Path(tempfile.gettempdir()) / "behaviour-envs"
    options.environments = options.environments.absolute()
    options.resume = options.resume or options.only_print
    return options


def _chosen(options: argparse.Namespace) -> list[Case]:
    found = []
    for one in yaml.safe_load(options.cases.read_text())["cases"]:
        wanted = (
            one.get("verified")
            and (not options.only or one["id"] in options.only)
            and (not options.split or one.get("split") == options.split)
            and (not options.package or one["package"] in options.package)
        )
        if wanted:
            found.append(
                Case(
                    one["id"],
                    one["package"],
                    one["kind"],
                    one["symbol"],
                    bool(one.get("control")),
                    one.get("script") or one["id"] + ".py",
                    one["old"],
                    one["new"],
                    str(one["old_output"]),
                    one.get("split") or "",
                )
            )
    return found


def _case(case: Case, mechanisms: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Return all that was seen of a case, plain; its "error" says why it could not be judged."""
    found: dict[str, Any] = {
        "id": case.id,
        "package": case.package,
        "kind": case.kind,
        "symbol": case.symbol,
        "control": case.control,
        "answers": {},
    }
    folder = Path(tempfile.mkdtemp(prefix="case-" + case.id + "-", dir=options.keep))
    try:
        _seen(case, mechanisms, options, folder, found)
    except running.Failed as error:
        found["error"] = str(error)
    except Exception:  # noqa: BLE001 - one broken case must not end the others
        found["error"] = traceback.format_exc()[-600:]
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(report.line(found), file=sys.stderr, flush=True)
    if options.json:
        with open(options.json, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(found) + "\n")
    return found


def _seen(
    case: Case,
    mechanisms: list[str],
    options: argparse.Namespace,
    folder: Path,
    found: dict[str, Any],
) -> None:
    script = options.scripts / case.script
    source = script.read_text()
    old, new = (
        running.environment(side, options.environments, options.uv) for side in (case.old, case.new)
    )
    work = running.repository(case, script, folder)
    found["record_s"] = running.record(options.prov, old, case, work, options.limit)
    for number, name in enumerate(mechanisms):
        variables, words = MECHANISMS[name]
        if name == "all-own" or options.without_own_knowledge:
            variables = {**variables, "PROV_KNOWLEDGE_WITHOUT": ",".join(sorted(case.names))}
        try:
            answer = running.verify(
                options.prov, new, work, words, variables, number == 0, options.limit
            )
        except running.Failed as error:
            found["answers"][name] = {"error": str(error)}
            continue
        judged = score.judge(case, source, answer.findings)
        found["answers"][name] = {
            **judged._asdict(),
            "flagged": judged.flagged,
            "seconds": answer.seconds,
            "again": answer.again,
            "calls": answer.calls,
            "not_compared": answer.not_compared,
            "findings": [one for one in answer.findings if one["effect"] in score.ENOUGH],
        }


if __name__ == "__main__":
    sys.exit(main())
