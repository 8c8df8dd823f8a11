"""Environments are built whole or not at all, kept, and honest about what they lack."""

import contextlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from provenance.environments import _interrupts, build, cache, resolve
from provenance.environments.wanted import Wanted
from provenance.errors import MissingExtra, SystemRefused
from tests.environments._index import MINOR, VERSION


def wish(index, **more):
    return build.Wish(index.environ, str(index.wheels), **more)


def wanted(*requirements, **more):
    return Wanted(VERSION, requirements, prefer=(sys.executable,), **more)


def ask(python, code):
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_builds_exactly_what_is_wanted_and_keeps_it(index):
    index.wheel("alpha", "1.0", requires=("beta>=2",))
    index.wheel("alpha", "2.0")
    index.wheel("beta", "1.5")
    index.wheel("beta", "2.5")
    told = []
    recipe = wanted("alpha==1.0", "beta==1.5")  # what was there, not what alpha asks for
    made = build.build(recipe, wish(index), lambda *one: told.append(one[0]))
    assert made.built
    assert made.missing == ()
    assert ask(made.python, "import alpha, beta; print(alpha.VERSION, beta.VERSION)") == "1.0 1.5"
    assert told[0] == "python"
    assert {"resolve", "check"} <= set(told)
    again = build.build(recipe, wish(index))
    assert (again.python, again.built) == (made.python, False)
    assert build.cached(recipe, wish(index)) == again
    assert build.cached(wanted("alpha==2.0"), wish(index)) is None


def test_what_cannot_be_had_is_listed_with_its_reason(index):
    index.wheel("alpha", "1.0")
    index.unbuildable("gamma", "3.0")
    recipe = wanted("alpha==1.0", "alpha-gpu==1.0", "gamma==3.0", "nowhere==1.0")
    index.wheel("alpha-gpu", "2.0")
    made = build.build(recipe, wish(index))
    reasons = {one.name: one.reason for one in made.missing}
    assert set(reasons) == {"alpha-gpu", "gamma", "nowhere"}
    assert reasons["alpha-gpu"] == "no index here has this version"
    assert reasons["nowhere"].startswith("no index here")
    assert "flux compensator" in reasons["gamma"]
    assert ask(made.python, "import alpha; print(alpha.VERSION)") == "1.0"
    assert build.cached(recipe, wish(index)).missing == made.missing


def test_optional_ones_come_only_where_they_are_asked_for(index):
    index.wheel("alpha", "1.0", requires=("Beta.One", "never; python_version < '3'"))
    index.wheel("beta-one", "1.0", requires=("deep",))
    index.wheel("deep", "1.0")
    index.wheel("unused", "1.0")
    rest = ("beta-one==1.0", "deep==1.0", "unused==1.0")
    made = build.build(wanted("alpha==1.0", optional=rest), wish(index))
    code = "import alpha, beta_one, deep, importlib.util as u; print(u.find_spec('unused'))"
    assert ask(made.python, code) == "None"


def test_a_folder_without_marker_is_no_environment(index):
    index.wheel("alpha", "1.0")
    recipe = wanted("alpha==1.0")
    made = build.build(recipe, wish(index))
    folder = os.path.dirname(os.path.dirname(made.python))
    os.remove(os.path.join(folder, cache.MARKER))
    assert build.cached(recipe, wish(index)) is None
    assert build.build(recipe, wish(index)).built


def test_an_environment_whose_python_is_gone_is_built_anew(index):
    index.wheel("alpha", "1.0")
    recipe = wanted("alpha==1.0")
    made = build.build(recipe, wish(index))
    os.remove(made.python)
    os.symlink("/nowhere/python", made.python)
    assert build.cached(recipe, wish(index)) is None


def test_two_builders_at_once_do_the_work_once(index):
    index.wheel("alpha", "1.0")
    code = textwrap.dedent(
        """
        import json, os, sys
        from provenance.environments import build
        from provenance.environments.wanted import Wanted
        wanted = Wanted(sys.argv[1], ("alpha==1.0",), prefer=(sys.executable,))
        made = build.build(wanted, build.Wish(dict(os.environ), os.getcwd()))
        print(json.dumps([made.python, made.built, made.missing]))
        """
    )
    words = [sys.executable, "-c", code, VERSION]
    started = [
        subprocess.Popen(words, env=index.environ, cwd=index.wheels, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    told = [json.loads(one.communicate(timeout=120)[0]) for one in started]
    assert len({python for python, _, _ in told}) == 1
    assert sorted(built for _, built, _ in told) == [False, False, True]
    assert all(missing == [] for _, _, missing in told)


def test_a_killed_build_leaves_nothing_that_counts_and_is_cleaned_up(index):
    index.wheel("alpha", "1.0")
    code = textwrap.dedent(
        """
        import os, sys, time
        from provenance.environments import build
        from provenance.environments.wanted import Wanted
        build._Builder._check = lambda self: (print("here", flush=True), time.sleep(60))
        wanted = Wanted(sys.argv[1], ("alpha==1.0",), prefer=(sys.executable,))
        build.build(wanted, build.Wish(dict(os.environ), os.getcwd()))
        """
    )
    words = [sys.executable, "-c", code, VERSION]
    process = subprocess.Popen(words, env=index.environ, cwd=index.wheels, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"here\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    folder = os.path.join(index.environ["PROV_CACHE"], build.KIND)
    assert [one for one in os.listdir(folder) if ".part-" in one]
    recipe = wanted("alpha==1.0")
    assert build.cached(recipe, wish(index)) is None
    made = build.build(recipe, wish(index))
    assert made.built
    assert [one for one in os.listdir(folder) if ".part-" in one] == []


def test_an_error_in_the_middle_leaves_nothing(index, monkeypatch):
    def fail(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(build._Builder, "_check", fail)
    index.wheel("alpha", "1.0")
    with pytest.raises(KeyboardInterrupt):
        build.build(wanted("alpha==1.0"), wish(index))
    folder = os.path.join(index.environ["PROV_CACHE"], build.KIND)
    assert [one for one in os.listdir(folder) if not one.endswith(".lock")] == []


def test_files_are_shared_with_the_cache_of_uv(index):
    index.wheel("alpha", "1.0")
    made = build.build(wanted("alpha==1.0"), wish(index))
    place = ask(made.python, "import alpha; print(alpha.__file__)")
    assert os.stat(place).st_nlink > 1


def test_no_network_and_no_uv_are_one_sentence(index, tmp_path):
    away = index.away()
    with pytest.raises(SystemRefused, match="the index cannot be reached"):
        build.build(wanted("alpha==1.0"), build.Wish(away, str(tmp_path)))
    made = build.build(wanted("alpha==1.0"), build.Wish(away, str(tmp_path), offline=True))
    assert [one.name for one in made.missing] == ["alpha"]


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "the index asks for a name and password (401 Unauthorized)."),
        (403, "the index refuses it (403 Forbidden)"),
        (404, "no index here knows it"),
        (500, "the index cannot be reached: HTTP status server error (500 Internal Server Error)"),
    ],
)
def test_an_index_that_does_not_answer_is_told_from_one_that_has_nothing(
    index, tmp_path, status, says
):
    with answering(status) as address:
        environ = dict(index.away(), UV_DEFAULT_INDEX=address + "/simple")
        one = build.Wish(environ, str(tmp_path))
        if status in (403, 404):
            made = build.build(wanted("alpha-not-here==1.0"), one)
            assert [lost.reason for lost in made.missing] == [says]
        else:
            with pytest.raises(SystemRefused) as caught:
                build.build(wanted("alpha-not-here==1.0"), one)
            assert caught.value.message.startswith(says)


@contextlib.contextmanager
def answering(status):
    """Serve ``status`` on whatever is asked, and yield the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "http://127.0.0.1:%d" % server.server_address[1]
        server.shutdown()


def test_what_could_not_be_had_is_asked_for_again_later(index, monkeypatch):
    recipe = wanted("alpha==1.0")
    assert [one.name for one in build.build(recipe, wish(index)).missing] == ["alpha"]
    index.wheel("alpha", "1.0")
    assert not build.build(recipe, wish(index)).built
    monkeypatch.setattr(build, "STALE_S", 0.0)
    made = build.build(recipe, wish(index))
    assert (made.built, made.missing) == (True, ())
    assert not build.build(recipe, wish(index)).built


def test_missing_uv_names_the_way_to_get_it(index, tmp_path, monkeypatch):
    bare = tmp_path / "bin"
    bare.mkdir()
    monkeypatch.setattr(sys, "executable", str(bare / "python"))
    with pytest.raises(MissingExtra) as caught:
        build.build(wanted("alpha==1.0"), build.Wish({"PATH": str(bare)}, str(tmp_path)))
    assert "uv" in caught.value.message
    assert "pip install" in caught.value.hint


def test_a_missing_python_names_the_command_that_gets_it(index):
    with pytest.raises(SystemRefused) as caught:
        build.build(Wanted("3.99.1", ()), wish(index))
    assert caught.value.message.startswith("Python 3.99.1 is not here")
    assert caught.value.hint == "uv python install 3.99"


def test_another_bug_fix_release_stands_in_and_says_so(index):
    made = build.build(Wanted(MINOR + ".99", (), prefer=(sys.executable,)), wish(index))
    assert made.version == VERSION or made.version.startswith(MINOR)
    assert made.notes == ("Python %s stands in for %s.99" % (made.version, MINOR),)


def test_the_cache_folder(tmp_path):
    assert cache.folder({"PROV_CACHE": str(tmp_path), "HOME": "/h"}) == str(tmp_path)
    assert cache.folder({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == "/x/prov"
    assert cache.folder({"HOME": "/h"}) == "/h/.cache/prov"
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(SystemRefused, match="cannot be made"):
        cache.prepare({"PROV_CACHE": str(blocked / "below")}, "environments")


@pytest.mark.network
@pytest.mark.slow
def test_an_old_release_that_only_old_build_tools_build(index, tmp_path):
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PROV_"))}
    environ.update(PROV_CACHE=str(tmp_path / "cache"))
    environ["PATH"] = index.environ["PATH"]
    if shutil.which("uv", path=environ["PATH"]) is None or sys.version_info >= (3, 12):
        pytest.skip("setuptools 57 needs Python 3.11 or older")
    recipe = Wanted(VERSION, ("anyjson==0.3.3", "six==1.16.0"), prefer=(sys.executable,))
    began = time.monotonic()
    try:
        made = build.build(recipe, build.Wish(environ, str(tmp_path)))
    except SystemRefused as error:
        pytest.skip(error.message)
    assert made.missing == ()
    assert 0 < made.seconds <= time.monotonic() - began
    assert ask(made.python, "import anyjson, six; print(six.__version__)") == "1.16.0"


@pytest.mark.network
def test_the_month_of_a_release(index, tmp_path):
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PROV_"))}
    environ.update(PROV_CACHE=str(tmp_path / "cache"), PATH=index.environ["PATH"])
    found = resolve.released("six", "1.16.0", MINOR, environ, str(tmp_path))
    if not found:
        pytest.skip("no index here says when a release came")
    assert "2021-05-01" < found <= "2021-08-01", "it came on 2021-05-05; two months are added"
    away = dict(index.away(), PROV_CACHE=str(tmp_path / "cache"))
    assert resolve.released("six", "9.99", MINOR, away, str(tmp_path), offline=True) == ""
    assert resolve.released("six", "1.16.0", MINOR, environ, str(tmp_path), offline=True) == found


WRITER = """
import os, sys
for n in range(20000):
    os.mkdir(os.path.join(sys.argv[1], str(n)))
"""


def interrupted(at):
    """Fill ``at`` by a program that goes on when we are interrupted; return that program."""
    with cache.filling(at):
        words = [sys.executable, "-c", WRITER, at]
        writing = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        while len(os.listdir(at)) < 5:
            time.sleep(0.001)
        try:
            raise KeyboardInterrupt
        finally:
            RUNNING.append(writing)


RUNNING = []


def test_a_folder_in_which_an_ended_program_still_writes_is_removed(tmp_path):
    at = str(tmp_path / "there")
    with pytest.raises(KeyboardInterrupt):
        interrupted(at)
    RUNNING.pop().wait()
    assert not os.path.exists(at)


def test_ctrl_c_waits_until_what_was_started_is_known():
    known = []
    with pytest.raises(KeyboardInterrupt):
        interrupt_while_starting(known)
    assert known == ["started", "ended"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def interrupt_while_starting(known):
    with _interrupts.held() as listen:
        os.kill(os.getpid(), signal.SIGINT)
        known.append("started")
        try:
            listen()
            known.append("went on")
        finally:
            known.append("ended")
