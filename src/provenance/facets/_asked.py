"""Asking a program something without ever waiting for it longer than was said.

A tool of a driver may hang in the kernel, where no signal reaches it: it is then left behind, with
what it had said until then kept.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any, List, Mapping, Tuple

_LONGEST = 1 << 22
_PARTING_S = 0.2
"""How long a program that was killed may take to go."""


def ask(words: List[str], environ: Mapping[str, str], seconds: float) -> Tuple[str, str]:
    """Return what the program ``words`` printed and what went wrong, "" for nothing. Never raises.

    Takes ``seconds`` at most. The program sees neither our terminal nor the observing hook.
    """
    import subprocess

    if seconds <= 0:
        return "", "was not asked: no time was left"
    own = {name: value for name, value in environ.items() if name != "PROV_AGENT_DIR"}
    try:
        process = subprocess.Popen(
            words,
            env=dict(own, LC_ALL="C"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return "", "could not be started (%s)" % (getattr(error, "strerror", None) or error)
    deadline = time.monotonic() + seconds
    raw, ended = _read(process.stdout, deadline)
    text = raw.decode("utf-8", "replace")
    try:
        code = process.wait(max(deadline - time.monotonic(), 0.0) if ended else 0.0)
    except subprocess.TimeoutExpired:
        _leave(process)
        return text, "did not answer in time"
    if code == 0:
        return text, ""
    first = " ".join(text.split("\n")[0].split())
    said = first[:80] if first.count(",") < 3 and first[:1] not in "{[" else ""
    return text, "ended with code %d%s" % (code, ": " + said if said else "")


def _read(stream: Any, deadline: float) -> Tuple[bytes, bool]:
    """Return what comes until the stream's end or ``deadline``, and whether that was the end."""
    import select

    parts: List[bytes] = []
    size = 0
    with stream:
        while size < _LONGEST:
            left = deadline - time.monotonic()
            try:
                ready = left > 0 and select.select([stream], [], [], left)[0]
                data = os.read(stream.fileno(), 1 << 16) if ready else b""
            except (OSError, ValueError):
                break
            if not ready:
                break
            if not data:
                return b"".join(parts), True
            parts.append(data)
            size += len(data)
    return b"".join(parts), False


def _leave(process: Any) -> None:
    """End a program and what it started; one that cannot be ended is left."""
    import subprocess

    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass
    try:
        process.wait(_PARTING_S)
    except subprocess.TimeoutExpired:
        process.returncode = -signal.SIGKILL  # stuck in the driver: nobody is to wait for it
