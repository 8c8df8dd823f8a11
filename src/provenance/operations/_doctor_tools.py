"""What `doctor` says of tools around the command: strace, terminal, GPUs, extras, secrets."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator

from provenance.core import programs
from provenance.core.redact import Redactor
from provenance.executors import local
from provenance.facets import _gpu
from provenance.facets._variables import has_public_value
from provenance.operations import _checks
from provenance.operations._checks import LIMITED, NOT_POSSIBLE, OK, Check, Subject

_EXTRAS = (
    ("DVC", ("dvc",), "dvc", "data that DVC holds"),
    ("uv, pip-tools", ("uv", "piptools"), "lock", "locking environments of pip"),
    ("conda-lock, rattler", ("conda_lock", "rattler"), "conda", "locking environments of conda"),
)
"""What verbs to come can use: label, modules, the extra that brings them, what for."""


def checks(subject: Subject) -> list[Check]:
    """Return what is to be said of the tools."""
    return [
        _platform(),
        *_command(subject),
        _terminal(),
        strace(subject),
        *_graphics(subject),
        _secrets(subject),
        _digests(),
        *_extras(subject),
    ]


def _platform() -> Check:
    platform: str = sys.platform
    if platform == "linux":
        return Check("platform", OK, "Linux")
    if platform == "darwin":
        return Check("platform", LIMITED, "macOS is best effort", "use Linux")
    return Check(
        "platform", NOT_POSSIBLE, "recording needs Linux or macOS", "use WSL", essential=True
    )


def _command(subject: Subject) -> Iterator[Check]:
    if not subject.command:
        return
    word = subject.command[0]
    path = os.path.join(subject.cwd, word) if os.sep in word else word
    if programs.find(path, subject.environ) is None:
        says = "%s is not found, or may not be run" % word
        remedy = "check the name, PATH and permissions"
        yield Check("command", NOT_POSSIBLE, says, remedy, essential=True)
    else:
        yield Check("command", OK, "%s is found" % word)


def _terminal() -> Check:
    try:
        for descriptor in os.openpty():
            os.close(descriptor)
    except (OSError, AttributeError) as error:
        says = "there is no pseudo terminal (%s): on a terminal the output cannot be kept" % error
        return Check("log", LIMITED, says, "send the output to a file, or mount /dev/pts")
    return Check("log", OK, "what the command prints is kept, on a terminal too")


def strace(subject: Subject) -> Check:
    """Return whether --trace=strace works: it is tried."""
    with tempfile.TemporaryDirectory(prefix="prov-doctor-") as folder:
        tracer, reason = local.tracer(subject.environ, os.path.join(folder, "log"))
    if tracer is not None:
        return Check("strace", OK, "--trace=strace works")
    remedy = "not needed for Python; else install strace 5.4 or later"
    if "not installed" not in reason:
        remedy = "not needed for Python; in a container: --cap-add=SYS_PTRACE"
    return Check("strace", NOT_POSSIBLE, "--trace=strace: %s" % reason, remedy)


def _graphics(subject: Subject) -> Iterator[Check]:
    found = _gpu.look(subject.environ)
    if not found.gpus:
        says = "none is seen: no driver shows one"
        if found.notes:
            says = "none is seen; %s" % "; ".join(found.notes)
        yield Check("GPU", LIMITED if found.notes else OK, says)
        return
    names = ["%s (%s)" % (gpu.name or gpu.vendor, gpu.bus) for gpu in found.gpus]
    says = "%s, driver %s" % (_checks.listed(names), found.driver or "unknown")
    hidden = sum(1 for gpu in found.gpus if gpu.visible is False)
    if hidden:
        says += "; the environment hides %d of them" % hidden
    if found.notes:
        says += "; %s" % "; ".join(found.notes)
        yield Check("GPU", LIMITED, says, "check the driver: nvidia-smi, rocm-smi or dmesg")
    else:
        yield Check("GPU", OK, says)
    nvidia = any(gpu.vendor == "nvidia" for gpu in found.gpus)
    if not (nvidia and programs.find("nvidia-smi", subject.environ)):
        says = "--sample records no GPU: it asks nvidia-smi, which is not here"
        yield Check("GPU over time", NOT_POSSIBLE, says, "put nvidia-smi on PATH")


def _secrets(subject: Subject) -> Check:
    hidden = kept = 0
    for name, value in subject.environ.items():
        raw = os.fsencode(value)
        if Redactor.from_environment({name: value}).data(raw) != raw:
            hidden += 1
        elif has_public_value(name):
            kept += 1
    says = (
        "of %d environment variables all names and %d values are kept; "
        "%d values count as secret and are masked wherever they appear"
    )
    return Check("secrets", OK, says % (len(subject.environ), kept, hidden))


def _digests() -> Check:
    if importlib.util.find_spec("blake3") is not None:
        return Check("digests", OK, "blake3 and sha256")
    return Check("digests", LIMITED, "blake3 is missing", "pip install blake3")


def _extras(subject: Subject) -> Iterator[Check]:
    for label, modules, extra, purpose in _EXTRAS:
        lacking = [
            name
            for name in modules
            if importlib.util.find_spec(name) is None
            and programs.find(name, subject.environ) is None
        ]
        if lacking:
            says = "%s not installed, for %s" % (" and ".join(lacking), purpose)
            yield Check(label, NOT_POSSIBLE, says, "pip install 'prov-run[%s]'" % extra)
        else:
            yield Check(label, OK, "installed, for %s" % purpose)
