"""Cutting a rehearsal short: loops by time, data by rows, trainers by epochs.

The first rehearsal decides how many turns each loop gets; later ones follow its plan, so that all
of them do the same work and draw the same random numbers. Where one was stopped inside a call of a
library, it tells which arguments made that call long; the next one cuts them.
"""

import sys
import time

LOOP_S = 1.0
"""Seconds that the turns of one loop may take before it ends, after at least `LEAST_TURNS`."""
LEAST_TURNS = 2
FEWER = {
    2: "epochs epoch n_epochs nb_epoch num_epochs max_epochs num_train_epochs n_trials n_iter",
    10: "n_estimators num_boost_round num_round iterations max_iter max_steps num_steps n_steps",
    50: "draws tune num_samples num_warmup nsteps generations maxiter",
    1000: "total_timesteps",
}
"""Arguments that say how often a library goes over its work, and what they are cut to where it took
too long: enough to come by every step once."""
_FEW = {name: few for few, names in FEWER.items() for name in names.split()}

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
        self.short = {}
        """By site: the arguments that are cut, with what they are cut to."""
        for site, name, few in settings.get("short", ()):
            self.short.setdefault(site, {})[name] = few
            tape.put({"short": [site, name, few]})
        self.came = {}
        """By operation: its arguments that could be cut, and the operations it came from."""

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

    def fewer(self, site, name, value):
        """Return an argument, less of it where it is to be cut. name "**": a dict of arguments."""
        wanted = self.short[site]
        try:
            if name == "**":
                inner = {
                    key: self._least(value[key], wanted["**" + key])
                    for key in value
                    if "**" + key in wanted
                }
                return dict(value, **inner) if inner else value
            return self._least(value, wanted[name]) if name in wanted else value
        except Exception:
            return value

    @staticmethod
    def _least(value, few):
        return few if type(value) is int and value > few else value

    def noted(self, number, operation):
        """Remember what made the operation ``number`` long, and what it came from."""
        given = _long_arguments(operation)
        parents = [maker for _, maker in operation.links]
        if given or parents:
            self.came[number] = (given, parents)

    def long(self, operations):
        """Return ``[site, name, few]`` of what made those operations long that are under way."""
        found, todo = [], []
        for one in operations:
            if one.noted:
                found.extend(_long_arguments(one))
                todo.extend(maker for _, maker in one.links)
        for number in todo:
            given, parents = self.came.get(number, ((), ()))
            found.extend(given)
            todo.extend(one for one in parents if one not in todo)
        return [list(one) for one in sorted(set(found))]

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


def _long_arguments(operation):
    """Return site, name and cut value of the arguments of an operation that could be cut."""
    found = []
    for (name, _), value in zip(operation.inputs, operation.values):
        given = {name: value}
        if name == "**":
            given = {"**" + key: value[key] for key in value} if type(value) is dict else {}
        for key, one in given.items():
            few = _FEW.get(key.lstrip("*"))
            if few is not None and type(one) is int and one > few:
                found.append((operation.site, key, few))
    return found


def _length(value):
    try:
        shape = getattr(value, "shape", None)
        if shape is not None:
            return int(shape[0]) if len(shape) else 0
        return len(value) if isinstance(value, (list, tuple, dict)) else 0
    except Exception:
        return 0
