"""The process of `store.asking`: questions as JSON on stdin, an answer a line on stdout."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading

from provenance.store import elsewhere


def main() -> None:
    """Answer what is asked, each as soon as it is known, and end without waiting for stragglers."""
    asked = json.loads(sys.stdin.buffer.read())
    todo: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    for question in asked["questions"]:
        todo.put(question)
    writing = threading.Lock()

    def work() -> None:
        while True:
            try:
                key, url, revision = todo.get_nowait()
            except queue.Empty:
                return
            told = elsewhere.ask(url, revision, asked["limit_s"])
            line = json.dumps([key, told._asdict()]).encode("ascii") + b"\n"
            with writing:
                while line:
                    line = line[os.write(1, line) :]

    threads = [threading.Thread(target=work, daemon=True) for _ in range(asked["jobs"])]
    for one in threads:
        one.start()
    for one in threads:
        one.join(asked["limit_s"] + 1.0)
    os._exit(0)  # no client's threads or loops are waited for
