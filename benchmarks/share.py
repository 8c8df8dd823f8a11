"""What it costs to share, list and fetch the records of many runs: seconds and bytes.

One real run is recorded and copied ``--runs`` times under new ids, each with its own name and final
metric, so that records differ as those of a sweep do. The remote is a bare repository behind
``file://`` (git's own protocol between two processes), once with and once without filters.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from provenance.core.record import Subject
from provenance.operations import fetching, sharing
from provenance.store import project, records

SCRIPT = 'import json\njson.dump({"test_acc": 0.5}, open("metrics.json", "w"))\n'


def git(folder: Path, *words: str) -> None:
    """Run git in ``folder``; raise where it fails."""
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def clone(bare: Path, folder: Path) -> Path:
    """Return a clone of ``bare`` with an identity."""
    git(folder.parent, "clone", "-q", "file://%s" % bare, str(folder))
    git(folder, "config", "user.name", "Bench")
    git(folder, "config", "user.email", "bench@example.org")
    return folder


def fill(folder: Path, count: int) -> int:
    """Record one run in ``folder`` and copy it; return the bytes of all records."""
    (folder / "train.py").write_text(SCRIPT)
    words = [sys.executable, "-m", "provenance", "run", "--", sys.executable, "train.py"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)
    more(folder, count - 1, 1.6e9)
    place = Path(project.find(str(folder)).runs)
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())


def more(folder: Path, count: int, begin: float) -> None:
    """Add ``count`` copies of the first run that began at ``begin`` and later."""
    place = project.find(str(folder))
    first = records.find(place, "@last").record
    for number in range(count):
        run_id, home = records.create(place, begin + number)
        told = first.facets["metrics"]
        payload = dict(told.subjects[0].payload, final={"test_acc": number / (count + 1)})
        facets = dict(first.facets, metrics=told._replace(subjects=(Subject("run", payload),)))
        name = "sweep-%d" % number
        records.write(home, first._replace(id=run_id, name=name, facets=facets))


def timed(label: str, found: dict[str, float], call: Any, *args: Any) -> Any:
    """Call and keep the seconds under ``label``."""
    began = time.perf_counter()
    answer = call(*args)
    found[label] = time.perf_counter() - began
    return answer


def bench(folder: Path, runs: int, filters: bool) -> dict[str, Any]:
    """Return seconds and bytes of one remote."""
    bare = folder / "team.git"
    git(folder, "init", "-q", "--bare", str(bare))
    git(bare, "config", "uploadpack.allowFilter", "true" if filters else "false")
    anna, ben = clone(bare, folder / "anna"), clone(bare, folder / "ben")
    size = fill(anna, runs)
    seconds: dict[str, float] = {}
    done = timed("share all", seconds, sharing.share, str(anna), (), True)
    timed("share all again", seconds, sharing.share, str(anna), (), True)
    timed("list", seconds, fetching.seen, str(ben))
    timed("list again", seconds, fetching.seen, str(ben))
    more(anna, 1, 1.9e9)
    sharing.share(str(anna), (), True)
    seen = timed("list after one more", seconds, fetching.seen, str(ben))
    got = timed("fetch all", seconds, fetching.fetch, str(ben))
    assert (len(done.sent), len(seen.runs), len(got.runs)) == (runs, runs + 1, runs + 1)
    objects = sum(path.stat().st_size for path in (bare / "objects").rglob("*") if path.is_file())
    listed = sum(path.stat().st_size for path in (ben / ".prov" / "shared").glob("*.json"))
    sizes = {"records": size, "on the remote": objects, "kept by the list": listed}
    return {"filters": filters, "runs": runs, "seconds": seconds, "bytes": sizes}


def main() -> None:
    """Print the figures of both kinds of remote."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.environ["GIT_CONFIG_GLOBAL"] = os.devnull
    results = []
    for filters in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            results.append(bench(Path(folder), asked.runs, filters))
    if asked.json:
        print(json.dumps(results, indent=2))
        return
    for one in results:
        kind = "with" if one["filters"] else "without"
        print("%d runs, a remote %s filters" % (one["runs"], kind))
        for label, value in one["seconds"].items():
            print("  %-20s %8.2f s" % (label, value))
        for label, count in one["bytes"].items():
            print("  %-20s %8.2f MB" % (label, count / 1e6))


if __name__ == "__main__":
    main()
