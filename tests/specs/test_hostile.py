"""Files made to harm a reader: they cost a second at most, run nothing and reach nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from provenance.operations import stated
from provenance.specs import formats
from provenance.specs.model import Source
from tests.specs.seeds import SEEDS
from tests.specs.soundness import FOLDER, module_of, sound
from tests.specs.test_fuzz import ALL

PIECES = (
    *"[ { ( < ' \" ` \\ a. a= a== a>= 1. 1,1, a@ $( ${ ]( ![]( ``` |a * - # : ; , é 0".split(),
    *"{{x}} {% a: &a*a ::".split(),
    *("- ", "- - ", "* ", "\n", " ", "a\n", "a: 1\n", "x = 1\n", "[[a]]\n", "\\\n", "a\n---\n"),
    *("FROM a\n", "RUN pip install a\n", "FROM a AS b\nFROM b\n", "<<A ", "ENV A=$A$A\n", "? "),
    *("- a==1.0\n", "| python | 3.6 |\n", "python 3.6, ", "python>=1", "n't ", "=1,", " or a"),
    *("0" * 64 + "  a\n", "Bootstrap: docker\n%post\n", "a: &a [", "a;", "-r a\n", "a ; a and "),
)


@ALL
def test_the_same_again_and_again_costs_little(path: str) -> None:
    text = SEEDS[path][0]
    for piece in PIECES:
        # What is quadratic takes many seconds for these.
        again = piece * (16_000 // len(piece))
        for whole in (text + again, 'x = "' + again + '"'):
            sound(path, whole.encode())


def laughs(levels: int = 30) -> str:
    """Return YAML that is some hundred bytes and stands for 10 to the power of ``levels``."""
    lines = ["a0: &a0 [lol]", "m0: &m0 {k: v}"]
    for n in range(1, levels):
        tens = ", ".join(["*%s" % (n - 1)] * 10)
        lines.append("a%d: &a%d [%s]" % (n, n, tens.replace("*", "*a")))
        lines.append("m%d: &m%d {<<: [%s], k%d: *m%d}" % (n, n, tens.replace("*", "*m"), n, n - 1))
    last = levels - 1
    return "\n".join(lines) + "\ndependencies: *a%d\npackage: *m%d\n" % (last, last)


BOMBS = {
    "billion laughs": laughs(),
    "quadratic aliases": "a: &a [%s]\ndependencies: [%s]\n" % ("x, " * 900, "*a, " * 900),
    "deep flow": "dependencies: " + "[" * 50_000,
    "deep flow closed": "dependencies: " + "[" * 3_000 + "]" * 3_000,
    "deep blocks": "\n".join(" " * n + "a:" for n in range(1_500)),
    "deep json": '{"a":' * 30_000,
    "deep json closed": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "deep toml": "a = " + "[" * 50_000,
    "deep tables": "".join("[%s]\n" % ".".join("a" * n) for n in range(1, 200)),
    "dotted": "a." * 50_000 + "b = 1",
    "brackets of python": "setup(install_requires=" + "(" * 5_000 + ")" * 5_000 + ")",
    "additions of python": "setup(install_requires=" + "['a'] + " * 20_000 + "[])",
    "huge integer": "a = " + "1" * 10_000 + "\n[package]\nversion = " + "9" * 10_000,
    "huge version": "numpy==" + "1" * 10_000 + "\n",
    "huge versions": json.dumps({"Packages": {"a": {"Package": "a", "Version": "1" * 10_000}}}),
    "huge yaml integer": "dependencies: [python=%s]\nversion: %s\n" % ("1" * 10_000, "1" * 10_000),
    "huge date": "a = 1979-05-27T07:32:00.%sZ\n" % ("9" * 10_000),
    "many keys": "".join("a%d = 1\n" % n for n in range(20_000)),
    "many tables": "".join("[a%d]\n" % n for n in range(20_000)),
    "many dotted keys": "".join("a.b.c.d%d = 1\n" % n for n in range(8_000)),
    "same key": "a: 1\n" * 20_000,
    "merges": "b: &b {a: 1}\n" + "".join("c%d: {<<: *b}\n" % n for n in range(5_000)),
    "nul": "numpy==1.0\n\0\n",
    "surrogates": "numpy==1.0\n\udc80 \ud800\n",
    "markers": "a ; " + " and ".join(["python_version < '3'"] * 1_000),
    "nested markers": "a ; " + "(" * 1_000 + "python_version < '3'" + ")" * 1_000,
    "zip": "PK\x03\x04" + "\0" * 50_000,
}


@ALL
def test_bombs_do_not_go_off(path: str) -> None:
    for bomb in BOMBS.values():
        sound(path, bomb.encode("utf-8", "surrogatepass"))


SANDBOXED = """
import importlib, json, os, resource, sys
sys.path[:0] = {path!r}
from provenance.specs import find, formats
from provenance.specs.model import Source
for module in find.RANKS:
    importlib.import_module("provenance.specs." + module)
import encodings.utf_16, encodings.utf_16_le, encodings.utf_32, encodings.utf_8_sig
formats.read(Source("setup.py", b"setup()"))
if {memory}:
    resource.setrlimit(resource.RLIMIT_AS, ({memory},) * 2)
def refuse(event, arguments):
    # What is imported on the way is the reader's own: a library's parts.
    own = event == "open" and str(arguments[0]).endswith((".py", ".pyc"))
    if event.startswith({refused!r}) and not own:
        print("REFUSED", event, arguments, flush=True)
        os._exit(9)
sys.addaudithook(refuse)
for path, module, data in {files}:
    def sibling(name):
        return None
    spec = formats.read(Source(path, data, sibling), module)
    for one in spec.unread:
        if one.why.startswith("Reading it failed"):
            print("FAILED", path, one)
    assert spec.facts or spec.unread or spec.notes
used = resource.getrusage(resource.RUSAGE_SELF)
print("OK", used.ru_maxrss // 1024, round(used.ru_utime + used.ru_stime, 1))
"""
REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "open",
           "os.remove", "os.mkdir", "os.rename", "shutil.", "ctypes.", "urllib.", "pty.",
           "os.listdir", "os.scandir", "glob.")  # fmt: skip


def sandboxed(files: str, memory: int = 0) -> tuple[int, float]:
    """Read files in a process that ends where a reader does what it must not: MB and seconds."""
    here = [one for one in sys.path if one]
    text = textwrap.dedent(SANDBOXED).format(path=here, refused=REFUSED, files=files, memory=memory)
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("OK"), done.stdout
    _, megabytes, seconds = done.stdout.split()
    return int(megabytes), float(seconds)


EVIL = """\
import os, subprocess, urllib.request
os.system("touch {marker}")
open("{marker}", "w").write("x")
subprocess.run(["touch", "{marker}"])
exec("open('{marker}', 'w')")
urllib.request.urlopen("http://127.0.0.1:9/")
from setuptools import setup
class Meta(type):
    def __getattr__(cls, name):
        open("{marker}", "w")
setup(name="x", install_requires=["numpy==1.0", __import__("os").system("touch {marker}"),
      *open("requirements.txt").read().split(), (lambda: open("{marker}", "w"))()],
      version=eval("open('{marker}', 'w')"))
"""


def test_nothing_in_a_file_is_run_opened_or_fetched(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    evil = EVIL.format(marker=marker)
    tagged = "!!python/object/apply:os.system ['touch %s']\n" % marker
    shell = f"RUN $(touch {marker}) `touch {marker}` && pip install a==1 $(curl http://h)\n"
    dependencies = "dependencies: [%s]\nname: %s" % (tagged.strip(), tagged)
    recipe = f"{{% set x = load_file('{marker}') %}}\npackage: {{{{ os.popen('touch {marker}') }}}}"
    away = "-r http://127.0.0.1:9/x\ngit+http://127.0.0.1:9/x\n"
    files = [
        ("setup.py", "setup_py", evil),
        ("environment.yml", "environment_yml", dependencies),
        ("meta.yaml", "meta_yaml", recipe),
        ("Dockerfile", "dockerfile", "FROM a\n" + shell),
        ("x.def", "apptainer", "Bootstrap: docker\nFrom: a\n%post\n" + shell),
        ("requirements.txt", "requirements", f"$(touch {marker})\n" + away),
    ]
    files += [(path, module_of(path), text) for path, texts in SEEDS.items() for text in texts]
    given = [(path, module, text.encode()) for path, module, text in files]
    sandboxed(repr(given))
    assert not marker.exists()


@pytest.mark.parametrize(
    "line",
    ["-r {0}", "-c {0}", "--requirement={0}", "-r file://{0}", "-r ../outside.txt", "-r ~/x",
     "-r link.txt", "-r folder/outside.txt", "-r ./a/../../outside.txt", "-r ..\\outside.txt",
     "-e ../", "-r fifo", "-r .", "-r /dev/stdin", "-r requirements.txt"],
)  # fmt: skip
def test_no_other_file_than_those_of_the_repository_is_read(tmp_path: Path, line: str) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("secret==1.0\n")
    repository = tmp_path / "repo"
    repository.mkdir()
    (repository / "link.txt").symlink_to(outside)
    (repository / "folder").symlink_to(tmp_path)
    (repository / "fifo").touch()
    file = repository / "requirements.txt"
    file.write_text(line.format(outside) + "\n")
    spec = stated.read(str(file), str(repository))
    assert "secret" not in str(spec)
    assert spec.unread or spec.notes


@pytest.mark.slow
@pytest.mark.parametrize("what", ["line", "lines", "wide"])
def test_a_hundred_megabytes_take_bounded_memory_and_time(what: str) -> None:
    made = {
        "line": "b'a' * (100 << 20)",
        "lines": "b'numpy==1.0\\n' * ((100 << 20) // 11)",
        "wide": "b'[' * (60 << 20)",
    }[what]
    modules = [(path, module_of(path)) for path in SEEDS]
    files = "((path, module, %s) for path, module in %r)" % (made, modules)
    _, seconds = sandboxed(files, memory=2 << 30)
    assert seconds < 60


def test_a_file_that_is_too_large_is_told_in_a_sentence() -> None:
    for path in ("requirements.txt", "uv.lock", "README.md", "Dockerfile", "Pipfile.lock"):
        (one,) = formats.read(Source(FOLDER + path, b"a" * (9 << 20))).unread
        assert "9437184 bytes" in one.why
