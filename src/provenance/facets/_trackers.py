"""What experiment trackers leave on the disk: MLflow, dvclive, Comet, ClearML, Hugging Face.

Each reader takes what it can and leaves a note for what it cannot; nothing is unpickled or run.
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from provenance.facets import _tensorboard, _wandb
from provenance.facets._metricfiles import Skip, is_number, parsed_number
from provenance.facets._series import Collected

LIMIT = 256 << 20
"""Bytes of a database, a log or an archive's member beyond which it is not read."""

_SQLITE = b"SQLite format 3\0"
_DATABASES = (".db", ".sqlite", ".sqlite3")
_MLFLOW = re.compile(r"(.*)/metrics/(.+)$")
_DVCLIVE = re.compile(r"(.*)/plots/metrics/(.+)\.tsv$")
_CHECKPOINT = re.compile(r"(.*)checkpoint-(\d+)/trainer_state\.json$")
_MOST_ROWS = 2_000_000
Finals = Dict[str, Any]


class Job(NamedTuple):
    """Something to read as one source.

    path: what it is called. prefix: of its names where two sources disagree. read: adds series to
    what it is given and returns values without a series.
    """

    path: str
    prefix: str
    read: Callable[[Collected, List[str]], Finals]


def jobs(paths: Iterable[str], started: float) -> Tuple[List[Job], List[str]]:
    """Return what trackers wrote among ``paths``, and the paths that are none of theirs."""
    groups: Dict[Tuple[str, str], List[str]] = {}
    rest: List[str] = []
    for path in paths:
        kind, top = _kind(path)
        if kind:
            groups.setdefault((kind, top), []).append(path)
        else:
            rest.append(path)
    _drop_checkpoints(groups)
    found = [_job(kind, top, members, started) for (kind, top), members in groups.items()]
    return sorted(found, key=lambda one: (one.path.count(os.sep), one.path)), rest


def _kind(path: str) -> Tuple[str, str]:
    """Return which tracker wrote a file, and the folder or file that stands for the run."""
    folder, name = os.path.split(path)
    if "tfevents" in name:
        return "tensorboard", folder
    if name.endswith(".wandb"):
        return "wandb", path
    if name == "trainer_state.json":
        return "trainer", path
    if name.endswith(_DATABASES):
        return "database", path
    for kind, pattern in (("dvclive", _DVCLIVE), ("mlflow", _MLFLOW)):
        match = pattern.match(path)
        if match and (kind == "dvclive" or os.path.isfile(match.group(1) + "/meta.yaml")):
            return kind, match.group(1)
    if name.endswith(".zip") and _is_comet(path):
        return "comet", path
    if name.startswith("metrics.jsonl") and os.path.basename(folder).startswith("offline-"):
        return "clearml", path
    return "", ""


def _drop_checkpoints(groups: Dict[Tuple[str, str], List[str]]) -> None:
    """Leave out the trainer states that later ones of the same training begin with."""
    latest: Dict[str, Tuple[float, str]] = {}
    tops = [top for kind, top in groups if kind == "trainer"]
    for top in tops:
        match = _CHECKPOINT.match(top)
        run, number = (
            (match.group(1), float(match.group(2)))
            if match
            else (os.path.dirname(top) + "/", math.inf)
        )
        latest[run] = max(latest.get(run, (-1.0, "")), (number, top))
    kept = {top for _, top in latest.values()}
    for top in tops:
        if top not in kept:
            del groups["trainer", top]


def _is_comet(path: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return {"messages.json", "experiment.json"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError):
        return False


def _job(kind: str, top: str, members: List[str], started: float) -> Job:
    def read(into: Collected, notes: List[str]) -> Finals:
        if kind == "tensorboard":
            _tensorboard.read(members, into, notes)
            return {}
        if kind == "wandb":
            return _wandb.read(top, into, notes)
        if kind == "database":
            return _database(top, into, started)
        if kind == "mlflow":
            return _mlflow(members, into)
        if kind == "dvclive":
            return _dvclive(members, into)
        one = {"trainer": _trainer, "comet": _comet, "clearml": _clearml}[kind]
        return one(top, into)

    path = members[0] if len(members) == 1 else top
    return Job(path, os.path.splitext(os.path.basename(top))[0], read)


def _mlflow(paths: List[str], into: Collected) -> Finals:
    """Read MLflow's file store: lines of time, value and step in a file for each metric."""
    for path in sorted(paths):
        match = _MLFLOW.match(path)
        name = match.group(2) if match else os.path.basename(path)
        for row in _lines(path):
            words = row.split()
            if len(words) == 3:
                value, step = parsed_number(words[1]), parsed_number(words[2])
                if value is not None and step is not None:
                    into.add(name, step, value)
    return {}


def _lines(path: str) -> Iterator[str]:
    if os.path.getsize(path) > LIMIT:
        raise Skip("is larger than %d MiB" % (LIMIT >> 20))
    with open(path, encoding="utf-8", errors="replace") as stream:
        yield from stream


def _dvclive(paths: List[str], into: Collected) -> Finals:
    """Read dvclive's plots: a table for each metric, its name the path below ``plots/metrics``."""
    for path in sorted(paths):
        match = _DVCLIVE.match(path)
        for place, row in enumerate(_lines(path)):
            cells = row.rstrip("\r\n").split("\t")
            values = [parsed_number(cell) for cell in cells]
            if match and place and len(cells) >= 2 and values[-1] is not None:
                into.add(match.group(2), values[0] if len(cells) == 2 else place - 1, values[-1])
    return {}


def _trainer(path: str, into: Collected) -> Finals:
    """Read the history of a Hugging Face Trainer."""
    rows = _json(path)
    history = rows.get("log_history") if isinstance(rows, dict) else None
    for row in history if isinstance(history, list) else ():
        if not isinstance(row, dict):
            continue
        step = next((row[k] for k in ("step", "epoch") if is_number(row.get(k))), 0)
        for name, value in row.items():
            if name not in ("step", "epoch", "total_flos") and is_number(value):
                into.add(name, step, value)
    return {}


def _json(path: str) -> Any:
    if os.path.getsize(path) > LIMIT:
        raise Skip("is larger than %d MiB" % (LIMIT >> 20))
    with open(path, encoding="utf-8") as stream:
        try:
            return json.load(stream)
        except (ValueError, RecursionError) as error:
            raise Skip("is not readable JSON") from error


def _comet(path: str, into: Collected) -> Finals:
    """Read the messages of a Comet offline experiment."""
    finals: Finals = {}
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo("messages.json").file_size > LIMIT:
            raise Skip("is larger than %d MiB" % (LIMIT >> 20))
        with archive.open("messages.json") as stream:
            for line in stream:
                metric = _metric_of(line)
                name, value = (
                    metric.get("metricName"),
                    parsed_number(str(metric.get("metricValue"))),
                )
                if isinstance(name, str) and value is not None and not name.startswith("sys."):
                    if is_number(metric.get("step")):
                        into.add(name, metric["step"], value)
                    else:
                        finals[name] = value
    return finals


def _metric_of(line: bytes) -> Dict[str, Any]:
    if b"metric_msg" not in line:
        return {}
    try:
        found = json.loads(line.decode("utf-8", "replace"))["payload"]["metric"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _clearml(path: str, into: Collected) -> Finals:
    """Read the scalars of a ClearML offline session: each line a list of events."""
    for line in _lines(path):
        try:
            events = json.loads(line)
        except (ValueError, RecursionError):
            continue
        for one in events if isinstance(events, list) else ():
            if isinstance(one, dict) and is_number(one.get("value")):
                metric, variant = str(one.get("metric")), str(one.get("variant"))
                if metric.startswith(":monitor:"):
                    continue
                name = variant if metric == "Summary" else "%s/%s" % (metric, variant)
                into.add(name, one.get("iter", 0) if metric != "Summary" else 0, one["value"])
    return {}


def _database(path: str, into: Collected, started: float) -> Finals:
    """Read the metrics that an MLflow database got since ``started`` (seconds); others are none."""
    with open(path, "rb") as stream:
        if stream.read(16) != _SQLITE:
            raise Skip("")
    if os.path.getsize(path) > LIMIT:
        raise Skip("is larger than %d MiB" % (LIMIT >> 20))
    if os.path.exists(path + "-wal") and os.path.getsize(path + "-wal"):
        raise Skip("is still open: what was written last may be missing, so it was not read")
    import sqlite3  # only where there is a database
    from urllib.parse import quote

    names: Dict[str, str] = {}
    place = "file:%s?mode=ro&immutable=1" % quote(path)
    try:
        connection = sqlite3.connect(place, uri=True)
        try:
            tables = {row[0] for row in connection.execute("select name from sqlite_master")}
            if not {"metrics", "runs", "latest_metrics"} <= tables:
                raise Skip("")
            names.update(connection.execute("select run_uuid, name from runs"))
            rows = connection.execute(
                "select key, value, step, is_nan, run_uuid from metrics where timestamp >= ? "
                "order by run_uuid, key, step, timestamp limit ?",
                (int(started * 1000) - 1000, _MOST_ROWS),
            ).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise Skip("is no readable database: %s" % type(error).__name__) from error
    several = len({row[4] for row in rows}) > 1
    for key, value, step, is_nan, run in rows:
        name = "%s/%s" % (names.get(run) or run, key) if several else str(key)
        into.add(name, step, float("nan") if is_nan else value)
    return {}


def beside_log(path: str) -> Optional[str]:
    """Return the W&B log that says all that a ``wandb-summary.json`` says, None where none is."""
    run = os.path.dirname(os.path.dirname(path))
    if os.path.basename(path) not in ("wandb-summary.json", "wandb-history.jsonl"):
        return None
    try:
        return next((one for one in os.listdir(run) if one.endswith(".wandb")), None)
    except OSError:
        return None
