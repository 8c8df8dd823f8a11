"""Two outputs in one log: no torn lines, and in the order in which they were written."""

import os
import threading

import pytest

from provenance.executors._lanes import PATIENCE_S, Lane
from provenance.executors._log import LogWriter
from provenance.executors._relay import Channel
from tests.executors.harness import Way, python, run, wait_for


@pytest.fixture
def lanes(tmp_path):
    writer = LogWriter(str(tmp_path / "log"), bytes, lambda: 0)
    found = []
    for _ in range(2):
        Lane(writer, found)

    def close():
        for lane in found:
            lane.finish()
        writer.close()
        return (tmp_path / "log").read_bytes()

    return [*found, close]


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([(0, b"a"), (1, b"x\n"), (0, b"b\n"), (1, b"y\n")], b"ab\nx\ny\n"),
        ([(0, b"a\n"), (1, b"x\n"), (0, b"b\n")], b"a\nx\nb\n"),
        ([(0, b"a"), (1, b"x"), (0, b"b\nc\n"), (1, b"y\n"), (0, b"d\n")], b"ab\nc\nxy\nd\n"),
        ([(0, b"a"), (1, b"x"), (0, b"b\n"), (0, b"c\n"), (1, b"y\n")], b"ab\nxy\nc\n"),
        ([(0, b"a"), (1, b"x\n")], b"ax\n"),
        ([(1, b"\r 10%"), (0, b"a\n"), (1, b"\r 20%"), (0, b"b\n")], b"\r 10%a\n\r 20%b\n"),
    ],
)
def test_no_line_is_torn(lanes, pieces, whole):
    for lane, data in pieces:
        lanes[lane].feed(data)
    assert lanes[2]() == whole


def test_a_prompt_holds_nothing_up_for_ever(lanes):
    lanes[0].feed(b"Continue? ")
    lanes[1].feed(b"a warning\n")
    assert 0 < lanes[1].refresh() <= PATIENCE_S
    wait_for(lambda: not lanes[1]._waiting or (lanes[1].refresh() and False), "the warning")
    lanes[0].feed(b"yes\n")
    assert lanes[2]() == b"Continue? a warning\nyes\n"


def test_much_waits_for_nobody(lanes):
    lanes[0].feed(b"Continue? ")
    for _ in range(10):
        lanes[1].feed(b"x" * 10_000 + b"\n")
    assert len(lanes[1]._waiting) < 64 << 10
    assert lanes[2]().count(b"x") == 100_000


def test_all_arrives_from_two_threads(lanes):
    def write(lane, letter):
        for number in range(3000):
            lane.feed(b"%s%d" % (letter, number))
            lane.feed(b"\n")
            lane.refresh()

    threads = [threading.Thread(target=write, args=(lanes[i], b"ab"[i : i + 1])) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = lanes[2]().split(b"\n")
    for letter in (b"a", b"b"):
        assert [x for x in lines if x[:1] == letter] == [b"%s%d" % (letter, n) for n in range(3000)]


def test_the_last_words_come_last(tmp_path):
    """What is printed on standard error after all else is the end of the log."""
    way = Way(tmp_path, True)
    source = (
        "import os\n"
        "for i in range(20):\n"
        "    os.write(1, b'step %d' % i)\n"
        "    os.write(1, b'\\n')\n"
        "os.write(2, b'out of memory\\n')\n"
    )
    whole = b"".join(b"step %d\n" % i for i in range(20))
    for _ in range(20):
        done = run(way.argv(*python(source)), stdout=-1, stderr=-1)
        assert (done.stdout, done.stderr) == (whole, b"out of memory\n")
        assert way.log.read_bytes() == whole + b"out of memory\n"


def test_a_slow_reader_of_one_output_does_not_hold_up_the_other(lanes):
    """Only the first piece waits for what the other output has not got rid of."""
    pipes = [os.pipe() for _ in range(4)]
    first = Channel(pipes[0][0], pipes[1][1], lanes[0])
    second = Channel(pipes[2][0], pipes[3][1], lanes[1])
    second.first = first  # whose thread never runs
    os.write(pipes[0][1], b"never read\n")
    second.start(0)
    for number in range(50):
        os.write(pipes[2][1], b"%d\n" % number)
        assert os.read(pipes[3][0], 100) == b"%d\n" % number
    second.settle(10)
    assert not second._in_order
    os.close(pipes[2][1])
    second.finish()
    first.abandon()
    assert lanes[2]() == b"".join(b"%d\n" % n for n in range(50))
