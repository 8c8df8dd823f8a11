"""Conda prefixes come back from the record, with what pip had put into them."""

import functools
import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import threading

import pytest

from provenance.environments import conda
from provenance.errors import SystemRefused
from tests.cli.test_env_create import silent
from tests.conftest import Prov, git
from tests.facets._venvs import uv

pytest.importorskip("rattler")
MINOR = "%d.%d" % sys.version_info[:2]
VERSION = "%d.%d.%d" % sys.version_info[:3]
SITE = "lib/python%s/site-packages/" % MINOR
TEXT = "#!/opt/placeholder_placeholder_placeholder/bin/python\nimport tiny\nprint(tiny.VALUE)\n"


def package(channel, name, version, files, links=(), noarch=False, prefix=""):
    """Write a package file of conda; return what a record says of it."""
    subdir = "noarch" if noarch else "linux-64"
    url_of = channel / subdir / ("%s-%s-h0_1.tar.bz2" % (name, version))
    url_of.parent.mkdir(parents=True, exist_ok=True)
    paths = []
    index = {"name": name, "version": version, "build": "h0_1", "build_number": 1, "depends": []}
    index.update(subdir=subdir, arch=None, platform=None)
    if noarch:
        index["noarch"] = "python"
    with tarfile.open(url_of, "w:bz2") as archive:

        def put(path, text, mode=0o644):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text), mode
            archive.addfile(entry, io.BytesIO(text))

        for path, text in files.items():
            put(path, text.encode(), 0o755 if path.startswith("bin/") else 0o644)
            told = {"_path": path, "path_type": "hardlink", "size_in_bytes": len(text)}
            told["sha256"] = hashlib.sha256(text.encode()).hexdigest()
            if prefix and prefix in text:
                told.update(prefix_placeholder=prefix, file_mode="text")
            paths.append(told)
        for path, target in links:
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
            paths.append({"_path": path, "path_type": "softlink", "size_in_bytes": 0})
        put("info/index.json", json.dumps(index).encode())
        put("info/paths.json", json.dumps({"paths": paths, "paths_version": 1}).encode())
        put("info/about.json", b"{}")
        if noarch:
            link = {"noarch": {"type": "python"}, "package_metadata_version": 1}
            put("info/link.json", json.dumps(link).encode())
    content = url_of.read_bytes()
    return conda.Package(
        name,
        version,
        "h0_1",
        channel.as_uri() + "/",
        url_of.as_uri(),
        hashlib.md5(content).hexdigest(),
        hashlib.sha256(content).hexdigest(),
    )


def python(channel):
    """Return a python package that points to the interpreter here, as venv does."""
    base = os.path.realpath(sys.executable)
    home = "home = %s\ninclude-system-site-packages = false\n" % os.path.dirname(base)
    links = [("bin/python", base), ("bin/python3", "python")]
    return package(channel, "python", VERSION, {"pyvenv.cfg": home, SITE + "README": "x"}, links)


def tiny(channel):
    info = "site-packages/tiny-1.0.dist-info/"
    code = "VALUE = 7\n"
    digest = "_s7hTUXcSCKAQCBb4bCcWAHbVKEPfRwgUeLrSWyEHI0"
    files = {
        "site-packages/tiny/__init__.py": code,
        info + "METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        info + "INSTALLER": "conda\n",
        info + "RECORD": "tiny/__init__.py,sha256=%s,%d\n" % (digest, len(code)),
    }
    return package(channel, "tiny", "1.0", files, noarch=True)


@pytest.fixture
def packages(tmp_path):
    channel = tmp_path / "channel"
    library = {"lib/libblas.so.3": "not really", "bin/say": TEXT}
    prefix = TEXT[2 : TEXT.index("/bin/")]
    blas = package(channel, "libblas", "3.9.0", library, prefix=prefix)
    return (python(channel), tiny(channel), blas)


def test_a_prefix_of_exact_files(packages, tmp_path):
    place = str(tmp_path / "one")
    conda.install(packages, place, place, str(tmp_path / "kept"))
    told = subprocess.check_output([place + "/bin/say"], text=True)
    assert told == "7\n", "the prefix was written into the script"
    part, final = str(tmp_path / "part"), str(tmp_path / "final")
    conda.install(packages, part, final, str(tmp_path / "kept"))
    os.rename(part, final)
    assert subprocess.check_output([final + "/bin/say"], text=True) == "7\n"


@pytest.fixture
def served(tmp_path):
    """Return what turns the URL of a file into one of a server on this machine."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield lambda url: url.replace(
        tmp_path.as_uri(), "http://127.0.0.1:%d" % server.server_address[1]
    )
    server.shutdown()
    server.server_close()
    thread.join()


def test_other_files_than_recorded_are_refused(packages, tmp_path, served):
    place = str(tmp_path / "one")
    wrong = packages[1]._replace(sha256="0" * 64, md5="0" * 32)
    with pytest.raises(SystemRefused, match="conda's packages cannot be had"):
        conda.install((packages[0], wrong), place, place, str(tmp_path / "kept"))
    other = packages[1]._replace(url=served(packages[1].url))
    conda.install((packages[0], other), place, place, str(tmp_path / "kept"))
    wrong = wrong._replace(url=other.url)
    with pytest.raises(SystemRefused, match="conda's packages cannot be had"):
        conda.install((packages[0], wrong), place, place, str(tmp_path / "kept2"))
    gone = packages[1]._replace(url=packages[1].url.replace("tiny-1.0", "tiny-9.9"))
    with pytest.raises(SystemRefused, match="conda's packages cannot be had"):
        conda.install((packages[0], gone), place, place, str(tmp_path / "kept"))
    for url in ("", "https://example.org/x", "/etc/passwd"):
        with pytest.raises(SystemRefused, match="does not say where conda's tiny came from"):
            conda.install((packages[1]._replace(url=url),), place, place, str(tmp_path / "kept"))
    far = packages[1]._replace(url="https://example.org/noarch/tiny-1.0-h0_1.conda")
    with pytest.raises(SystemRefused, match="the network is not to be used"):
        conda.install((far,), place, place, str(tmp_path / "kept3"), offline=True)


@pytest.mark.network
@pytest.mark.slow
def test_verify_is_silent_in_a_prefix_with_pip_inside(packages, tmp_path):
    old = str(tmp_path / "old")
    conda.install(packages, old, old, str(tmp_path / "kept"))
    uv(tmp_path, "pip", "install", "-q", "-p", old + "/bin/python", "six==1.16.0")
    folder = tmp_path / "paper"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "main.py").write_text("import tiny, six\nprint(tiny.VALUE)\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "code")
    prov = Prov(folder)
    prov.environ["PROV_CACHE"] = str(tmp_path / "cache")
    prov("run", "--", old + "/bin/python", "main.py")
    prov("lock", "@last")
    os.rename(old, str(tmp_path / "gone"))
    made = prov.json("env", "create", "--at", "back")
    assert (made["missing"], made["hashed"], made["notes"]) == ([], 1, [])
    back = str(folder / "back" / "bin" / "python")
    silent(prov, back)
    assert git(folder, "status", "--porcelain").split() == ["??", "prov.lock"]
    deep = prov.json("verify", "prov.lock", "--python", back, "--deep")
    assert deep["compared"]["package files"]["equal"] > 0
    listed = prov("env", "export", "--format", "explicit").stdout.splitlines()
    assert [one.rpartition("#")[0] for one in listed if one.startswith("file:")] == sorted(
        one.url for one in packages
    )
