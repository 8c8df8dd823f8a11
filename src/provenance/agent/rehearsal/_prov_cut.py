"""Cutting a rehearsal short: loops by time, data by rows, trainers by epochs.

The first rehearsal decides how many turns each loop gets; later ones follow its plan, so that all
of them do the same work and draw the same random numbers.
"""

import sys
import time

LOOP_S = 1.0
"""Seconds that the turns of one loop may take before it ends, after at least `LEAST_TURNS`."""
LEAST_TURNS = 2
EPOCHS = frozenset("epochs epoch n_epochs nb_epoch num_epochs max_epochs num_train_epochs".split())
"""Keyword arguments that give a library the number of passes over the data."""
FEW_EPOCHS = 2

load = None


class Cut(object):
    """How much is cut. rows: data longer than this is cut to it, 0 for not at all."""

    def __init__(self, settings, tape):
        self.tape = tape
        self.rows = settings.get("rows", 0)
        self.loop_s = settings.get("loop_s", LOOP_S)
        self.planned = {}
        for site, nth, turns in settings.get("loops", ()):
            self.planned[(site, nth)] = turns
        self.follows = settings.get("follows", False)
        self.loops = {}
        self.whiles = {}

    def loop(self, site):
        """Return the count of one execution of a ``for`` loop."""
        nth = self.loops.get(site, 0)
        self.loops[site] = nth + 1
        return Loop(self, site, nth)

    def may_turn(self, site):
        """Return whether a ``while`` loop at ``site`` may go on, in the frame that asks."""
        frame = sys._getframe(2)
        known = self.whiles.get(site)
        if known is None or known[0] != id(frame) or known[1].over:
            known = self.whiles[site] = (id(frame), self.loop(site))
        loop = known[1]
        if loop.goes_on():
            return True
        loop.stopped()
        loop.over = True
        return False

    def called(self, callee, function):
        """Return ``function``, or one that trains for fewer epochs."""
        del callee
        return function

    def again(self, site, value):
        """Return the result of an execution that is not noted."""
        del site
        return self.shortened(value) if self.rows else value

    def result(self, operation, value):
        """Return the result of an operation, cut where it is longer than all it was made from."""
        if not self.rows or operation.noted is False:
            return value
        names = self.tape.names
        longest = max([_length(one) for one in operation.values if not names.answers(one)] or [0])
        return value if longest > self.rows else self.shortened(value)

    def shortened(self, value):
        """Return the first rows of a table or array; anything else as it is."""
        rows = self.rows
        kind = type(value)
        try:
            name = kind.__module__.partition(".")[0] + "." + kind.__name__
            if name in ("pandas.DataFrame", "pandas.Series") and len(value) > rows:
                return value.iloc[:rows].copy()
            if name == "polars.DataFrame" and len(value) > rows:
                return value.head(rows)
            if name == "numpy.ndarray" and value.ndim and len(value) > rows:
                return value[:rows].copy()
            if name == "torch.Tensor" and value.dim() and len(value) > rows:
                return value[:rows].clone() if not value.requires_grad else value
            if kind is tuple and len(value) < 10:
                return tuple(self.shortened(one) for one in value)
            if name == "sklearn.Bunch":
                for key in list(value):
                    value[key] = self.shortened(value[key])
        except Exception:
            return value
        return value


class Loop(object):
    """One execution of a loop: how many turns it took and may take."""

    def __init__(self, cut, site, nth):
        self.cut, self.site, self.nth = cut, site, nth
        self.turns = 0
        self.most = cut.planned.get((site, nth)) if cut.follows else None
        self.began = time.perf_counter()
        self.over = False

    def goes_on(self):
        """Return whether there may be another turn, and count it."""
        if self.most is not None:
            if self.turns >= self.most:
                return False
        elif self.cut.follows or self.turns < LEAST_TURNS:
            pass
        elif time.perf_counter() - self.began > self.cut.loop_s:
            return False
        self.turns += 1
        return True

    def ended(self):
        """Note nothing: the loop came to its own end."""

    def stopped(self):
        """Note how many turns the loop was given."""
        if not self.cut.follows:
            self.cut.tape.put({"loop": [self.site, self.nth, self.turns]})


def _length(value):
    try:
        shape = getattr(value, "shape", None)
        if shape is not None:
            return int(shape[0]) if len(shape) else 0
        return len(value) if isinstance(value, (list, tuple, dict)) else 0
    except Exception:
        return 0
