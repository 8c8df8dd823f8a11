"""The program uv: finding it, and running it with the settings that people gave to pip."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import IO, NamedTuple

from provenance.environments import _interrupts, indexes
from provenance.errors import MissingExtra, SystemRefused

_REMOVED = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "UV_EXCLUDE_NEWER")
"""Variables that would lead uv elsewhere; a limit on the date would hide the recorded versions."""
_DOWNLOADING = re.compile(r"^ *Downloading (\S+) \(([\d.]+)([KMG]?)i?B\)")
_MEGABYTES = {"": 1e-6, "K": 1.024e-3, "M": 1.048576, "G": 1073.741824}
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


class Done(NamedTuple):
    """How a call of uv ended, with all that it said."""

    code: int
    output: str
    complaints: str


def find(environ: Mapping[str, str]) -> str:
    """Return the path of uv: on PATH, else beside this tool. Raises `MissingExtra`."""
    found = shutil.which("uv", path=environ.get("PATH", os.defpath))
    if found is None:
        found = shutil.which("uv", path=os.path.dirname(sys.executable))
    if found is None:
        raise MissingExtra(
            "building an environment needs uv, which is neither on PATH nor installed with prov.",
            "pip install 'prov-run[lock]', or pip install uv",
        )
    return found


def run(
    words: list[str],
    environ: Mapping[str, str],
    cwd: str,
    text: str = "",
    line: Callable[[str], None] | None = None,
    one_index: bool = False,
) -> Done:
    """Run ``uv words`` in ``cwd`` with ``text`` as its input.

    line: is given each line of what it says on stderr, as it says it. Where we are interrupted, uv
    is ended, too. one_index: leave pip's extra indexes out. Of a release that several have uv sees
    the files of one only, which may have none for this Python. Raises `SystemRefused` and
    `MissingExtra`.
    """
    with _interrupts.held() as listen:
        process = _started(words, environ, cwd, one_index)
        try:
            listen()
            return _heard(process, text, line)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def _started(
    words: list[str], environ: Mapping[str, str], cwd: str, one_index: bool
) -> subprocess.Popen[str]:
    program = find(environ)
    try:
        return subprocess.Popen(
            [program, *words],
            cwd=cwd,
            env=environment(environ, one_index),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise SystemRefused("%s cannot be started: %s." % (program, error.strerror)) from error


def _heard(process: subprocess.Popen[str], text: str, line: Callable[[str], None] | None) -> Done:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    output: list[str] = []
    reader = threading.Thread(target=_keep, args=(process.stdout, output), daemon=True)
    reader.start()
    try:
        process.stdin.write(text)
        process.stdin.close()
    except BrokenPipeError:
        pass
    complaints = []
    for said in process.stderr:
        clean = _ESCAPE.sub("", said)
        complaints.append(clean)
        if line is not None:
            line(clean.rstrip())
    code = process.wait()
    reader.join()
    return Done(code, "".join(output), "".join(complaints))


def megabytes(line: str) -> float:
    """Return the size of the download that ``line`` announces, 0 where it announces none."""
    size = _DOWNLOADING.match(line)
    return float(size.group(2)) * _MEGABYTES[size.group(3)] if size else 0.0


def _keep(stream: IO[str], kept: list[str]) -> None:
    kept.append(stream.read())


def environment(environ: Mapping[str, str], one_index: bool = False) -> dict[str, str]:
    """Return ``environ`` for uv: nothing that leads it elsewhere, and pip's indexes."""
    changed = {name: value for name, value in environ.items() if name not in _REMOVED}
    found = indexes.settings(environ)
    if one_index:
        found.pop(indexes.EXTRA, None)
    changed.update(found)
    changed.update(NO_COLOR="1", UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="0")
    changed.setdefault("UV_LINK_MODE", "hardlink")
    return changed
