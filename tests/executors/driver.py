"""Run a command through the executor, as the command line does, and tell what came of it.

``driver.py LOG REPORT COMMAND...``: LOG "-" keeps nothing, REPORT is a file for the outcome.
Exits as the command did. PROV_TEST_SECRET: what is to be redacted. PROV_TEST_FINISH: finishing the
record takes until the folder REPORT.finish is there, made known by the folder REPORT.finishing.
PROV_TEST_STRACE: a name; the command is traced, and what strace says goes to REPORT with it behind.
"""

import json
import os
import sys
import time

from provenance.executors import local


def main() -> None:
    log, report, *command = sys.argv[1:]
    secret = os.environ.pop("PROV_TEST_SECRET", "").encode()
    slow = os.environ.pop("PROV_TEST_FINISH", "")
    strace = os.environ.pop("PROV_TEST_STRACE", "")
    hits = [0]

    def redact(data: bytes) -> bytes:
        if secret:
            hits[0] += data.count(secret)
            return data.replace(secret, b"<redacted>")
        return data

    request = local.Request(
        argv=tuple(command),
        environ=dict(os.environ),
        cwd=os.environ.pop("PROV_TEST_CWD", os.getcwd()),
        log_path=None if log == "-" else log,
        redact=redact,
        hits=lambda: hits[0],
        tracer=local.tracer(os.environ, report + strace)[0] if strace else None,
    )
    try:
        ended = local.run(request, lambda running: running.ended.wait() and None)
    except local.NotStarted as error:
        print(error.message, file=sys.stderr)
        sys.exit(error.exit_code)
    told = {"outcome": ended.outcome._asdict(), "log": ended.log._asdict(), "notes": ended.notes}
    told["alongside"] = ended.alongside is not None
    if slow:
        os.mkdir(report + ".finishing")
        while not os.path.exists(report + ".finish"):
            time.sleep(0.01)
    with open(report + ".part", "w") as file:
        json.dump(told, file)
    os.replace(report + ".part", report)
    local.end_as(ended.outcome)


main()
