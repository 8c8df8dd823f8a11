"""Statements of the script that fail: each is noted, and those that only follow are not."""

import pytest

from tests.agent import _hook
from tests.agent.rehearsal import _runs

SCRIPT = """\
import json, math
import nothing_of_the_kind as gone
from json import loads as read, nothing_here
settings = read("[1")
def work(x):
    return math.sqrt(x) + settings[0]
print(math.sqrt(settings[0]))
print(work(4))
gone.thing(json.dumps([1]))
for k in settings: last = k
with open("nothing.txt") as stream: text = stream.read()
print(json.loads(text), last)
print(never_given)
print(json.dumps([2]), math.floor(2.5))
class Net(gone.Module): pass
Net()
(json.dumps(never_given))
def late():
    inner
late()
"""
ROOTS = {
    2: "ModuleNotFoundError",
    3: "ImportError",
    4: "JSONDecodeError",
    11: "FileNotFoundError",
    13: "NameError",
    17: "NameError",
    20: "NameError",
}


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.11", "3.13"])
def test_what_fails_for_want_of_a_failed_statement_is_no_failure(version, tmp_path):
    folder = _runs.write(tmp_path / "w", s=SCRIPT)
    done = _runs.rehearsed(_hook.python_of(version), folder)
    assert {line: text.partition(":")[0] for line, text in done.tape.failed} == ROOTS
    assert not [one for one in done.tape.operations if one.error.startswith("NameError")]
    ran = {done.tape.sites[one.site].line for one in done.tape.operations if not one.error}
    assert {6, 14} <= ran, "what does not fail is noted"
    assert done.tape.end == "done"
