"""Rehearsing a recorded script in two environments, so that its own calls can be compared.

A rehearsal is the recorded command once more, rewritten and cut short, in a sandbox of its own
(`agent/rehearsal`, `executors.sandbox`). In the recorded environment it is done twice: what differs
there by itself is not compared. Tapes are kept, so that the same question costs nothing again.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import provenance.agent.rehearsal
from provenance.compare import roots, tapes
from provenance.compare import tape as tapes_
from provenance.compare.tape import Tape
from provenance.core import filekinds
from provenance.core.redact import Redactor
from provenance.errors import ProvError
from provenance.executors import sandbox
from provenance.operations import _baked, _feeds, _script, _taped, calls, recorded, scratch
from provenance.operations._baked import Baked
from provenance.operations._feeds import Feed
from provenance.operations._script import Script
from provenance.operations.references import Reference
from provenance.operations.scratch import Tree
from provenance.store.project import Project

VERSION = 1
"""Of the tapes; another one is not compared with these."""
RUNNER = os.path.join(os.path.dirname(os.path.abspath(provenance.agent.rehearsal.__file__)))
WHOLE_S = 25.0
"""Seconds that a rehearsal gets with its data uncut; above them it is done again with cut data."""
CUT_S = 60.0
"""Seconds that a rehearsal with cut data gets; what it reached by then is compared."""
IMPORTS_S = 60.0
"""Seconds added for a process that does not even get to count its own."""
ROWS = 2000
"""Rows to which data is cut. With 500 a filter by counts left nothing of a real script's data;
with 2,000 all its lines were reached (measured, see docs/trust.md)."""
LOOP_S = 1.0
_EARLIER = "while it is here: prov lock --calls synthetic RUN"
_FED = {calls.SYNTHETIC: "made-up data", calls.FULL: "the data that was kept"}


class Wish(NamedTuple):
    """How to rehearse. environ: of the present. build: whether an environment may be built.

    offline, limit_mb: for that, as in `environments.build`.
    """

    environ: Mapping[str, str]
    place: Project
    python: str
    mode: str
    build: bool = False
    progress: Callable[[str], None] | None = None
    offline: bool = False
    limit_mb: float | None = None


class Rehearsed(NamedTuple):
    """What the rehearsals gave. problem: why there is no comparison, "" where there is one.

    notes: in what the recorded environment is not the one of the run. mode: what the calls were
    given in fact, see `calls`.
    """

    compared: roots.Compared | None = None
    old: Tape | None = None
    new: Tape | None = None
    problem: str = ""
    hint: str = ""
    how: str = ""
    notes: tuple[str, ...] = ()
    mode: str = ""


class Side(NamedTuple):
    """The recorded environment's side: the lines of its two tapes, what they were fed or read."""

    old: str = ""
    again: str = ""
    feed: Feed = Feed()
    problem: str = ""
    hint: str = ""


class _Refused(Exception):
    """There is no rehearsal, for the reason given."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why, self.hint = why, hint


def rehearse(reference: Reference, new_key: Any, wish: Wish) -> Rehearsed:
    """Rehearse ``reference`` in its own environment and with ``wish.python``, and compare.

    new_key: plain JSON that tells the environment of ``wish.python`` from others.
    """
    script = _script.of(reference.record)
    if isinstance(script, str):
        return Rehearsed(problem=script)
    try:
        stage = _stage(reference, script, wish)
        old, again, new = stage.tapes(new_key)
    except _Refused as refused:
        return Rehearsed(problem=refused.why, hint=refused.hint)
    except ProvError as error:
        return Rehearsed(problem=error.message, hint=error.hint)
    if not old.operations:
        why = old.failed[0][1] if old.failed else old.why or "it noted nothing"
        return Rehearsed(problem="the rehearsal in the recorded environment failed: %s" % why)
    try:
        compared = tapes.compare(old, new, again)
    except tapes_.MALFORMED as error:
        return Rehearsed(problem=tapes_.UNTOLD % type(error).__name__)
    mode = stage.wish.mode
    return Rehearsed(compared, old, new, how=stage.how, notes=stage.notes, mode=mode)


def recorded_side(reference: Reference, wish: Wish) -> Side:
    """Rehearse ``reference`` twice in its own environment, as `rehearse` does, for keeping."""
    script = _script.of(reference.record)
    if isinstance(script, str):
        return Side(problem=script)
    try:
        stage = _stage(reference, script, wish)
        python, old = stage.recorded()
        stage.again(python, old)
        feed = stage.fed(calls.SYNTHETIC, None) if stage.feed is None else stage.feed
    except _Refused as refused:
        return Side(problem=refused.why, hint=refused.hint)
    except ProvError as error:
        return Side(problem=error.message, hint=error.hint)
    found = [_taped.text(stage.folder, stage.key + nth) for nth in ("-1", "-2")]
    if not old.operations or None in found:
        return Side(problem="the rehearsal in the recorded environment noted nothing")
    return Side(found[0] or "", found[1] or "", feed)


def _stage(reference: Reference, script: Script, wish: Wish) -> _Stage:
    """Return the stage of the mode that is asked for, or of one that can be had without data."""
    baked = _baked.of_json(reference.calls, VERSION)
    stage = _Stage(reference, script, wish)
    mode = wish.mode
    gone = _feeds.missing(reference.record, wish.place)
    if mode == calls.CUT and gone:
        mode = stage.without_data(baked)
        stage.notes = (_told_of(gone, mode),)
    asked = wish._replace(mode=mode)
    if baked is not None and baked.mode == mode:
        feed = None if mode == calls.CUT else baked.feed
        return _Stage(reference, script, asked, feed, baked, stage.notes)
    if mode == calls.CUT:
        return stage
    return _Stage(reference, script, asked, stage.fed(mode, baked), None, stage.notes)


def _told_of(gone: Sequence[str], mode: str) -> str:
    """Return the sentence that says what stands for the data that is ``gone``."""
    what = gone[0] + (" and %d more" % (len(gone) - 1) if len(gone) > 1 else "")
    text = "%s not here: your calls were given %s instead"
    if mode == calls.CUT:
        text, mode = "%s not here: what reads it fails in the rehearsal%s", ""
    return text % (what + (" are" if len(gone) > 1 else " is"), _FED.get(mode, ""))


class _Stage:
    """The rehearsals of one reference: which tapes there are, and making those that are not."""

    def __init__(
        self,
        reference: Reference,
        script: Script,
        wish: Wish,
        feed: Feed | None = None,
        baked: Baked | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """feed: what stands for the data, None to read it. baked: the old side of a lock."""
        self.reference, self.script, self.wish = reference, script, wish
        self.feed, self.baked = feed, baked
        self.folder = os.path.join(wish.place.folder, _taped.FOLDER)
        self.redact = Redactor.from_environment(wish.environ)
        self.how = ""
        self.notes = notes
        self.stopping = threading.Event()
        same = [VERSION, _taped.agent(RUNNER), _taped.facts(reference.record)]
        data = _taped.stamps(reference.record, wish.place) if feed is None else feed.entries
        mode = calls.CUT if feed is None else wish.mode
        self.key = _taped.key([same, mode, data, baked.digest if baked else ""])
        lasting = [VERSION, same[-1], "feed"]  # what it was like outlives the data and this prov
        self.fed_as = {keep: _taped.key([*lasting, keep]) for keep in (False, True)}

    def tapes(self, new_key: Any) -> tuple[Tape, Tape, Tape]:
        """Return the tapes: recorded environment, the same again, the other. Raises `_Refused`.

        The second and the third are made side by side.
        """
        python, old = self.recorded()
        with ThreadPoolExecutor(2) as pool:
            again = pool.submit(self.again, python, old)
            new = pool.submit(self.present, new_key, old)
            try:
                return old, again.result(), new.result()
            except BaseException:  # within the pool, which waits for both when it is left
                self.stopping.set()
                raise

    def recorded(self) -> tuple[str | None, Tape]:
        """Return the recorded interpreter, where it was needed, and its tape."""
        if self.baked is not None:
            self.how = "kept in the lock"
            return None, self.baked.old
        old = _taped.load(self.folder, self.key + "-1")
        if old is not None and os.path.exists(_taped.path(self.folder, self.key + "-2")):
            self.how = "kept"
            return None, old
        python = self._python()
        if old is None:
            text = self._first(python)
            _taped.keep(self.folder, self.key + "-1", text, self.redact)
            old = self._clean(text)
        return python, old

    def _python(self) -> str:
        """Return the interpreter of the recorded environment. Raises `_Refused`."""
        found = recorded.recorded_python(
            self.reference,
            self.wish.environ,
            self.wish.place,
            self.wish.build,
            self._building,
            self.wish.offline,
            self.wish.limit_mb,
        )
        if found.python is None:
            raise _Refused(found.why, found.hint)
        if found.missing:
            raise _Refused("the environment built like it lacks %s" % "; ".join(found.missing))
        self.how, self.notes = found.how, (*self.notes, *found.notes)
        return found.python

    def without_data(self, baked: Baked | None) -> str:
        """Return the mode that is left where the data of the run is not here."""
        if baked is not None and baked.mode != calls.CUT:
            return baked.mode
        if _feeds.load(self.folder, self.fed_as[True]) is not None:
            return calls.FULL
        known = _feeds.load(self.folder, self.fed_as[False]) or (baked and baked.feed)
        return calls.SYNTHETIC if known else calls.CUT

    def fed(self, mode: str, baked: Baked | None) -> Feed:
        """Return what stands for the data: kept here, else in the lock, else noted now."""
        full = mode == calls.FULL
        for keep in (True,) if full else (False, True):
            known = _feeds.load(self.folder, self.fed_as[keep])
            if known is not None:
                return known if full else known.schemas()
        if baked is not None and (baked.feed.has_values or not full):
            return baked.feed if full else baked.feed.schemas()
        if _feeds.missing(self.reference.record, self.wish.place):
            raise _Refused("neither the data of the run is here nor what it was like", _EARLIER)
        self._first(self._python(), keep=full)
        known = _feeds.load(self.folder, self.fed_as[full])
        if known is None:
            raise _Refused("what the data is like could not be kept in %s" % self.folder)
        return known if full else known.schemas()

    def again(self, python: str | None, old: Tape) -> Tape:
        """Return a second tape of the recorded environment."""
        if self.baked is not None:
            return self.baked.again
        kept = _taped.load(self.folder, self.key + "-2")
        if kept is not None or python is None:
            return kept or old
        self._say("rehearsing there once more, to tell what differs by itself, and here")
        text = _feeds.without(self._fresh(python, self._following(old, old.rows), "1"))
        _taped.keep(self.folder, self.key + "-2", text, self.redact)
        return self._clean(text)

    def _first(self, python: str, keep: bool = False) -> str:
        """Return the tape that decides how all the others are cut.

        keep: what is read of the data is kept, not only what it is like.
        """
        long: set[tuple[int, str, int]] = set()
        if self.feed is None:
            self._say("rehearsing in the recorded environment")
            text = self._fresh(python, {"rows": 0, "limit_s": WHOLE_S, "keep": keep}, "0")
            seen = tapes_.read(text.splitlines())
            if seen.end not in (tapes_.TIME, tapes_.CUT_OFF):
                return self._noted(text, keep)
            long |= set(seen.long)
        what = "data cut to %d rows" % ROWS if self.feed is None else _FED[self.wish.mode]
        told = {"rows": ROWS, "limit_s": CUT_S, "keep": keep}
        for _ in range(2):  # once more where a call took too long whose passes can be cut
            self._say("rehearsing with " + what)
            cut = self._fresh(python, dict(told, short=sorted(long)), "0")
            seen = tapes_.read(cut.splitlines())
            if seen.end != tapes_.TIME or long >= set(seen.long):
                break
            long |= set(seen.long)
        return self._noted(json.dumps({"rows": ROWS}) + "\n" + cut, keep)

    def _noted(self, text: str, keep: bool) -> str:
        """Keep what the data is like apart from the tape; return the rest of it."""
        if self.feed is None:
            if not _feeds.missing(self.reference.record, self.wish.place):
                _feeds.keep(self.folder, self.fed_as[keep], _feeds.taken(text, self.redact))
        elif where := _feeds.read_past(text):
            raise _Refused("data is read at %s in a way that cannot be fed" % where)
        return _feeds.without(text)

    def present(self, new_key: Any, old: Tape) -> Tape:
        """Return the tape of the environment that is asked about. Raises `_Refused`."""
        name = _taped.key([self.key, new_key])
        kept = _taped.load(self.folder, name)
        if kept is not None:
            return kept
        following = self._following(old, old.rows)
        text = _feeds.without(self._fresh(self.wish.python, following, "0"))
        _taped.keep(self.folder, name, text, self.redact)
        return self._clean(text)

    def _clean(self, text: str) -> Tape:
        return tapes_.read(_taped.clean(text, self.redact).splitlines())

    @staticmethod
    def _following(old: Tape, rows: int) -> dict[str, Any]:
        followed = {"loops": [*map(list, old.loops)], "short": [*map(list, old.short)]}
        return dict(followed, rows=rows, limit_s=2 * CUT_S, follows=True)

    def _fresh(self, python: str, settings: dict[str, Any], hash_seed: str) -> str:
        """Return the tape of a rehearsal in a tree of its own, which holds nothing of others."""
        place, environ, data = self.wish.place, self.wish.environ, self.feed is None
        with scratch.tree(self.reference, place, environ, data) as tree:
            return self._run(python, tree, settings, hash_seed)

    def _run(self, python: str, tree: Tree, settings: dict[str, Any], hash_seed: str) -> str:
        """Return the tape that one rehearsal writes. Raises `_Refused` where it cannot start."""
        with tempfile.TemporaryDirectory(prefix="prov-", dir=tree.writable[0]) as folder:
            path = os.path.join(folder, "tape")
            told = os.path.join(folder, "settings.json")
            moved = _script.of(self.reference.record._replace(command=tree.command))
            script = self.script if isinstance(moved, str) else moved
            whole = dict(
                settings,
                tape=path,
                script=script.path,
                module=script.module,
                argv=list(script.argv),
                cells=script.cells,
                own=[tree.path],
                top=tree.path,
                foreign=_environments(tree.path),
                loop_s=LOOP_S,
                data=list(tree.data),
                feed=None if self.feed is None else list(self.feed.entries),
            )
            with open(told, "w", encoding="utf-8") as stream:
                json.dump(whole, stream)
            runner = os.path.join(RUNNER, "_prov_rehearse.py")
            argv = (python, *script.options, runner, told)
            environ = dict(tree.environ, PYTHONHASHSEED=hash_seed)
            task = sandbox.Task(
                argv,
                tree.cwd,
                environ,
                tree.writable,
                limit_s=settings["limit_s"] + IMPORTS_S,
            )
            ended = sandbox.run(task, stop=self.stopping.is_set)
            try:
                with open(path, encoding="utf-8", errors="replace") as stream:
                    return stream.read()
            except OSError as error:
                why = ended.why or ended.stderr_tail.strip().rpartition("\n")[2] or str(error)
                raise _Refused("the rehearsal did not start: %s" % why) from error

    def _say(self, text: str) -> None:
        if self.wish.progress is not None:
            self.wish.progress(text)

    def _building(self, phase: str, done: int, total: int, megabytes: float) -> None:
        self._say(recorded.STAGE % (phase, done, total, megabytes))


def _environments(tree: str) -> list[str]:
    """Return the environments that lie in the tree: their code is not the user's."""
    folders = [os.path.join(tree, name) for name in os.listdir(tree)]
    return [one for one in folders if os.path.isdir(one) and filekinds.is_environment_folder(one)]
