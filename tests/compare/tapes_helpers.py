"""Really rehearsing small scripts against two versions of a small library of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from provenance.compare import tape as tapes_
from provenance.compare import tapes
from provenance.compare.roots import Compared, Root
from provenance.compare.tape import Tape
from provenance.operations.rehearse import RUNNER

DRIVER = os.path.join(RUNNER, "_prov_rehearse.py")


class Stage:
    """Rehearses scripts with the module ``lib`` of one version or another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0

    def compare(self, old: str, new: str, script: str, same: str = "") -> Compared:
        """Rehearse as `prov verify` does and compare; ``same`` is what both versions hold."""
        first = self.tape(same + textwrap.dedent(old), script)
        loops = [list(one) for one in first.loops]
        again = self.tape(same + textwrap.dedent(old), script, loops, "1")
        second = self.tape(same + textwrap.dedent(new), script, loops)
        return tapes.compare(first, second, again)

    def tape(
        self, lib: str, script: str, loops: list[list[int]] | None = None, seed: str = "0"
    ) -> Tape:
        """Return the tape of one rehearsal."""
        self.number += 1
        folder = self.folder / str(self.number)
        for name, text in (("site/lib/__init__.py", lib), ("work/train.py", script)):
            path = folder / name
            path.parent.mkdir(parents=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        work, tape, told = folder / "work", folder / "tape", folder / "settings.json"
        settings = {"tape": str(tape), "script": str(work / "train.py"), "argv": [], "rows": 0}
        settings.update(own=[str(work)], limit_s=30)
        if loops is not None:
            settings.update(follows=True, loops=loops)
        told.write_text(json.dumps(settings), encoding="utf-8")
        environ = dict(os.environ, PYTHONHASHSEED=seed, PYTHONPATH=str(folder / "site"))
        subprocess.run(
            [sys.executable, DRIVER, str(told)], cwd=work, env=environ, check=True, timeout=60,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return tapes_.read(tape.read_text(encoding="utf-8").splitlines())


def said(found: Compared) -> list[str]:
    """Return the roots in brief: ``value 3 fit (lib.Model.fit)``."""
    return ["%s %d %s" % (one.kind, one.site.line, one.operation.callee) for one in found.roots]


def only(found: Compared) -> Root:
    """Return the one root that there is."""
    assert len(found.roots) == 1, said(found)
    return found.roots[0]
