"""The log: redacted across all cuts, capped, and never in the way."""

import os
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.core.redact import MASK, Redactor
from provenance.executors import _kept, _log
from tests.executors.harness import Way, python, run

SECRET = b"hunter2-hunter2"


class Scrub:
    """The simplest of redactors."""

    def __init__(self):
        self.count = 0

    def __call__(self, data):
        self.count += data.count(SECRET)
        return data.replace(SECRET, b"<redacted>")


def written(path, pieces, redact=None, hits=None):
    scrub = Scrub()
    writer = _log.LogWriter(str(path), redact or scrub, hits or (lambda: scrub.count))
    for piece in pieces:
        writer.feed(piece)
    writer.close()
    return path.read_bytes(), writer


def cut_up(data, sizes):
    at = 0
    while at < len(data):
        for size in sizes:
            yield data[at : at + size]
            at += size


@pytest.fixture
def small(monkeypatch):
    """Make all limits small, so that tests reach them."""
    for name, size in (("HEAD", 3000), ("TAIL", 3000), ("LONGEST_LINE", 400), ("OVERLAP", 100)):
        monkeypatch.setattr(_log, name, size)
    monkeypatch.setattr(_log, "PIECE", 500)
    monkeypatch.setattr(_log, "BATCH", 64)
    monkeypatch.setattr(_kept, "TAIL", 3000)
    monkeypatch.setattr(_kept, "PIECE", 500)


TEXT = st.lists(
    st.one_of(
        st.just(SECRET),
        st.binary(max_size=40),
        st.sampled_from([b"\n", b"\r", b"\r\n", b" ", b"x" * 300, b"word " * 30]),
    ),
    max_size=60,
).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(data=TEXT, sizes=st.lists(st.integers(1, 90), min_size=1, max_size=8))
def test_no_secret_survives_any_cut(tmp_path_factory, data, sizes):
    path = tmp_path_factory.mktemp("log") / "log"
    old = _log.LONGEST_LINE, _log.OVERLAP, _log.BATCH
    _log.LONGEST_LINE, _log.OVERLAP, _log.BATCH = 200, 50, 64
    try:
        kept, writer = written(path, cut_up(data, sizes))
    finally:
        _log.LONGEST_LINE, _log.OVERLAP, _log.BATCH = old
    assert kept == data.replace(SECRET, b"<redacted>")
    assert writer.size == len(kept)
    assert (writer.redactions == 0) == (SECRET not in data)
    assert not writer.truncated


@pytest.mark.parametrize("before", range(80, 340, 3))
def test_a_secret_anywhere_in_a_long_line(tmp_path, monkeypatch, before):
    monkeypatch.setattr(_log, "LONGEST_LINE", 200)
    monkeypatch.setattr(_log, "OVERLAP", 50)
    monkeypatch.setattr(_log, "BATCH", 1)
    data = b"x" * before + SECRET + b"y" * 200 + b" " + SECRET + b"z" * 300
    kept, _ = written(tmp_path / "log", cut_up(data, [255, 1]))
    assert kept == data.replace(SECRET, b"<redacted>")


def test_the_real_redactor_across_cuts(tmp_path, monkeypatch):
    monkeypatch.setattr(_log, "BATCH", 1)
    redactor = Redactor([SECRET.decode()])
    lines = [b"epoch %d token=%s loss 0.5\n" % (i, SECRET) for i in range(500)]
    lines.insert(7, b"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n")
    data = b"".join(lines)
    for size in (1, 7, 64, 4096):
        kept, writer = written(
            tmp_path / "log", cut_up(data, [size]), redactor.data, lambda: redactor.hits
        )
        assert SECRET not in kept
        assert b"wJalr" not in kept
        assert kept.count(MASK.encode()) >= 501
        assert writer.redactions >= 501


def key_block(kind=b"RSA ", lines=25):
    body = b"".join(b"%064d\n" % random.Random(i).randrange(10**63) for i in range(lines))
    return b"-----BEGIN %sPRIVATE KEY-----\n%s-----END %sPRIVATE KEY-----\n" % (kind, body, kind)


@pytest.mark.parametrize("size", [1, 50, 1000, 100_000])
@pytest.mark.parametrize("kind", [b"RSA ", b"", b"OPENSSH "])
def test_private_keys_in_pieces(tmp_path, monkeypatch, size, kind):
    monkeypatch.setattr(_log, "BATCH", 1)
    redactor = Redactor()
    data = b"before\n" + key_block(kind) + b"between\n" + key_block(kind, 200) + b"after\n"
    kept, writer = written(
        tmp_path / "log", cut_up(data, [size]), redactor.data, lambda: redactor.hits
    )
    for line in key_block(kind, 200).split(b"\n")[1:-2]:
        assert line not in kept
    for line in (b"before\n", b"between\n", b"after\n"):
        assert line in kept
    assert writer.redactions >= 2


def test_the_beginning_of_a_key_alone_holds_nothing_up_for_ever(tmp_path):
    data = b"-----BEGIN PRIVATE KEY----- is how keys begin\n" + b"x\n" * 20_000
    kept, _ = written(tmp_path / "log", cut_up(data, [1000]))
    assert kept == data


@pytest.mark.parametrize("total", [2999, 3000, 3001, 5999, 6000])
def test_what_fits_is_kept_whole(tmp_path, small, total):
    data = b"".join(b"%09d\n" % i for i in range(total // 10 + 1))[:total]
    kept, writer = written(tmp_path / "log", cut_up(data, [100]))
    assert kept == data
    assert not writer.truncated


@pytest.mark.parametrize("total", [6100, 20_000, 100_000])
@pytest.mark.parametrize("size", [7, 100, 2500])
def test_the_middle_is_left_out(tmp_path, small, total, size):
    data = b"".join(b"%09d\n" % i for i in range(total // 10))
    kept, writer = written(tmp_path / "log", cut_up(data, [size]))
    assert writer.truncated
    assert writer.size == len(kept) < 6200
    lines = kept.split(b"\n")
    marker = next(i for i, line in enumerate(lines) if line.startswith(b"[prov: "))
    head = b"\n".join(lines[:marker]) + b"\n"
    tail = b"\n".join(lines[marker + 1 :])
    assert data.startswith(head)
    assert data.endswith(tail)
    assert len(head) + len(tail) > 2500
    assert int(lines[marker].split()[1]) == total - len(head) - len(tail)


def test_no_secret_in_the_end_either(tmp_path, small):
    data = b"".join(b"%05d %s\n" % (i, SECRET) for i in range(2000))
    kept, writer = written(tmp_path / "log", cut_up(data, [333]))
    assert SECRET not in kept
    assert b"hunter2" not in kept
    assert writer.redactions > 200


def test_an_end_that_begins_inside_of_a_key(tmp_path, small):
    redactor = Redactor()
    data = b"x\n" * 4000 + key_block(lines=25) + b"y\n" * 900
    kept, _ = written(tmp_path / "log", cut_up(data, [100]), redactor.data, lambda: redactor.hits)
    for line in key_block(lines=25).split(b"\n")[1:-2]:
        assert line not in kept
    assert kept.endswith(b"y\n" * 800)


def test_an_unfinished_line_is_written_after_a_while(tmp_path, monkeypatch):
    scrub = Scrub()
    writer = _log.LogWriter(str(tmp_path / "log"), scrub, lambda: scrub.count)
    assert writer.refresh() is None
    writer.feed(b"Continue? hunter2-hun")
    assert 0 < writer.refresh() <= _log.PATIENCE_S
    assert (tmp_path / "log").read_bytes() == b""
    now = [time.monotonic()]
    monkeypatch.setattr(_log.time, "monotonic", lambda: now[0])
    now[0] += 2 * _log.BATCH_S
    assert 0 < writer.refresh() <= _log.PATIENCE_S
    assert (tmp_path / "log").read_bytes() == b""
    now[0] += 2 * _log.PATIENCE_S
    writer.refresh()
    assert (tmp_path / "log").read_bytes() == b"Continue? "
    writer.feed(b"ter2\n")
    writer.close()
    assert (tmp_path / "log").read_bytes() == b"Continue? <redacted>\n"


@pytest.mark.parametrize("size", [0, 5, 5900, 6500, 50_000])
@pytest.mark.parametrize("start", [0, 1234])
def test_files_are_read_at_both_ends_only(tmp_path, small, size, start):
    data = b"".join(b"%09d\n" % i for i in range(size // 10 + 1))[:size]
    (tmp_path / "out").write_bytes(b"#" * start + data + b"later")
    writer = _log.LogWriter(str(tmp_path / "log"), Scrub(), lambda: 0)
    fd = os.open(tmp_path / "out", os.O_WRONLY)
    trouble = _kept._copy_file(fd, start, start + size, writer)
    os.close(fd)
    writer.close()
    kept = (tmp_path / "log").read_bytes()
    assert trouble == ""
    assert writer.truncated == (size > 6000)
    if size <= 6000:
        assert kept == data
    else:
        head, _, rest = kept.partition(b"[prov: ")
        count, _, tail = rest.partition(b" bytes left out here]\n")
        assert data.startswith(head)
        assert data.endswith(tail)
        assert len(head) + int(count) + len(tail) == size
        assert len(tail) > 2000


@pytest.mark.parametrize("to", ["pipe", "file"])
def test_secrets_of_a_command(tmp_path, to):
    way = Way(tmp_path, True)
    source = (
        "import os, time\n"
        "os.write(1, b'a hunter2-')\n"
        "time.sleep(.05)\n"
        "os.write(1, b'hunter2 b\\n' + b'y' * 100000 + b' hunter2-hunter2')\n"
    )
    env = dict(os.environ, PROV_TEST_SECRET=SECRET.decode())
    whole = b"a hunter2-hunter2 b\n" + b"y" * 100_000 + b" hunter2-hunter2"
    with open(tmp_path / "out", "wb") as out:
        done = run(
            way.argv(*python(source)), stdout=-1 if to == "pipe" else out, stderr=-2, env=env
        )
    assert (done.stdout if to == "pipe" else (tmp_path / "out").read_bytes()) == whole
    assert way.log.read_bytes() == whole.replace(SECRET, b"<redacted>")
    assert way.report["log"]["redactions"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("to", ["pipe", "file"])
def test_more_than_the_cap_for_real(tmp_path, to):
    way = Way(tmp_path, True)
    count = 9_000_000
    with open(tmp_path / "out", "wb") as out:
        if to == "file":
            code = run(way.argv("seq", str(count)), stdout=out, stderr=-2).returncode
        else:
            shell = '"$@" | cat >out; exit ${PIPESTATUS[0]}'
            words = way.argv("seq", str(count))
            code = run(["bash", "-c", shell, "bash", *words], cwd=tmp_path).returncode
    assert code == 0
    size = (tmp_path / "out").stat().st_size
    assert size == 70_888_896
    log = way.report["log"]
    assert log["truncated"]
    assert abs(log["size"] - (64 << 20)) < 200_000
    kept = way.log.read_bytes()
    assert kept.startswith(b"1\n2\n3\n")
    assert kept.endswith(b"%d\n" % count)
