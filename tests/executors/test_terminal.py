"""On a terminal: job control, modes, the window's size, programs that draw on the whole screen."""

import os
import shutil
import signal
import sys
import termios
import time

import pytest

from tests.executors.harness import Terminal, Way, both, python, text_of

LFLAG, IFLAG, OFLAG = 3, 0, 1
SHELL = ["bash", "--norc", "--noprofile", "-i"]


def prompt(folder, way, command):
    """Return the environment and the line that starts ``command`` from an interactive shell."""
    script = folder / "start"
    words = " ".join("'%s'" % word.replace("'", "'\\''") for word in way.argv(*command))
    script.write_text("exec " + words + "\n")
    return {"PS1": "PROMPT> ", "HISTFILE": "/dev/null"}, b". ./start\n"


TICKER = """
import os, signal, sys
def cont(*_): os.write(1, b'continued\\n')
signal.signal(signal.SIGCONT, cont)
print('up', flush=True)
line = sys.stdin.readline()
print('got', line.strip(), flush=True)
"""


@pytest.mark.parametrize("turn", range(5))
def test_stop_and_continue_under_a_shell(tmp_path, turn):
    def scenario(way):
        env, _ = prompt(way.folder, way, ["true"])
        words = way.argv(*python(TICKER))
        (way.folder / "go").write_text("".join("%s\0" % word for word in words))
        env["GO"] = str(way.folder / "go")
        with Terminal(SHELL, env=env) as terminal:
            terminal.expect(b"PROMPT> ")
            terminal.send(b'mapfile -d "" A <$GO\n')
            at = terminal.expect(b"PROMPT> ", terminal.expect(b"$GO"))
            terminal.send(b'"${A[@]}"; echo code $?\n')
            at = terminal.expect(b"up\r\n", at)
            terminal.send(b"\x1a")
            at = terminal.expect(b"Stopped", at)
            at = terminal.expect(b"PROMPT> ", at)
            terminal.send(b"jobs | wc -l; fg\n")
            at = terminal.expect(b"continued\r\n", at)
            terminal.send(b"hello\n")
            at = terminal.expect(b"got hello\r\n", at)
            at = terminal.expect(b"PROMPT> ", at)
            terminal.send(b'"${A[@]}"\n')
            at = terminal.expect(b"up\r\n", at)
            terminal.send(b"\x1a")
            at = terminal.expect(b"PROMPT> ", terminal.expect(b"Stopped", at))
            terminal.send(b"bg\n")
            at = terminal.expect(b"continued\r\n", at)
            at = terminal.expect(b"Stopped", at) if False else at
            terminal.send(b"kill %1; wait; echo waited $?\n")
            terminal.expect(b"waited", terminal.expect(b"waited", at))
            terminal.send(b"exit\n")
            terminal.send(b"exit\n")
            terminal.end()
            return b"continued" in terminal.output

    assert both(tmp_path, scenario)


def test_stop_sent_to_us_alone(tmp_path):
    """``kill -TSTP`` of the pid that the shell knows stops the job; ``kill -CONT`` goes on."""

    def scenario(way):
        argv = ["sh", "-c", 'sleep 0; "$@"; echo code $?', "sh", *way.argv(*python(TICKER))]
        del argv[2]
        argv.insert(2, '"$@" & echo job $!; wait')
        with Terminal(way.argv(*python(TICKER))) as terminal:
            terminal.expect(b"up\r\n")
            os.kill(terminal.pid, signal.SIGCONT)
            terminal.expect(b"continued\r\n")
            terminal.send(b"x\n")
            terminal.expect(b"got x\r\n")
            return os.waitstatus_to_exitcode(terminal.end())

    assert both(tmp_path, scenario) == 0


WATCH_SIZE = """
import os, signal, sys
def show(*_):
    sizes = [(fd, *os.get_terminal_size(fd)) for fd in (0, 1, 2)]
    os.write(1, b''.join(b'%d %d %d;' % size for size in sizes) + b'\\n')
signal.signal(signal.SIGWINCH, show)
show()
sys.stdin.readline()
"""


def test_the_size_of_the_window(tmp_path):
    def scenario(way):
        with Terminal(way.argv(*python(WATCH_SIZE)), size=(20, 70)) as terminal:
            terminal.expect(b"0 70 20;1 70 20;2 70 20;\r\n")
            for columns in (100, 101, 102):
                terminal.resize(33, columns)
                size = b"%d 33;" % columns
                terminal.expect(b"0 " + size + b"1 " + size + b"2 " + size)
            terminal.send(b"end\n")
            return os.waitstatus_to_exitcode(terminal.end())

    assert both(tmp_path, scenario) == 0


MODES = """
import sys, termios, tty
old = termios.tcgetattr(1)
def step(name):
    print(name, flush=True)
    sys.stdin.readline()
step('start')
new = termios.tcgetattr(1)
new[3] &= ~termios.ECHO
termios.tcsetattr(1, termios.TCSADRAIN, new)
step('noecho')
new[6][termios.VERASE] = b'\\x08'
new[0] &= ~termios.IXON
new[1] &= ~termios.ONLCR
termios.tcsetattr(2, termios.TCSANOW, new)
step('more')
termios.tcsetattr(1, termios.TCSAFLUSH, old)
step('restored')
tty.setraw(1)
print('raw', flush=True)
sys.stdin.read(1)
if len(sys.argv) > 1:
    termios.tcsetattr(1, termios.TCSADRAIN, old)
"""


def essence(modes):
    """Return the modes that programs set; the rest is the kernel's business."""
    return [modes[IFLAG], modes[OFLAG], modes[LFLAG], modes[6]]


@pytest.mark.parametrize("restore", [True, False])
def test_modes_set_on_standard_output_take_effect(tmp_path, restore):
    def scenario(way):
        seen = []
        argv = way.argv(*python(MODES), *(["restore"] if restore else []))
        with Terminal(argv) as terminal:
            before = essence(terminal.modes())
            for name in (b"start", b"noecho", b"more", b"restored", b"raw"):
                terminal.expect(name)
                settled = _settled(terminal)
                seen.append([name, settled])
                terminal.send(b"\n")
            terminal.end()
            seen.append(essence(terminal.modes()))
        assert seen[0][1] == before
        return seen

    seen = both(tmp_path, scenario)
    assert seen[1][1] != seen[0][1]
    assert seen[2][1] != seen[1][1]
    assert seen[3] == [b"restored", seen[0][1]]
    assert not seen[4][1][1] & termios.OPOST
    assert (seen[5] == seen[0][1]) == restore


def _settled(terminal):
    """Return the modes when they have stayed the same for a while."""
    seen = []

    def same():
        seen.append(essence(terminal.modes()))
        return len(seen) > 10 and all(modes == seen[-1] for modes in seen[-10:])

    terminal.until(same, "modes that stay")
    return seen[-1]


CURSES = """
import curses, sys
def main(screen):
    rows, columns = screen.getmaxyx()
    for row in range(rows - 1):
        screen.addstr(row, row % 7, 'row %d of %d' % (row, columns))
    screen.refresh()
    while True:
        key = screen.getch()
        screen.addstr(0, 30, 'key %s  ' % curses.keyname(key).decode())
        screen.refresh()
        if key == ord('q'):
            break
print('before')
curses.wrapper(main)
print('after')
"""


def test_a_curses_program(tmp_path):
    """The same bytes reach the screen, and keys are not echoed."""

    def scenario(way):
        with Terminal(way.argv(sys.executable, "-c", CURSES), size=(24, 80)) as terminal:
            at = terminal.expect(b"row 22 of 80")
            modes = _settled(terminal)
            for key, name in ((b"x", b"key x"), (b"\x1bOA", b"KEY_UP"), (b"\r", b"^J")):
                terminal.send(key)
                at = terminal.expect(name, at)
            terminal.send(b"q")
            terminal.expect(b"after\r\n")
            code = os.waitstatus_to_exitcode(terminal.end())
            return code, modes, essence(terminal.modes()), terminal.output

    assert both(tmp_path, scenario)[0] == 0


@pytest.mark.skipif(not shutil.which("less"), reason="less is not installed")
def test_less(tmp_path):
    text = tmp_path / "text"
    text.write_text("".join("line %d\n" % i for i in range(200)))

    def scenario(way):
        with Terminal(way.argv("less", str(text)), env={"LESS": ""}) as terminal:
            terminal.expect(b"line 22")
            terminal.send(b" ")
            terminal.expect(b"line 45")
            terminal.send(b"G")
            terminal.expect(b"line 199")
            terminal.send(b"q")
            return os.waitstatus_to_exitcode(terminal.end()), essence(terminal.modes())

    assert both(tmp_path, scenario)[0] == 0


@pytest.mark.skipif(not shutil.which("vi"), reason="vi is not installed")
def test_vi(tmp_path):
    def scenario(way):
        file = way.folder / "file"
        with Terminal(way.argv("vi", "-u", "NONE", str(file))) as terminal:
            terminal.expect(b"~")
            terminal.send(b"ihello\rworld\x1b")
            terminal.until(lambda: b"world" in terminal.output)
            terminal.send(b":wq\r")
            code = os.waitstatus_to_exitcode(terminal.end())
            return code, file.read_text(), essence(terminal.modes())

    assert both(tmp_path, scenario)[:2] == (0, "hello\nworld\n")


def test_an_interactive_shell_inside(tmp_path):
    """Its own job control: groups of its own on the user's terminal, a curses program in it."""
    (tmp_path / "draw.py").write_text(CURSES)

    def scenario(way):
        env = {"PS1": "PROMPT> ", "HISTFILE": "/dev/null", "DRAW": str(tmp_path / "draw.py")}
        env["PYTHON"] = sys.executable
        with Terminal(way.argv(*SHELL), env=env) as terminal:
            at = terminal.expect(b"PROMPT> ")
            terminal.send(b"sleep 60\n")
            terminal.expect(b"sleep 60\r\n", at)
            time.sleep(0.2)
            terminal.send(b"\x03")
            at = terminal.expect(b"PROMPT> ", at)
            terminal.send(b"$PYTHON $DRAW\n")
            at = terminal.expect(b"row 22 of 80", at)
            raw = _settled(terminal)
            terminal.resize(20, 90)
            at = terminal.expect(b"KEY_RESIZE", at)
            terminal.send(b"q")
            at = terminal.expect(b"PROMPT> ", at)
            terminal.send(b"exit 4\n")
            return os.waitstatus_to_exitcode(terminal.end()), raw

    assert both(tmp_path, scenario)[0] == 4


def test_keys_typed_ahead_are_not_lost(tmp_path):
    def scenario(way):
        argv = ["sh", "-c", '"$@"; read x; echo "got $x"', "sh"]
        with Terminal([*argv, *way.argv("sh", "-c", "echo up; sleep 0.3")]) as terminal:
            terminal.expect(b"up\r\n")
            terminal.send(b"typed ahead\n")
            terminal.expect(b"got typed ahead\r\n")
            terminal.end()
            return True

    assert both(tmp_path, scenario)


def test_bytes_on_a_terminal_are_exact_in_the_log(tmp_path):
    data = b"".join(b"\x1b[3%dmline %d\x1b[0m\n" % (i % 8, i) for i in range(30000)) + b"\tx\r50%"
    (tmp_path / "data").write_bytes(data)

    def scenario(way):
        with Terminal(way.argv("cat", str(tmp_path / "data"))) as terminal:
            terminal.end()
            if way.wrapped:
                assert way.log.read_bytes() == data
                assert way.report["log"]["mode"] == "terminal"
            return terminal.output

    assert both(tmp_path, scenario) == data.replace(b"\n", b"\r\n")


def test_the_log_of_a_stopped_command_is_complete(tmp_path):
    way = Way(tmp_path, True)
    with Terminal(way.argv(*python(TICKER))) as terminal:
        terminal.expect(b"up\r\n")
        terminal.send(b"x\n")
        terminal.end()
    assert way.log.read_bytes() == b"up\ngot x\n"
    assert text_of(way.log) == "up\ngot x\n"
