"""Upgrades that matter to nobody must stay quiet: two lines, and nothing above "unknown".

    python benchmarks/upgrades.py --environments DIR

`upgrades.json` holds an environment of sixty packages, and which of them were older before: ten
that the script does not use, four patch releases of packages that it uses, and both together. A
script of ordinary data work is recorded in the older environment and verified against the newer.
Budgets: findings from "possible" on: none. Lines of the answer: two. The true rerun is made too: if
the output differed, silence would be wrong, and the benchmark says that it cannot judge.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import _behaviour_run as running
import _behaviour_score as score
from _behaviour_score import Case
from _paired import Figure, report

PLAN = Path(__file__).resolve().parent / "upgrades.json"
MOST_LINES = 2

SCRIPT = """\
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(0)
frame = pd.DataFrame(
    {
        "dose": rng.normal(5, 2, 400),
        "age": rng.integers(20, 80, 400),
        "group": rng.choice(["a", "b", "c"], 400),
    }
)
frame["ill"] = (frame["dose"] + rng.normal(0, 1, 400) > 5).astype(int)
print(frame.groupby("group")["dose"].agg(["mean", "std"]).round(4))
print("t %.4f p %.4f" % stats.ttest_ind(frame.dose[frame.ill == 0], frame.dose[frame.ill == 1]))
X = pd.get_dummies(frame.drop(columns="ill"))
train_X, test_X, train_y, test_y = train_test_split(X, frame["ill"], random_state=1)
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
model.fit(train_X, train_y)
print("accuracy %.4f" % model.score(test_X, test_y))
print("cross %.4f" % cross_val_score(model, X, frame["ill"], cv=5).mean())
"""


def main() -> int:
    """Measure each kind of upgrade; return 1 where a budget is missed."""
    options = _options()
    plan = json.loads(PLAN.read_text())
    newer = {"python": plan["python"], "requirements": plan["after"]}
    new = running.environment(newer, options.environments, options.uv)
    figures = []
    for what, older in plan["before"].items():
        side = {"python": plan["python"], "requirements": before(plan["after"], older)}
        old = running.environment(side, options.environments, options.uv)
        figures += _measured(what, side, newer, old, new, options)
    return report("upgrades of an environment of %d" % len(plan["after"]), figures, options.json)


def before(after: list[str], older: list[str]) -> list[str]:
    """Return the requirements ``after`` with those of ``older`` in place of their newer selves."""
    by_name = {line.split("==")[0]: line for line in older}
    return [by_name.get(line.split("==")[0], line) for line in after]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--environments", type=Path, required=True, help="built where missing")
    parser.add_argument("--prov", default=str(Path(sys.executable).parent / "prov"))
    parser.add_argument("--uv", default=os.environ.get("UV", "uv"))
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    options.environments = options.environments.absolute()
    return options


def _measured(
    what: str,
    before: dict[str, Any],
    after: dict[str, Any],
    old: Path,
    new: Path,
    options: argparse.Namespace,
) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="upgrades-") as name:
        folder = Path(name)
        (folder / "script.py").write_text(SCRIPT)
        environ = running.environ(folder)
        outputs = [
            subprocess.run(
                [str(python), str(folder / "script.py")],
                cwd=folder,
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for python in (old, new)
        ]
        if outputs[0] != outputs[1]:
            raise SystemExit("%s: the output really differs, silence cannot be judged" % what)
        case = Case(what, "", "", "", True, "script.py", before, after, outputs[0])
        work = running.repository(case, folder / "script.py", folder)
        running.record(options.prov, old, case, work, options.limit)
        answer = running.verify(options.prov, new, work, [], {}, True, options.limit)
        shown = subprocess.run(
            [options.prov, "verify", "--python", str(new)],
            cwd=work,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    if not options.json:
        print(shown)
    counted = [one for one in answer.findings if one["effect"] in score.ENOUGH]
    for one in counted:
        print("said of %s: %s" % (what, score.said([one])), file=sys.stderr)
    lines = len(shown.strip().splitlines())
    return [
        Figure("%s: findings from possible on" % what, (float(len(counted)),), "", 0),
        Figure("%s: lines of the answer" % what, (float(lines),), "", MOST_LINES),
        Figure("%s: verify, cold" % what, (answer.seconds,), "s"),
        Figure("%s: verify, cached" % what, (answer.again or 0.0,), "s"),
    ]


if __name__ == "__main__":
    sys.exit(main())
