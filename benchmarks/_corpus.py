"""Scripts written by others, set up and run twice: bare under strace, and under ``prov run``.

The first run is the truth: what the system says was opened, what is new on the disk afterwards,
and which distributions ``sys.modules`` belonged to at exit. It shares no code with `prov`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_STRACE = (
    "strace -f -y --seccomp-bpf -qq -s 4096 -e trace=open,openat,creat,execve -e signal=none"
).split()
_OPENED = re.compile(
    r'(?:^|\s)(open|openat|creat)\((?:AT_FDCWD<([^>]*)>, |\d+<([^>]*)>, )?"([^"]*)"'
    r"(?:, ([A-Z_|]+))?.*\) = \d+<(.*)>$"
)
_WRITES = re.compile("O_WRONLY|O_TRUNC|O_DIRECTORY")
_SHIM = """\
import atexit, json, os, sys, threading, time
def _told():
    import importlib.metadata as metadata
    used = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    used = {os.path.realpath(path) for path in used if isinstance(path, str)}
    found = {}
    for one in metadata.distributions():
        base = os.path.realpath(str(one.locate_file("")))
        if base.endswith("/setuptools/_vendor"):
            continue  # copies that setuptools puts on sys.path: nobody installed them
        files = (os.path.normpath(os.path.join(base, str(file))) for file in one.files or ())
        if any(file in used for file in files):
            found[one.metadata["Name"]] = one.version
    place = os.path.join(os.environ["CORPUS_TOLD"], "%d.json" % os.getpid())
    with open(place + ".part", "w") as stream:
        json.dump(found, stream)
    os.replace(place + ".part", place)
atexit.register(_told)
def _looks():
    while True:
        time.sleep(1)
        if "ipykernel" in sys.modules:  # a kernel is killed before it has ended
            try:
                _told()
            except Exception:
                pass
threading.Thread(target=_looks, daemon=True).start()
"""


class Script(NamedTuple):
    """One script of the key. folder: the working folder, below the tree."""

    id: str
    repo: str
    commit: str
    folder: str
    command: str
    environ: dict[str, str]
    venv: str
    setup: str
    truth: dict[str, Any]


class Truth(NamedTuple):
    """What a bare run did; paths relative to the tree."""

    read: frozenset[str]
    written: frozenset[str]
    distributions: dict[str, str]
    output: str
    exit_code: int


def scripts(key: Path) -> list[Script]:
    """Return the scripts that the key (YAML) lists."""
    document = yaml.safe_load(key.read_text())
    return [
        Script(
            one["id"],
            one["repo"],
            one["commit"],
            one.get("cwd", "."),
            one["command"],
            dict(one.get("env_vars") or {}),
            one["venv"],
            one.get("setup") or "",
            one.get("truth") or {},
        )
        for one in document["scripts"]
    ]


def mirror(sources: Path, repo: str) -> Path | None:
    """Return the bare repository of ``owner/name`` below ``sources``, None where there is none."""
    place = sources / repo.replace("/", "+") / "repo"
    return place if place.is_dir() else None


def set_up(script: Script, sources: Path, tree: Path) -> str:
    """Write the script's tree, in a git repository of its own; return why it cannot, or "".

    A folder ``SOURCES/ID/tree`` goes before the repository.
    """
    ready, place = sources / script.id / "tree", mirror(sources, script.repo)
    if ready.is_dir():
        shutil.copytree(ready, tree)
    elif place is None:
        return "its repository is not at hand"
    else:
        tree.mkdir(parents=True)
        wanted = _archive(place, script.commit, tree)
        if wanted:
            return wanted
    for step in filter(None, (part.strip() for part in script.setup.split("&&"))):
        whole = re.sub(
            r"<([\w.-]+/[\w.-]+)>", lambda m: str(_other(m.group(1), sources, tree)), step
        )
        done = subprocess.run(["bash", "-c", whole], cwd=tree / script.folder, check=False)
        if done.returncode:
            return "its setup failed: %s" % step
    for words in (
        ["init", "-q"],
        ["add", "-A", "-f"],
        ["-c", "user.name=n", "-c", "user.email=e@example.org", "commit", "-qm", "as published"],
    ):
        subprocess.run(["git", *words], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    return ""


def _archive(place: Path, commit: str, tree: Path) -> str:
    """Write the files of a commit; of a partial clone those that are there."""
    listed = _git(place, "ls-tree", "-r", "-z", "--full-tree", commit)
    if listed is None:
        return "its commit is not at hand"
    lines = listed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    entries = [(*line.partition("\t")[0].split(), line.partition("\t")[2]) for line in lines]
    contents = _blobs(place, [name for _, kind, name, _ in entries if kind == "blob"])
    for mode, kind, name, path in entries:
        content = contents.get(name)
        if kind != "blob" or content is None:
            continue
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode == "120000":
            target.symlink_to(os.fsdecode(content))
        else:
            target.write_bytes(content)
            target.chmod(0o755 if mode == "100755" else 0o644)
    return ""


def _blobs(place: Path, names: list[str]) -> dict[str, bytes]:
    """Return the contents of those blobs that are there."""
    done = subprocess.run(
        ["git", "--git-dir", str(place), "cat-file", "--batch"],
        input="\n".join(names).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "GIT_NO_LAZY_FETCH": "1"},
    )
    found, at = {}, 0
    while at < len(done.stdout):
        end = done.stdout.index(b"\n", at)
        words = done.stdout[at:end].split()
        at = end + 1
        if words[-1] == b"missing":
            continue
        size = int(words[2])
        found[words[0].decode()] = done.stdout[at : at + size]
        at += size + 1
    return found


def _git(place: Path, *words: str) -> bytes | None:
    done = subprocess.run(
        ["git", "--git-dir", str(place), *words], capture_output=True, check=False
    )
    return done.stdout if done.returncode == 0 else None


def _other(repo: str, sources: Path, tree: Path) -> Path:
    other = tree.parent / ("other-" + repo.replace("/", "+"))
    place = mirror(sources, repo)
    if place is not None and not other.is_dir():
        other.mkdir()
        _archive(place, "HEAD", other)
    return other


def environment(script: Script, venv: Path, tree: Path) -> dict[str, str]:
    """Return the environment in which the script runs: its venv first on PATH, little else."""
    keep = ("HOME", "LANG", "TERM", "USER", "TMPDIR")
    base = {name: os.environ[name] for name in keep if name in os.environ}
    base["PATH"] = "%s:/usr/local/bin:/usr/bin:/bin" % (venv / "bin")
    if "PYTHONPATH" in script.environ:
        script.environ["PYTHONPATH"] = str(tree / script.folder / script.environ["PYTHONPATH"])
    return {**base, **{name: str(value) for name, value in script.environ.items()}}


def bare(script: Script, environ: dict[str, str], tree: Path, told: Path) -> Truth:
    """Run the script under strace and return what it did."""
    told.mkdir()
    shim = told / "shim"
    shim.mkdir()
    (shim / "usercustomize.py").write_text(_SHIM)
    (shim / "sitecustomize.py").write_text(_SHIM)
    path = os.pathsep.join(filter(None, [str(shim), environ.get("PYTHONPATH", "")]))
    watched = {**environ, "PYTHONPATH": path, "CORPUS_TOLD": str(told)}
    before = _state(tree)
    log = told / "trace"
    with open(told / "output", "wb") as out:
        done = subprocess.run(
            [*_STRACE, "-o", str(log), "bash", "-c", script.command],
            cwd=tree / script.folder,
            env=watched,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    after = _state(tree)
    written = {path for path, stat in after.items() if before.get(path) != stat and keeps(path)}
    distributions: dict[str, str] = {}
    for part in told.glob("*.json"):
        distributions.update(json.loads(part.read_text()))
    output = (told / "output").read_text("utf-8", "replace")
    return Truth(_read(log, tree), frozenset(written), distributions, output, done.returncode)


def keeps(path: str) -> bool:
    """Return whether a path below the tree counts: no bytecode, no version control."""
    parts = path.split("/")
    return not {".git", "__pycache__", ".prov"} & set(parts) and not path.endswith(".pyc")


def _state(tree: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for folder, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            key = os.path.relpath(path, tree)
            found[key] = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    return found


def _read(log: Path, tree: Path) -> frozenset[str]:
    """Return the files below ``tree`` that were opened for reading, and are files."""
    top = os.path.realpath(tree) + "/"
    found = set()
    with open(log, encoding="utf-8", errors="replace") as stream:
        pending: dict[str, str] = {}
        for line in stream:
            pid, _, rest = line.strip().partition(" ")
            if rest.endswith("<unfinished ...>"):
                pending[pid] = rest[: -len("<unfinished ...>")]
                continue
            resumed = re.match(r"\s*<\.\.\. \w+ resumed>(.*)", rest)
            if resumed:
                rest = pending.pop(pid, "") + resumed.group(1)
            match = _OPENED.search(rest.strip())
            if match is None or _WRITES.search(match.group(5) or "") or match.group(1) == "creat":
                continue
            path = match.group(6)
            if path.startswith(top) and os.path.isfile(path) and keeps(path[len(top) :]):
                found.add(path[len(top) :])
    return frozenset(found)


_VOLATILE = re.compile(r"[0-9a-f]{32}|\d{10}|\d{4}-\d\d-\d\d|\d\d-\d\d-\d\d|tfevents[\w.]*")


def steady(path: str) -> str:
    """Return ``path`` without what is another one in each run: ids, times, process numbers."""
    return _VOLATILE.sub("*", path)


def scalars(python: Path, folder: Path) -> dict[str, float]:
    """Return the last value by tag of the TensorBoard files below ``folder``, as it reads them."""
    code = (
        "import glob, json, sys\n"
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
        "found = {}\n"
        "for path in glob.glob(sys.argv[1] + '/**/events.out.tfevents*', recursive=True):\n"
        "    read = EventAccumulator(path); read.Reload()\n"
        "    for tag in read.Tags()['scalars']: found[tag] = read.Scalars(tag)[-1].value\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run([str(python), "-c", code, str(folder)], capture_output=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.decode().splitlines()[-1])
    return found


def fresh(tree: Path) -> None:
    """Put the tree back to how it was published."""
    for words in (["checkout", "-q", "--", "."], ["clean", "-qfdx"]):
        subprocess.run(["git", *words], cwd=tree, check=True)
    shutil.rmtree(tree / ".prov", ignore_errors=True)
