"""Lines of ours between a command's: never in the middle of what it shows."""

import random
import time

import pytest

from provenance.executors import _interject
from provenance.executors._interject import Interjector


class Screen:
    """Rows of text as a terminal shows them: carriage return, line feed, erase to the end."""

    def __init__(self):
        self.rows, self.column = [""], 0

    def write(self, data):
        text = data.decode()
        while text:
            if text.startswith("\x1b[K"):
                self.rows[-1] = self.rows[-1][: self.column]
                text = text[3:]
                continue
            letter, text = text[0], text[1:]
            if letter == "\n":
                self.rows.append("")
                self.column = 0
            elif letter == "\r":
                self.column = 0
            else:
                row = self.rows[-1].ljust(self.column)
                self.rows[-1] = row[: self.column] + letter + row[self.column + 1 :]
                self.column += 1


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def listening(terminal=True):
    one = Interjector(-1, terminal)
    one.on = True
    return one


def test_at_a_line_start_it_is_said_at_once(clock):
    one = listening()
    one.passed(b"epoch 1\n")
    one.say("prov: news")
    assert one.now() == b"prov: news\n"
    assert one.now() == b""


def test_in_the_middle_of_a_line_it_waits(clock):
    one = listening()
    one.passed(b"epoch 1\nlos")
    one.say("prov: news")
    clock[0] += 60
    assert one.now() == b""
    one.passed(b"s 0.5\n")
    assert one.now() == b"prov: news\n"


def test_a_bar_is_taken_away_and_shown_again(clock):
    one, screen = listening(), Screen()
    for step in range(3):
        data = b"\r%d/9 |##      | loss=0.%d" % (step, step)
        one.passed(data)
        screen.write(data)
    one.say("prov: news")
    assert one.now() == b"", "the bar has only just moved"
    clock[0] += 0.2
    screen.write(one.now())
    screen.write(b"\r3/9 |###     | loss=0.3")
    assert screen.rows == ["prov: news", "3/9 |###     | loss=0.3"]


def test_nothing_is_said_while_the_cursor_moves_about(clock):
    one = listening()
    one.passed(b"bar 1\n\r  bar 2\x1b[A\n")
    one.say("prov: news")
    clock[0] += _interject.DRAWING_S - 1
    assert one.now() == b""
    clock[0] += 2
    assert one.now() == b"prov: news\n"


def test_into_a_pipe_only_whole_lines_are_put(clock):
    one = listening(terminal=False)
    one.passed(b"\r1/9 |#  |")
    one.say("prov: news")
    clock[0] += 60
    assert one.now() == b""
    one.passed(b"\n")
    assert one.now() == b"prov: news\n"


@pytest.mark.parametrize("seed", range(30))
def test_whatever_lines_and_bars_come_in_pieces_all_lines_stay_whole(clock, seed):
    chance = random.Random(seed)
    stream = b""
    for step in range(40):
        if chance.random() < 0.5:
            stream += b"line %d\n" % step
        else:
            stream += b"".join(b"\r%d: %d/5 |##|" % (step, n) for n in range(6)) + b"\n"
    bare, shown, one = Screen(), Screen(), listening()
    bare.write(stream)
    while stream:
        size = chance.randrange(1, 30)
        piece, stream = stream[:size], stream[size:]
        one.passed(piece)
        shown.write(piece)
        if chance.random() < 0.2:
            one.say("prov: news")
        clock[0] += chance.choice([0.0, 0.2])
        shown.write(one.now())
    assert [row for row in shown.rows if row != "prov: news"] == bare.rows
    assert "prov: news" in shown.rows
