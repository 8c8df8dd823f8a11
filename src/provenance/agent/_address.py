"""``path("RUN:NAME")`` from inside the user's interpreter.

``prov path`` does it: found as the notebook extension finds it, started as a program. Without one
the record is read here, and the file must still be where the run had it.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from typing import Any, Callable, Dict, List, Optional, Tuple

from provenance.agent._live import _command

_ASKED_BY = "PROV_ASKED_BY"
_READ = 1 << 20


def located(address: str, where: str, used: Callable[..., None]) -> str:
    """Return the absolute path of the artifact. Raises FileNotFoundError.

    where: the user's line. used: called with the parts of a line "u", but for its time, where
    ``prov path`` has not noted it itself.
    """
    try:
        command = _command()
    except ValueError:
        return _by_record(address, where, used)
    import subprocess

    environ = dict(os.environ, **{_ASKED_BY: where})
    done = subprocess.run(
        [*command, "path", "--json", address],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    try:
        answer = json.loads(done.stdout.decode("utf-8"))
        data, errors = answer["data"], answer["errors"]
    except (ValueError, KeyError, TypeError):
        raise FileNotFoundError("prov path %s ended with %d" % (address, done.returncode)) from None
    if done.returncode or not data:
        told = ["%s (%s)" % (one["message"], one["hint"]) for one in errors]
        raise FileNotFoundError(" ".join(told) or "prov path %s failed" % address)
    return str(data["artifacts"][0]["path"])


def _by_record(address: str, where: str, used: Callable[..., None]) -> str:
    """Find the file by the record alone. Raises FileNotFoundError."""
    called, _, name = address.partition(":")
    top = _top()
    run = _run(top, called)
    roots: Dict[str, str] = run.get("roots") or {}
    entry = _entry(run, called, name)
    ref = entry["path"]
    if ref.get("root") not in roots and ref.get("root") != "abs":
        raise FileNotFoundError("%s: where run %s ran is not recorded" % (address, called))
    path = os.path.join(roots.get(ref["root"], "/"), ref.get("path", ""))
    if not os.path.exists(path):
        raise FileNotFoundError(
            "%s is no longer at %s; with prov on the PATH it would be looked for" % (address, path)
        )
    _verify(path, entry, address)
    used(where, address, run["id"], ref, os.fsencode(path).hex())
    return path


def _top() -> str:
    """Return the folder of the runs. Raises FileNotFoundError."""
    agent = os.environ.get("PROV_AGENT_DIR", "")
    if os.path.isdir(agent):
        return os.path.dirname(os.path.dirname(agent))
    folder = os.getcwd()
    while True:
        runs = os.path.join(folder, ".prov", "runs")
        if os.path.isdir(runs):
            return runs
        if os.path.dirname(folder) == folder:
            raise FileNotFoundError("there are no recorded runs at or above %s" % os.getcwd())
        folder = os.path.dirname(folder)


def _run(top: str, called: str) -> Dict[str, Any]:
    """Return the record that ``called`` means; never that of the run that asks."""
    own = os.path.basename(os.path.dirname(os.environ.get("PROV_AGENT_DIR", "")))
    found: List[Tuple[str, Dict[str, Any]]] = []
    for name in sorted(os.listdir(top)):
        try:
            with open(os.path.join(top, name, "record.json"), "rb") as stream:
                run = json.loads(stream.read().decode("utf-8"))
            found.append((str(run["started"]), run))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    runs = [run for _, run in sorted(found, key=lambda pair: pair[0]) if run.get("id") != own]
    back = 1 if called == "@last" else 0
    if called[:2] == "@-" and called[2:].isdigit():
        back = int(called[2:])
    if back:
        fits = runs[-back:][:1] if back <= len(runs) else []
    else:
        fits = [run for run in runs if run.get("name") == called] or [
            run
            for run in runs
            if str(run["id"]).startswith(called) or str(run["id"]).endswith(called)
        ]
    if not fits:
        raise FileNotFoundError("no run is called %r in %s" % (called, top))
    return fits[-1]


def _entry(run: Dict[str, Any], called: str, name: str) -> Dict[str, Any]:
    """Return the recorded file that ``name`` means. Raises FileNotFoundError."""
    files: List[Dict[str, Any]] = []
    for facet in ("artifacts", "outputs", "data"):
        for subject in (run.get("facets", {}).get(facet) or {}).get("subjects") or ():
            files += (subject.get("payload") or {}).get("files") or []
    wanted = os.path.normpath(name)
    known = [(str(one.get("path", {}).get("path", "")), one) for one in files]
    for fitting in (
        [pair for pair in known if pair[1].get("name") == name],
        [pair for pair in known if pair[0] == wanted],
        [pair for pair in known if pair[0].endswith("/" + wanted)],
    ):
        fits = dict(fitting)
        if len(fits) == 1:
            return next(iter(fits.values()))
        if fits:
            raise FileNotFoundError("%s means %s of %s" % (name, ", ".join(sorted(fits)), called))
    raise FileNotFoundError("run %s has no file %s" % (called, name))


def _verify(path: str, entry: Dict[str, Any], address: str) -> None:
    """Raise FileNotFoundError where the file is not the recorded one; warn where none can tell."""
    digests: Dict[str, str] = entry.get("digests") or {}
    algorithm: Optional[str] = next((one for one in ("sha256", "md5") if one in digests), None)
    changed = "%s was changed since the run: %s" % (address, path)
    if os.path.isfile(path) and os.path.getsize(path) != entry.get("size"):
        raise FileNotFoundError(changed)
    if algorithm is None or not os.path.isfile(path):
        text = "prov: %s was not verified: no prov is on the PATH" % address
        warnings.warn(text, RuntimeWarning, stacklevel=4)
        return
    state = hashlib.new(algorithm)
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(_READ), b""):
            state.update(chunk)
    if state.hexdigest() != digests[algorithm]:
        raise FileNotFoundError(changed)
