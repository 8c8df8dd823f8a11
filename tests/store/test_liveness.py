"""A record whose writer is dead is an interrupted one."""

import os
import subprocess
import sys

from provenance.core import record
from provenance.core.paths import PathRef
from provenance.core.record import Process, Record
from provenance.store import liveness


def running(process):
    made = Record("i", ("true",), PathRef("repo", "."), record.RUNNING, "2025-01-01")
    return made._replace(process=process)


def test_this_process_lives():
    assert liveness.lives(liveness.this_process()) is True
    assert liveness.status(running(liveness.this_process())) == record.RUNNING


def test_a_dead_process_was_interrupted():
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    gone = liveness.this_process()._replace(pid=child.pid)
    assert liveness.status(running(gone)) == record.INTERRUPTED


def test_a_process_number_used_again_is_not_the_writer():
    me = liveness.this_process()
    assert liveness.lives(me._replace(start_ticks=me.start_ticks + 1)) is False


def test_after_a_reboot_nobody_lives():
    assert liveness.lives(liveness.this_process()._replace(boot_id="another")) is False


def test_another_host_cannot_be_judged():
    other = Process(os.getpid(), "elsewhere")
    assert liveness.lives(other) is None
    assert liveness.status(running(other)) == record.RUNNING
