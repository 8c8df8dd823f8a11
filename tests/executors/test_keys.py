"""Programs that read keys from the terminal of their standard output or error."""

import os
import shutil

import pytest

from tests.executors.harness import Terminal, both, python

BY_READING = """
import os, sys, tty
fd = os.open(os.ttyname(1), os.O_RDONLY) if sys.argv[1] == 'name' else int(sys.argv[1])
print('up', flush=True)
print('line', os.read(fd, 100), flush=True)
tty.setcbreak(1)
print('raw', flush=True)
for _ in 'ab':
    print('key', os.read(fd, 1), flush=True)
tty.setcbreak(1)
"""


@pytest.mark.parametrize("where", ["0", "1", "2", "name"])
def test_keys_reach_who_waits_for_them(tmp_path, where):
    def scenario(way):
        with Terminal(way.argv(*python(BY_READING), where)) as terminal:
            terminal.expect(b"up\r\n")
            terminal.send(b"hello\n")
            terminal.expect(b"line b'hello\\n'\r\n")
            terminal.expect(b"raw\r\n")
            for key in (b"x", b"y"):
                terminal.send(key)
                terminal.expect(b"key b'%s'\r\n" % key)
            return os.waitstatus_to_exitcode(terminal.end()), terminal.output

    assert both(tmp_path, scenario)[0] == 0


def test_keys_stay_where_they_are_for_others(tmp_path):
    """A program that reads standard input gets every key, in order, though others poll ours."""
    source = (
        "import os, select, threading, time, tty\n"
        "tty.setcbreak(1)\n"
        "def watch():\n"
        "    poll = select.poll()\n"
        "    poll.register(1, select.POLLERR)\n"
        "    poll.poll(20000)\n"
        "threading.Thread(target=watch, daemon=True).start()\n"
        "print('up', flush=True)\n"
        "time.sleep(.5)\n"
        "got = b''\n"
        "while not got.endswith(b'.'):\n"
        "    got += os.read(0, 3)\n"
        "print(got, flush=True)\n"
    )

    def scenario(way):
        with Terminal(way.argv(*python(source))) as terminal:
            terminal.expect(b"up\r\n")
            for number in range(100):
                terminal.send(b"%d," % number)
                terminal.pump(0.001)
            terminal.send(b".")
            terminal.expect(b"99,.'")
            return terminal.output

    both(tmp_path, scenario)


@pytest.mark.skipif(not shutil.which("more"), reason="more is not installed")
@pytest.mark.parametrize("piped", [False, True])
def test_more(tmp_path, piped):
    text = tmp_path / "text"
    text.write_text("".join("line %d\n" % i for i in range(100)))

    def scenario(way):
        words = ["sh", "-c", "cat %s | more" % text] if piped else ["more", str(text)]
        with Terminal(way.argv(*words)) as terminal:
            terminal.expect(b"line 20")
            terminal.send(b" ")
            terminal.expect(b"line 40")
            terminal.send(b"q")
            return os.waitstatus_to_exitcode(terminal.end())

    assert both(tmp_path, scenario) == 0


@pytest.mark.skipif(not shutil.which("vi"), reason="vi is not installed")
def test_vi_with_text_from_a_pipe(tmp_path):
    def scenario(way):
        file = way.folder / "file"
        with Terminal(way.argv("sh", "-c", "echo text | vi -u NONE -")) as terminal:
            terminal.expect(b"text")
            terminal.send(b":w %s\r" % bytes(file))
            terminal.until(file.exists)
            terminal.send(b":q!\r")
            return os.waitstatus_to_exitcode(terminal.end()), file.read_text()

    assert both(tmp_path, scenario) == (0, "text\n")
