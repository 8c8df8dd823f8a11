"""Signals reach the command once, whoever sent them and to whom."""

import os
import signal
import subprocess
import time

import pytest

from tests.executors.harness import COUNTER, Terminal, Way, both, python, text_of, wait_for

SLEEPER = """
import signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
print('up', flush=True)
signal.pause()
"""


class Counting:
    """A started command that counts signals, without a terminal, leading its own group."""

    def __init__(self, way, **options):
        for name in ("ready", "counts", "enough"):
            (way.folder / name).unlink(missing_ok=True)
        self.folder = way.folder
        argv = way.argv(*python(COUNTER), str(way.folder))
        options.setdefault("start_new_session", True)
        options.setdefault("stdout", subprocess.PIPE)
        self.job = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **options)
        self.pid = int(text_of(self.folder / "ready"))

    def counts(self):
        """Let it end; return its counts and exit code."""
        # what was sent to us is passed on within 20 ms; what comes twice must not be missed
        time.sleep(0.15)
        (self.folder / "enough").touch()
        code = self.job.wait(60)
        if self.job.stdout:
            self.job.stdout.close()
        return text_of(self.folder / "counts"), code


@pytest.mark.parametrize("name", ["TERM", "INT", "USR1", "HUP"])
def test_a_signal_for_us_alone_is_passed_on(tmp_path, name):
    def scenario(way):
        counting = Counting(way)
        counting.job.send_signal(getattr(signal, "SIG" + name))
        return counting.counts()

    assert both(tmp_path, scenario) == ("[('SIG%s', 1)]\n" % name, 7)


@pytest.mark.parametrize("turn", range(20))
def test_a_signal_for_the_group_comes_once(tmp_path, turn):
    name = ("TERM", "INT", "USR1", "HUP")[turn % 4]
    counting = Counting(Way(tmp_path, True))
    os.killpg(counting.job.pid, getattr(signal, "SIG" + name))
    assert counting.counts() == ("[('SIG%s', 1)]\n" % name, 7)


def test_the_group_first_and_then_we_alone(tmp_path):
    def scenario(way):
        counting = Counting(way)
        for turn in range(6):
            (os.kill if turn % 2 else os.killpg)(counting.job.pid, signal.SIGUSR1)
            time.sleep(0.1)
        return counting.counts()

    assert both(tmp_path, scenario) == ("[('SIGUSR1', 6)]\n", 7)


def test_a_scheduler_that_signals_every_process(tmp_path):
    counting = Counting(Way(tmp_path, True))
    pids = [counting.job.pid, *_children(counting.job.pid)]
    assert counting.pid in pids
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    assert counting.counts() == ("[('SIGTERM', 1)]\n", 7)


def _children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [int(word) for word in file.read().split()]


def test_kill_9_of_the_group_leaves_nothing(tmp_path):
    counting = Counting(Way(tmp_path, True))
    family = [counting.job.pid, *_children(counting.job.pid)]
    os.killpg(counting.job.pid, signal.SIGKILL)
    counting.job.wait()
    wait_for(lambda: not any(map(_lives, family)), "the end of all processes")
    counting.job.stdout.close()


def _lives(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_nothing_of_ours_is_left_when_we_are_killed(tmp_path):
    counting = Counting(Way(tmp_path, True, capture=False))
    family = _children(counting.job.pid)
    assert len(family) == 2
    family.remove(counting.pid)
    counting.job.kill()
    counting.job.wait()
    wait_for(lambda: not _lives(family[0]), "the end of our helper")
    assert _lives(counting.pid)
    assert counting.counts()[0] == "[]\n"


@pytest.mark.parametrize("name", ["TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "ALRM"])
def test_a_signal_that_the_command_does_not_handle(tmp_path, name):
    number = getattr(signal, "SIG" + name)
    source = "import signal\nsignal.signal(%d, signal.SIG_DFL)\nprint('up', flush=True)\n" % number
    source += "import time\ntime.sleep(60)"

    def scenario(way):
        argv = way.argv(*python(source))
        job = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        job.stdout.readline()
        job.send_signal(number)
        errors = job.communicate()[1]
        return job.returncode, errors

    assert both(tmp_path, scenario) == (-number, b"")


def test_a_command_of_nohup_ignores_hangups(tmp_path):
    def scenario(way):
        argv = ["nohup", *way.argv("sh", "-c", "echo up; read x; echo survived")]
        with subprocess.Popen(argv, stdin=-1, stdout=-1, stderr=-3) as job:
            assert job.stdout.readline() == b"up\n"
            job.send_signal(signal.SIGHUP)
            time.sleep(0.1)
            return job.communicate(b"\n")[0]

    assert both(tmp_path, scenario) == b"survived\n"


def test_a_background_job_of_a_script_ignores_the_keyboard(tmp_path):
    def scenario(way):
        argv = way.argv("sh", "-c", "echo up; read x; echo survived")
        shell = ["sh", "-c", '"$@" <&3 & echo $!; wait $!; echo $?', "sh", *argv]
        shell[2] = "exec 3<&0; " + shell[2]
        with subprocess.Popen(shell, stdin=-1, stdout=-1, stderr=-3) as job:
            lines = sorted([job.stdout.readline(), job.stdout.readline()])
            assert lines[1] == b"up\n"
            os.kill(int(lines[0]), signal.SIGINT)
            time.sleep(0.1)
            return job.communicate(b"\n")[0]

    assert both(tmp_path, scenario) == b"survived\n0\n"


@pytest.mark.parametrize("times", [1, 2, 3])
def test_interrupts_while_the_record_is_finished(tmp_path, times):
    """Two are swallowed; a third gives the record up."""
    way = Way(tmp_path, True)
    finishing, finish = tmp_path / "report.finishing", tmp_path / "report.finish"
    job = subprocess.Popen(
        way.argv("sh", "-c", "exit 5"),
        env=dict(os.environ, PROV_TEST_FINISH="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_for(finishing.exists)
    for _ in range(times):
        job.send_signal(signal.SIGINT)
        wait_for(lambda: job.poll() is not None or not _pending(job.pid) & 2, "its delivery")
    if times < 3:
        assert job.poll() is None
        finish.touch()
    errors = job.communicate()[1]
    assert (job.returncode, errors) == (5, b"")
    assert (tmp_path / "report").exists() == (times < 3)


def _pending(pid):
    try:
        with open("/proc/%d/status" % pid) as file:
            return next(int(line[7:], 16) for line in file if line.startswith("ShdPnd:"))
    except (OSError, StopIteration):
        return 0


# On a terminal


@pytest.mark.parametrize("turn", range(20))
def test_one_key_one_signal(tmp_path, turn):
    way = Way(tmp_path, True)
    with Terminal(way.argv(*python(COUNTER), str(tmp_path))) as terminal:
        text_of(tmp_path / "ready")
        terminal.send(b"\x03")
        terminal.expect(b"^C")
        time.sleep(0.1)
        (tmp_path / "enough").touch()
        assert os.waitstatus_to_exitcode(terminal.end()) == 7
    assert (tmp_path / "counts").read_text() == "[('SIGINT', 1)]\n"
    (tmp_path / "enough").unlink()


@pytest.mark.parametrize("to", ["group", "us"])
def test_signals_from_elsewhere_on_a_terminal(tmp_path, to):
    def scenario(way):
        with Terminal(way.argv(*python(COUNTER), str(way.folder))) as terminal:
            text_of(way.folder / "ready")
            (os.kill if to == "us" else os.killpg)(terminal.pid, signal.SIGTERM)
            time.sleep(0.15)
            (way.folder / "enough").touch()
            code = os.waitstatus_to_exitcode(terminal.end())
        return code, (way.folder / "counts").read_text()

    assert both(tmp_path, scenario) == (7, "[('SIGTERM', 1)]\n")


def test_a_key_and_later_a_signal_for_us_alone(tmp_path):
    def scenario(way):
        with Terminal(way.argv(*python(COUNTER), str(way.folder))) as terminal:
            text_of(way.folder / "ready")
            for turn in range(4):
                if turn % 2:
                    os.kill(terminal.pid, signal.SIGINT)
                else:
                    terminal.send(b"\x03")
                time.sleep(0.1)
            (way.folder / "enough").touch()
            terminal.end()
        return text_of(way.folder / "counts")

    assert both(tmp_path, scenario) == "[('SIGINT', 4)]\n"


@pytest.mark.parametrize("leader", ["we", "a shell"])
def test_a_hangup_of_the_terminal(tmp_path, leader):
    shell = ["sh", "-c", '"$@"; true', "sh"] if leader == "a shell" else []

    def scenario(way):
        with Terminal([*shell, *way.argv(*python(COUNTER), str(way.folder))]) as terminal:
            text_of(way.folder / "ready")
            terminal.hang_up()
            time.sleep(0.15)
            (way.folder / "enough").touch()
            return text_of(way.folder / "counts")

    assert both(tmp_path, scenario) == "[('SIGHUP', 1)]\n"


def test_the_keyboard_kills_and_the_shell_knows(tmp_path):
    def scenario(way):
        argv = ["sh", "-c", 'trap "echo trapped" INT; "$@"; echo code $?', "sh"]
        with Terminal([*argv, *way.argv(*python(SLEEPER))]) as terminal:
            terminal.expect(b"up\r\n")
            terminal.send(b"\x03")
            terminal.expect(b"code 130")
            terminal.end()
            return terminal.output

    assert b"trapped" in both(tmp_path, scenario)
