"""A run that is held against recorded curves while it goes on: told, kept, and never disturbed."""

import json
import math
import os
import pty
import random
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from provenance.operations import live
from tests.conftest import PYTHON, Prov
from tests.executors.harness import wait_for
from tests.executors.test_interject import Screen

LEARN = '''\
"""A loss that falls: learn.py RATE SEED STEPS SECONDS [line|bar|csv|nan] [UNTIL]"""
import math, os, random, sys, time
rate, seed, steps, seconds = map(float, sys.argv[1:5])
how = (sys.argv[5:] or ["line"])[0]
chance = random.Random(seed)
table = open("history.csv", "w") if how == "csv" else None
if table:
    table.write("step,val_loss\\n")
for step in range(int(steps)):
    loss = 0.1 + 2 * math.exp(-rate * step) + chance.gauss(0, 0.03)
    if how == "nan" and step == 40:
        loss = math.nan
    if how == "bar":
        for part in range(2):
            sys.stderr.write("\\r%3d: %d/2 |%-2s| busy" % (step, part, "#" * part))
            sys.stderr.flush()
            time.sleep(seconds / steps / 2)
        sys.stderr.write("\\rstep %d loss %.4f%20s\\n" % (step, loss, ""))
        continue
    if table:
        table.write("%d,%.4f\\n" % (step, loss))
        table.flush()
    else:
        print("step %d loss %.4f" % (step, loss), flush=True)
    if step % 20 == 0:
        sys.stderr.write("step %d is done\\n" % step)
        sys.stderr.flush()
    time.sleep(seconds / steps)
if how == "bar":
    sys.stderr.write("\\r  7%|#    | validating")
    sys.stderr.flush()
while sys.argv[6:] and not os.path.exists(sys.argv[6]):
    time.sleep(0.01)
if how == "bar":
    sys.stderr.write("\\r100%|#####| validated \\n")
'''
GOOD, SLOW = "0.06", "0.006"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a project with three recorded trainings and an author's table."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "learn.py").write_text(LEARN)
    prov = Prov(folder)
    for seed in (1, 2, 3):
        prov(
            "run", "--name", "seed%d" % seed, "--", PYTHON, "learn.py", GOOD, str(seed), "120", "0"
        )
    chance = random.Random(9)
    rows = [
        "%d,%.4f" % (n, 0.1 + 2 * math.exp(-0.06 * n) + chance.gauss(0, 0.03)) for n in range(120)
    ]
    (folder / "authors.csv").write_text("step,val_loss\n" + "\n".join(rows) + "\n")
    return prov


def learn(*words):
    return ["--", PYTHON, "learn.py", *words]


def bare(project, *words):
    return subprocess.run(
        learn(*words)[1:], cwd=project.folder, capture_output=True, text=True, check=True
    )


def ours(text):
    return [line for line in text.splitlines() if line.startswith("prov: ")]


def told(project, *words, how="line", seconds="0.5", err=subprocess.PIPE):
    """Let a slow start be told; return the lines of standard output and error.

    The command ends as soon as that was told, so that a busy machine is given the time it needs.
    """
    stop = project.folder / "stop"
    stop.unlink(missing_ok=True)
    command = [*words, *learn(SLOW, "5", "120", seconds, how, str(stop))]
    one = started(project, *command, err=err)
    lines = []
    for line in one.stderr if err is subprocess.PIPE else follow(err.name, one):
        lines.append(line.decode().rstrip("\n"))
        if " parted from " in lines[-1]:
            stop.touch()
    out = one.stdout.read().decode().splitlines()
    assert one.wait(timeout=60) == 0
    one.stdout.close()
    return out, lines


def follow(path, process):
    """Yield the lines of a file that grows until ``process`` has ended."""
    with open(path, "rb") as stream:
        while True:
            ended = process.poll() is not None
            yield from stream
            if ended:
                return
            time.sleep(0.02)


def started(project, *words, err=subprocess.PIPE):
    return subprocess.Popen(
        [sys.executable, "-m", "provenance", "run", *words],
        cwd=project.folder,
        env=project.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=err,
        start_new_session=True,
    )


def test_the_bytes_of_a_piped_command_are_its_own(project):
    words = (SLOW, "5", "120", "1")
    done = project("run", "--against", "seed1", *learn(*words))
    alone = bare(project, *words)
    assert done.stdout == alone.stdout
    assert done.stderr.startswith(alone.stderr + "prov: recorded ")


def test_a_slow_start_is_told_while_it_runs_and_kept(project):
    out, lines = told(project, "--against", "seed1", "--live", "always")
    assert out == bare(project, SLOW, "5", "120", "0").stdout.splitlines()
    news = ours("\n".join(lines))
    assert news[0].startswith("prov: loss parted from 'seed1' at step "), lines
    assert "; behind: recorded at step " in news[0]
    assert news[1].startswith("prov: recorded "), "one change is told once"
    assert [one for one in lines if one.startswith("step ")] == [
        "step %d is done" % step for step in range(0, 120, 20)
    ]
    kept = project.last()["against"]
    assert kept["state"] == "parted"
    assert kept["references"][0]["label"] == "seed1"
    assert kept["metrics"]["loss"]["pace"] == "behind"
    assert kept["metrics"]["loss"]["since"] < 40
    assert "  against  loss parted from 'seed1' at step " in project("show", "@last").stdout


def test_another_seed_is_on_track_and_quiet(project):
    names = ("--against", "seed1", "--against", "seed2", "--against", "seed3")
    done = project("run", *names, "--live", "always", *learn(GOOD, "7", "120", "1"))
    assert all(" parted " not in line for line in ours(done.stderr)), done.stderr
    assert "against  loss is on track with 'seed1' and 2 more at step " in done.stderr
    assert project.last()["against"]["state"] == "on track"
    quiet = project("run", *names, "-q", *learn(GOOD, "7", "30", "0.1"))
    assert ours(quiet.stderr) == []


def test_a_written_table_is_held_against_the_authors(project):
    _, lines = told(project, "--against", "authors.csv", "--live=always", how="csv")
    news = ours("\n".join(lines))
    assert news[0].startswith("prov: val_loss parted from 'authors.csv' at step ")
    kept = project.last()["against"]
    assert kept["references"] == [{"kind": "file", "label": "authors.csv", "path": "authors.csv"}]


def test_a_loss_that_is_no_number_is_named(project):
    project("run", "--against", "seed1", *learn(GOOD, "5", "60", "0", "nan"))
    kept = project.last()["against"]
    assert kept["metrics"]["loss"]["state"] == "not finite"
    assert kept["metrics"]["loss"]["since"] == 40
    shown = project("show", "@last").stdout
    assert "against  loss is NaN at step 40; 'seed1' had " in shown


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("missing.csv", 4, "there is no file and no run missing.csv to compare with."),
        ("missing", 4, "no run is called 'missing'"),
        ("@-99", 4, "@-99 means none of the runs"),
        ("learn.py", 4, "learn.py holds no curve"),
        ("quiet", 3, "quiet has no curve: no metric with at least 3 values."),
    ],
)
def test_a_bad_reference_starts_nothing(project, name, code, text):
    if name == "quiet":
        project("run", "--name", "quiet", "--", "true")
    done = project("run", "--against", name, "--", "touch", "started", code=code)
    assert done.stderr.startswith("prov: "), done.stderr
    assert text in done.stderr
    assert not (project.folder / "started").exists()


def test_commands_that_say_nothing_or_fail_at_once(project):
    done = project("run", "--against", "seed1", "--live", "always", "--", "true")
    assert ours(done.stderr)[0].startswith("prov: recorded ")
    assert "'seed1': nothing to compare" in done.stderr
    project("run", "--against", "seed1", "--", "sh", "-c", "exit 9", code=9)
    project("run", "--against", "seed1", "--", "./nowhere", code=127)
    done = project("run", "--live", "loud", "--", "true", code=2)
    assert "--live 'loud' is not auto, always or never." in done.stderr


def in_terminal(project, words, stop):
    """Run ``prov words`` in a terminal until a parting was told; return all that it showed."""
    pid, fd = pty.fork()
    if pid == 0:
        try:
            os.chdir(project.folder)
            command = [sys.executable, "-m", "provenance", *words]
            os.execve(sys.executable, command, dict(project.environ, TERM="xterm"))
        finally:
            os._exit(99)
    shown = b""
    while True:
        try:
            piece = os.read(fd, 1 << 16)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if b" parted from " in shown:
            stop.touch()
    _, status = os.waitpid(pid, 0)
    os.close(fd)
    return shown, os.waitstatus_to_exitcode(status)


def test_a_progress_bar_on_a_terminal_is_not_torn(project):
    stop = project.folder / "stop"
    stop.unlink(missing_ok=True)
    words = learn(SLOW, "5", "40", "0.5", "bar", str(stop))
    shown, code = in_terminal(project, ("run", "--against", "seed1", *words), stop)
    assert code == 0
    screen = Screen()
    screen.write(shown)
    rows = [row.rstrip() for row in screen.rows]
    told = [row for row in rows if row.startswith("prov: loss parted from 'seed1' at step ")]
    assert len(told) == 1, rows
    before_end = rows[: rows.index(next(r for r in rows if r.startswith("prov: recorded ")))]
    rest = [row for row in before_end if row not in told]
    assert rest.pop() == "100%|#####| validated"
    assert len(rest) == 40
    for step, row in enumerate(rest):
        assert row.startswith("step %d loss " % step)
        assert "|" not in row


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as stream:
        of_main = stream.read().split()
    others = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task)) as stream:
            others += stream.read().split()
    return {int(one) for one in of_main + others}


def follower(pid):
    for child in children(pid):
        with open("/proc/%d/cmdline" % child, "rb") as stream:
            if b"_live_worker" in stream.read():
                return child
    return None


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_follows_ends_with_prov_however_that_ends(project):
    one = started(project, "--against", "seed1", *learn(SLOW, "5", "120", "30"))
    other = wait_for(lambda: follower(one.pid))
    os.kill(one.pid, signal.SIGKILL)
    one.communicate()

    def gone():
        try:
            with open("/proc/%d/stat" % other) as stream:
                return stream.read().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    wait_for(gone, "the end of what follows")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_run_does_not_feel_the_end_of_what_follows(project):
    one = started(project, "--against", "seed1", *learn(GOOD, "5", "60", "1.5"))
    os.kill(wait_for(lambda: follower(one.pid)), signal.SIGKILL)
    out, err = one.communicate(timeout=60)
    assert one.returncode == 0, err
    assert len(out.splitlines()) == 60
    assert project.last()["against"]["state"] == "on track"


def test_interrupted_with_control_c(project):
    words = learn(SLOW, "5", "120", "0.2", "line", "nowhere")
    one = started(project, "--name", "stopped", "--against", "seed1", *words)
    wait_for(lambda: "parted" in project("watch", "stopped", "--once", code=None).stdout)
    os.killpg(one.pid, signal.SIGINT)
    one.communicate(timeout=60)
    assert one.returncode == -signal.SIGINT
    kept = project.json("show", "stopped")
    assert kept["signal"] == signal.SIGINT
    assert kept["against"]["state"] == "parted"


def test_watched_from_elsewhere_also_where_it_was_started_without(project):
    stop = project.folder / "stop"
    stop.unlink(missing_ok=True)
    words = learn(SLOW, "5", "120", "0.2", "line", str(stop))
    one = started(project, "--name", "watched", *words)
    held = ("watch", "watched", "--against", "seed1")
    wait_for(lambda: "parted" in project(*held, "--once", code=None).stdout)
    refused = project("watch", "watched", code=3)
    assert "was not started with --against" in refused.stderr
    done = project(*held, "--once", code=1)
    assert "watched\"  running  against 'seed1'" in done.stdout
    assert "loss    parted at step " in done.stdout
    seen = project.json(*held, "--once", code=1)
    assert (seen["status"], seen["metrics"]["loss"]["state"]) == ("running", "parted")
    command = [sys.executable, "-m", "provenance", *held, "--json"]
    watching = subprocess.Popen(
        command, cwd=project.folder, env=project.environ, stdout=subprocess.PIPE
    )
    looks = [json.loads(watching.stdout.readline())["data"]]
    stop.touch()
    looks += [json.loads(line)["data"] for line in watching.stdout]
    watching.stdout.close()
    assert watching.wait(timeout=60) == 1
    assert (looks[0]["status"], looks[-1]["status"]) == ("running", "done")
    one.communicate(timeout=60)
    told = project(*held, code=1).stdout
    assert told.startswith("loss parted from 'seed1' at step ")
    assert told.endswith("  done\n")


def test_a_follower_that_cannot_be_started_is_only_noted(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    names = SimpleNamespace
    recorder = names(
        problems=[],
        folder="/nowhere",
        settings=names(rtol=None, atol=None),
        request=names(against=()),
    )
    running = names(places=(), say=None, ended=names(wait=lambda seconds: seconds))
    assert live.beside(running, recorder)(3.0) == 3.0
    assert recorder.problems == ["the run was not followed live: No such file or directory."]


def test_a_batch_job_whose_standard_error_goes_to_a_file(project, tmp_path):
    with open(tmp_path / "job.err", "wb") as err:
        out, lines = told(project, "--against", "seed1", "--live", "always", err=err)
    assert ours("\n".join(lines))[0].startswith("prov: loss parted from 'seed1' at step "), lines
    assert len([line for line in lines if line.startswith("step ")]) == 6
    assert out == bare(project, SLOW, "5", "120", "0").stdout.splitlines()
    assert set(project.payload("metrics")["final"]) == {"loss"}


def test_a_reference_that_is_written_meanwhile_is_not_held_against_itself(project):
    rows = "".join("%d,%.3f\n" % (step, 2 / (1 + step)) for step in range(60))
    (project.folder / "theirs.csv").write_text("step,cost\n" + rows)
    (project.folder / "grow.py").write_text(
        "open('theirs.csv', 'a').write('60,0.03\\n')\n"
        "for step in range(40): print('step', step, 'accuracy', 0.5)\n"
    )
    done = project("run", "--against", "theirs.csv", "--", PYTHON, "grow.py")
    assert "no metric of one name; it has cost, this run accuracy" in done.stdout + done.stderr
