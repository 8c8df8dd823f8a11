"""What the readers of environment files understand of a folder of repositories, format by format.

Every file below FOLDER that a reader takes is read, each folder in FOLDER being a repository. A
process or connection that a reader starts is refused and counts as an error. What was read is
compared with `specs_truth.json`, which people counted from the files, and with the odd things that
an ``index.open.yaml`` in FOLDER lists. Every disagreement is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import specs_checks
import yaml

from provenance.specs import formats
from provenance.specs.model import EXACTNESS, Source, Spec

TRUTH = Path(__file__).with_name("specs_truth.json")
INDEX = "index.open.yaml"
BUDGET_S = 1.0
"""Of one file."""
FAILED = ("Reading it failed", "There is no reader", "The format of this file is not known")
SKIPPED = frozenset((".git", "node_modules", "site-packages", ".venv", "__pycache__"))
REFUSED = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec")


class Read(NamedTuple):
    """One file that was read. seconds: wall time of the reader."""

    module: str
    path: str
    spec: Spec
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether the reader crashed, is missing, or found nothing and did not say why."""
        silent = not (self.spec.facts or self.spec.unread or self.spec.notes)
        return silent or any(one.why.startswith(FAILED) for one in self.spec.unread)

    @property
    def bad(self) -> bool:
        """Whether it failed, or took too long, or names a place that is none."""
        return self.failed or bool(self.misplaced) or self.seconds > BUDGET_S

    @property
    def misplaced(self) -> int:
        """How many facts and unread places do not name a line of the file, or of one beside it."""
        places = [one.where for one in (*self.spec.facts, *self.spec.unread)]
        return sum(not where.rpartition(":")[2].isdigit() for where in places)


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield repository and path of every file that a reader takes."""
    for repository in sorted(one for one in folder.iterdir() if one.is_dir()):
        for top, folders, names in os.walk(repository):
            folders[:] = sorted(one for one in folders if one not in SKIPPED)
            for name in sorted(names):
                path = Path(top) / name
                with path.open("rb") as stream:
                    head = stream.read(formats.HEAD)
                inner = path.relative_to(repository).as_posix()
                if formats.module_of(inner, head):
                    yield str(repository), inner


def read(repository: str, inner: str) -> Read:
    """Read one file as `verify` does; siblings only within the repository."""
    top = Path(repository).resolve()
    path = top / inner

    def sibling(name: str) -> bytes | None:
        other = (path.parent / name).resolve()
        return other.read_bytes() if other.is_file() and top in other.parents else None

    source = Source(inner, path.read_bytes(), sibling)
    begin = time.perf_counter()
    spec = formats.read(source)
    seconds = time.perf_counter() - begin
    return Read(formats.module_of(inner, source.data), str(path), spec, seconds)


def table(all_read: list[Read]) -> list[dict[str, Any]]:
    """Return one row for each format, and one for all."""
    rows = []
    for module in [*sorted({one.module for one in all_read}), ""]:
        mine = [one for one in all_read if module in ("", one.module)]
        facts = [fact for one in mine for fact in one.spec.facts]
        rows.append(
            {
                "format": module or "all",
                "files": len(mine),
                **{level: sum(f.exactness == level for f in facts) for level in EXACTNESS},
                "unread": sum(len(one.spec.unread) for one in mine),
                "slowest s": round(max((one.seconds for one in mine), default=0.0), 3),
                "errors": sum(one.failed or bool(one.misplaced) for one in mine),
            }
        )
    return rows


def disagreements(folder: Path, truth_file: Path, all_read: list[Read]) -> dict[str, Any]:
    """Return how many files and odd things were compared, and in what they differ."""
    found = {Path(one.path).relative_to(folder.resolve()).as_posix(): one.spec for one in all_read}
    truth = {
        path: one
        for path, one in json.loads(truth_file.read_text("utf-8")).items()
        if (folder / path.partition("/")[0]).is_dir()
    }
    sentences = ["%s: no reader takes this file" % path for path in truth if path not in found]
    for path in sorted(truth.keys() & found.keys()):
        told = specs_checks.disagreements(truth[path], found[path])
        sentences += ["%s: %s" % (path, one) for one in told]
    index = folder / INDEX
    listed = yaml.safe_load(index.read_text("utf-8"))["files"] if index.is_file() else []
    odd = {one["file"]: one.get("odd") or [] for one in listed if one["file"] in found}
    for path in sorted(odd):
        told = specs_checks.missed_features(odd[path], found[path])
        sentences += ["%s: %s" % (path, one) for one in told]
    return {"files": len(truth), "odd": sum(map(len, odd.values())), "wrong": sentences}


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Stop what a reader must never do."""
    if event.startswith(REFUSED):
        raise PermissionError("a reader did %s: %r" % (event, arguments))


def shown(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of the table."""
    names = list(rows[0])
    whole = [dict(zip(names, names, strict=True)), *rows]
    widths = [max(len(str(row[name])) for row in whole) for name in names]
    for row in whole:
        yield "  ".join(str(row[n]).ljust(w) for n, w in zip(names, widths, strict=True)).rstrip()


def of_each(all_read: list[Read], each: bool, unread: bool) -> Iterator[str]:
    """Yield a line for each file that failed, or for each file, and for what was not read."""
    for one in all_read:
        levels = [(sum(f.exactness == level for f in one.spec.facts), level) for level in EXACTNESS]
        counts = ", ".join("%d %s" % (n, level) for n, level in levels if n)
        if each:
            yield "%s: %s; %d unread" % (one.path, counts or "no facts", len(one.spec.unread))
        elif one.bad:
            why = [u.where + ": " + u.why for u in one.spec.unread][:3] or ["nothing is said"]
            yield "%s (%s, %.2f s): %s" % (one.path, one.module, one.seconds, "; ".join(why))
        for miss in one.spec.unread if unread else ():
            yield "  %s: %r: %s" % (miss.where, miss.text, miss.why)


def main() -> int:
    """Read everything and print the table; 1 if a file failed, was slow, or was read wrongly."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--each", action="store_true", help="a line for each file")
    parser.add_argument("--unread", action="store_true", help="what was not understood")
    parser.add_argument("--truth", type=Path, default=TRUTH, help="what was counted by hand")
    given = parser.parse_args()
    if not given.folder.is_dir():
        parser.error("%s is no folder" % given.folder)
    sys.addaudithook(refuse)
    folder = given.folder.resolve()
    all_read = [read(*one) for one in files(folder)]
    compared = disagreements(folder, given.truth, all_read)
    if given.json:
        print(json.dumps({"formats": table(all_read), "compared": compared}, indent=1))
    else:
        lines = [*shown(table(all_read)), *of_each(all_read, given.each, given.unread)]
        print("\n".join([*lines, *("WRONG " + one for one in compared["wrong"])]))
        text = "compared: %d files counted by hand, %d odd things of the index; %d disagreements"
        print(text % (compared["files"], compared["odd"], len(compared["wrong"])))
    return int(bool(compared["wrong"]) or any(one.bad for one in all_read))


if __name__ == "__main__":
    sys.exit(main())
