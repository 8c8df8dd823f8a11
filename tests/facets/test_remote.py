"""What a run read from elsewhere: a real server, a real cache layout, real libraries."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from provenance.core.record import captured
from provenance.facets import _remote, data
from provenance.facets._remote import Remote
from tests.facets._venvs import venv

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def end_headers(self):
        self.send_header("ETag", '"tag-1"')
        super().end_headers()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """Serve ``d.csv`` of seven bytes; return the address."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "d.csv").write_bytes(b"a\n1\n2\n3"[:7])
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield "http://127.0.0.1:%d/" % serving.server_port
        serving.shutdown()
        thread.join()


@pytest.fixture
def hub(tmp_path):
    """Lay a cache of the Hugging Face hub as its documentation describes it."""
    top = tmp_path / "hub" / "models--org--tiny"
    for name in ("refs", "blobs", "snapshots/" + COMMIT):
        (top / name).mkdir(parents=True)
    (top / "refs" / "main").write_text(COMMIT)
    (top / "blobs" / "etag77").write_text('{"a": 1}')
    (top / "snapshots" / COMMIT / "config.json").symlink_to("../../blobs/etag77")
    return tmp_path / "hub"


def remotes(prov):
    return {one["url"]: one for one in prov.payload("data")["remotes"]}


def record(prov, code, python=sys.executable, **environ):
    (prov.folder / "get.py").write_text(code)
    environ = {"NO_PROXY": "*", "no_proxy": "*", **environ}
    prov("run", "--", python, "get.py", env=environ)
    return remotes(prov)


def test_downloads_by_the_standard_library(loose, server):
    seen = record(
        loose,
        "import urllib.request as u\n"
        "top = %r\n"
        "u.urlopen(top + 'd.csv?v=1&X-Amz-Signature=verysecret').read()\n"
        "u.urlretrieve(top + 'd.csv?kept', 'local.csv')\n"
        "u.urlopen(u.Request(top + 'd.csv?posted', b'x')).read()\n"
        "try: u.urlopen(top + 'nothing.csv')\n"
        "except OSError: pass\n" % server,
    )
    assert set(seen) == {server + "d.csv?v=1", server + "d.csv?kept"}
    one = seen[server + "d.csv?v=1"]
    assert (one["status"], one["etag"], one["size"], one["how"]) == (200, "tag-1", 7, "observed")
    assert (one["library"], one["where"]) == ("urllib", "get.py:3")
    assert one["last_modified"].endswith("GMT")
    assert seen[server + "d.csv?kept"]["path"]["path"] == "local.csv"


def test_credentials_never_enter(loose, server):
    address = server.replace("://", "://me:hunter2hunter2@") + "d.csv?token=abcdefgh12345678#part"
    record(
        loose,
        "import urllib.request as u\n"
        "class Opener(u.HTTPHandler):\n"
        "    def http_open(self, request):\n"
        "        request.host = request.host.rpartition('@')[2]\n"
        "        return super().http_open(request)\n"
        "u.build_opener(Opener).open(%r).read()\n" % address,
    )
    assert list(remotes(loose)) == [server + "d.csv"]
    folder = loose.folder / ".prov"
    for place, _, names in os.walk(folder):
        for name in names:
            if name == "record.json":
                text = Path(place, name).read_text()
                assert '"remotes"' in text
                assert "abcdefgh12345678" not in text


def test_what_is_read_from_the_cache_of_the_hub_has_its_commit(loose, hub):
    seen = record(
        loose, "open(%r).read()" % str(hub / "models--org--tiny/snapshots" / COMMIT / "config.json")
    )
    one = seen["hf://org/tiny/config.json"]
    assert (one["revision"], one["etag"], one["size"]) == (COMMIT, "etag77", 8)
    assert (one["how"], one["library"]) == ("cached", "huggingface_hub")


def test_programs_that_download_name_what_they_do(loose, server):
    program = loose.folder / "bin" / "curl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    seen = record(
        loose,
        "import subprocess; subprocess.run(['bin/curl', '-sO', %r], check=True)"
        % (server + "d.csv"),
    )
    assert seen[server + "d.csv"]["how"] == "named"
    assert seen[server + "d.csv"]["library"] == "curl"


def test_same_address_with_another_version_is_a_difference():
    def payload(*many):
        return captured(data.VERSION, data.Data((), many))

    was = Remote("https://e.org/x", etag="a", revision="1")
    same = data.compare(payload(was), payload(was))
    assert (same.differences, same.equal, same.not_compared) == ((), 1, ())
    other = data.compare(payload(was), payload(was._replace(etag="b")))
    (found,) = other.differences
    assert (found.kind, found.name, found.old, found.new) == ("content", was.url, "a", "b")
    absent = data.compare(payload(was), payload())
    assert absent.differences == ()
    assert [one.what for one in absent.not_compared] == ["remotes"]
    (read,) = _remote.of(payload(was).subjects)
    assert read == was


@pytest.mark.slow
@pytest.mark.network
def test_real_clients_and_the_real_hub_offline(loose, server, hub, tmp_path):
    try:
        python = venv(
            tmp_path / "env", "requests", "huggingface_hub", "fsspec[http]", "pandas", "pyarrow"
        )
    except (AssertionError, subprocess.SubprocessError) as error:
        pytest.skip("the libraries cannot be installed: " + str(error)[-200:])
    seen = record(
        loose,
        "import json, requests, fsspec, pandas, huggingface_hub\n"
        "top = %r\n"
        "requests.get(top + 'd.csv?n=1', auth=('me', 'hunter2hunter2'))\n"
        "requests.get(top + 'missing.csv')\n"
        "pandas.read_csv(top + 'd.csv?n=2')\n"
        "with fsspec.open(top + 'd.csv?n=3') as file: file.read()\n"
        "json.load(open(huggingface_hub.hf_hub_download('org/tiny', 'config.json')))\n" % server,
        python,
        HF_HUB_CACHE=str(hub),
        HF_HUB_OFFLINE="1",
    )
    assert {url: one["library"] for url, one in seen.items()} == {
        server + "d.csv?n=1": "requests",
        server + "d.csv?n=2": "pandas",
        server + "d.csv?n=3": "fsspec",
        "hf://org/tiny/config.json": "huggingface_hub",
    }
    assert [one["where"] for one in seen.values() if one["where"]] == [
        "get.py:3",
        "get.py:5",
        "get.py:6",
    ]
    assert seen["hf://org/tiny/config.json"]["revision"] == COMMIT
