"""Scenarios are run twice, bare and through the executor; the bare command is the oracle."""

import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

DRIVER = str(Path(__file__).with_name("driver.py"))
PATIENCE_S = float(os.environ.get("PROV_TEST_PATIENCE", "60"))


class Way:
    """A way to run a command: `prefix` goes before it; `log` and `report` are of a wrapped one."""

    def __init__(self, folder, wrapped, capture=True):
        self.folder = Path(folder)
        self.wrapped = wrapped
        self.log = self.folder / "log"
        self._report = self.folder / "report"
        log = str(self.log) if capture else "-"
        self.prefix = [sys.executable, DRIVER, log, str(self._report)] if wrapped else []

    def argv(self, *command):
        for old in (self.log, self._report):
            old.unlink(missing_ok=True)
        return [*self.prefix, *command]

    @property
    def report(self):
        return json.loads(self._report.read_text())


def both(tmp_path, scenario):
    """Return what ``scenario(way)`` gives bare, after checking that it is the same wrapped."""
    answers = []
    for wrapped in (False, True):
        folder = tmp_path / ("wrapped" if wrapped else "bare")
        folder.mkdir(exist_ok=True)
        answers.append(scenario(Way(folder, wrapped)))
    # not a plain assert: outputs of megabytes would be shown in full
    if answers[1] != answers[0]:
        raise AssertionError("bare: %.3000r, wrapped: %.3000r" % tuple(map(repr, answers)))
    return answers[0]


def python(source):
    """Return the command that runs ``source`` in a Python that starts fast."""
    return [sys.executable, "-I", "-S", "-c", source]


def run(argv, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    return subprocess.run(argv, check=False, timeout=PATIENCE_S, **options)


def wait_for(condition, what="the condition"):
    """Return what ``condition()`` gives as soon as that is true."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError("%s did not come about" % what)


def text_of(path, least=1):
    """Return the text of ``path`` once it has ``least`` characters and ends a line."""

    def look():
        try:
            text = Path(path).read_text()
        except OSError:
            return ""
        return text if len(text) >= least and text.endswith("\n") else ""

    return wait_for(look, "text in %s" % path)


COUNTER = """
import os, signal, sys, time
n = {}
def count(number, frame):
    name = signal.Signals(number).name
    n[name] = n.get(name, 0) + 1
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP):
    signal.signal(number, count)
def note(path, text):
    with open(path + ".part", "w") as file:
        file.write(text + chr(10))
    os.replace(path + ".part", path)
place = sys.argv[1]
note(place + "/ready", str(os.getpid()))
deadline = time.monotonic() + 60
while time.monotonic() < deadline and not os.path.exists(place + "/enough"):
    time.sleep(.005)
note(place + "/counts", repr(sorted(n.items())))
sys.exit(7)
"""
"""Counts signals until the file "enough" appears; exits with 7."""


def _resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    """A terminal with a program in it, in a session of its own, driven from here."""

    def __init__(self, argv, size=(24, 80), env=None, cwd=None):
        self.output = b""
        self.status = None
        self.pid, self.fd = os.forkpty()
        if self.pid == 0:
            try:
                for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP):
                    signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_SETMASK, ())
                if cwd:
                    os.chdir(cwd)
                _resize(0, *size)
                os.execvpe(argv[0], argv, dict(os.environ, TERM="xterm", **(env or {})))
            finally:
                os._exit(99)
        self.resize(*size)

    def hang_up(self):
        os.close(self.fd)
        self.fd = -1

    def resize(self, rows, columns):
        _resize(self.fd, rows, columns)

    def modes(self):
        return termios.tcgetattr(self.fd)

    def send(self, keys):
        os.write(self.fd, keys)

    def pump(self, seconds=0.02):
        """Take what there is; return False at the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.output += data
        return bool(data)

    def expect(self, text, start=0):
        """Read until ``text`` is there (after ``start``); return where it ends."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.output[start:]:
            assert time.monotonic() < deadline, "%r not in %r" % (text, self.output[start:])
            if not self.pump() and text not in self.output[start:]:
                raise AssertionError("ended without %r: %r" % (text, self.output[start:]))
        return self.output.index(text, start) + len(text)

    def until(self, condition, what="the condition"):
        def look():
            self.pump()
            return condition()

        return wait_for(look, what)

    def end(self):
        """Read to the end; return the wait status of the program."""
        if self.status is None:
            quiet = 0
            deadline = time.monotonic() + PATIENCE_S
            while quiet < 50:
                before = len(self.output)
                if not self.pump():
                    break
                assert time.monotonic() < deadline, "still running: %r" % self.output[-1000:]
                ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                quiet = quiet + 1 if ended and len(self.output) == before else 0
            self.status = os.waitpid(self.pid, 0)[1]
        return self.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except OSError:
                pass
        if self.fd >= 0:
            os.close(self.fd)
