"""Where a rehearsal takes too long: what it says, and what the next one cuts."""

import time

import pytest

from tests.agent import _hook
from tests.agent.rehearsal import _runs

LIBRARY = """\
import time
class Trainer:
    def __init__(self, max_epochs=1, n_estimators=3):
        self.epochs, self.trees = max_epochs, n_estimators
    def fit(self, data, epochs=None, callback=None):
        done = 0
        for _ in range(epochs or self.epochs):
            time.sleep(0.05)
            done += 1
            if callback: callback(done)
        return done
class Arguments:
    def __init__(self, num_train_epochs): self.n = num_train_epochs
class Wrapped:
    def __init__(self, inner): self.inner = inner
    def fit(self, data): return Trainer(self.inner.n).fit(data)
"""
SCRIPT = """\
from library import Arguments, Trainer, Wrapped
def epochs_of_mine(epochs): return epochs
print(epochs_of_mine(epochs=70), Trainer(n_estimators=900).trees)
%s
print("end")
"""
CALLS = {
    "Trainer().fit([1], epochs=5000)": [["epochs", 2]],
    "print(Trainer().fit([1], epochs=5000))": [["epochs", 2]],
    "Trainer().fit([1], **{'epochs': 5000})": [["**epochs", 2]],
    "t = Trainer(max_epochs=5000, n_estimators=20)\\nt.fit([2])": [
        ["max_epochs", 2],
        ["n_estimators", 10],
    ],
    "Wrapped(Arguments(num_train_epochs=5000)).fit([3])": [["num_train_epochs", 2]],
    "n = 5000\\nTrainer().fit([2], epochs=n, callback=lambda k: str(k).join('ab'))": [
        ["epochs", 2]
    ],
    "import time; time.sleep(500)": [],
}


@pytest.mark.parametrize("call", sorted(CALLS))
@pytest.mark.parametrize("version", ["3.7", "3.13"])
def test_passes_of_the_call_that_took_the_time_are_cut(call, version, tmp_path):
    python = _hook.python_of(version)
    elsewhere = _runs.write(tmp_path / "libraries", library=LIBRARY)
    text = SCRIPT % call.replace("\\n", "\n")
    folder = _runs.write(tmp_path / "w", s=text)
    seen = {"PYTHONPATH": str(elsewhere)}
    first = _runs.rehearsed(python, folder, environ=seen, limit_s=2)
    last = text.splitlines()[:-1]
    assert first.code == 75
    assert (first.tape.end, first.tape.why) == (
        "time",
        "stopped after 2 s at s.py:%d" % len(last),
    )
    assert sorted([name, few] for _, name, few in first.tape.long) == CALLS[call]
    if not CALLS[call]:
        return
    begin = time.monotonic()
    second = _runs.rehearsed(python, folder, environ=seen, short=first.tape.long)
    assert second.tape.end == "done"
    assert second.tape.short == first.tape.long
    assert time.monotonic() - begin < 20
    assert second.out.splitlines()[0] == "70 900"  # what is not too long is not cut
    assert second.out.splitlines()[-1] == "end"


STUCK = """\
import os, re, json
print(json.loads("[1]"))
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
if pid:
    re.match("(a+)+$", "a" * 60 + "b")
"""


@pytest.mark.parametrize("version", ["3.7", "3.13"])
def test_a_call_that_lets_no_other_thread_run_is_ended(version, tmp_path):
    folder = _runs.write(tmp_path / "w", s=STUCK)
    begin = time.monotonic()
    done = _runs.rehearsed(_hook.python_of(version), folder, limit_s=1)
    assert time.monotonic() - begin < 30
    assert done.code == 1
    assert done.tape.end == "cut off"
    assert {"json.loads", "posix.waitpid"} <= set(_runs.called(done.tape))
    numbers = [one.number for one in done.tape.operations]
    assert numbers == sorted(set(numbers)), "the forked process wrote nothing"
