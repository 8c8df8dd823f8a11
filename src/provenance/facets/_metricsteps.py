"""By which steps the values of one name are numbered, once all of them are known."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple


class Said(NamedTuple):
    """One value as a line said it.

    coarse, fine: counters (epoch; step or batch), None where the line has none. total: how many
    fine steps there are in a coarse one. own: whether the line itself counts. bar: a progress bar.
    unit: "%" or "".
    """

    value: Any
    line: int
    coarse: Any = None
    fine: Any = None
    total: Any = None
    own: bool = False
    bar: bool = False
    unit: str = ""


def numbered(said: List[Said]) -> List[Tuple[Any, Said]]:
    """Return ``said`` with steps.

    These are the counter that only grows, else the epoch and its part done, else the place in the
    order. Of a progress bar's states in one epoch the last counts.
    """
    own = [one for one in said if one.own]
    if own and len(own) < len(said):
        said = own
    said = _last_of_bars(said)
    for steps in (_fine(said), _parts(said), _coarse(said)):
        if steps is not None and _grows(steps):
            return list(zip(steps, said))
    return list(enumerate(said))


def numbered_like(said: List[Said], first: Sequence[Any]) -> List[Tuple[Any, Said]]:
    """Return ``said`` with steps as a finished run has them whose first steps are ``first``.

    In its first epoch a run that goes on counts batches, and nothing tells yet that the finished
    one counts epochs and their parts, or only places. Of the ways to count that begin as the
    finished run does and go on in no wider steps, the one with the widest is taken.
    """
    if len(said) < 2 or len(first) < 2 or all(one.coarse is None for one in said):
        return numbered(said)
    own = [one for one in said if one.own]
    kept = _last_of_bars(own if own and len(own) < len(said) else said)
    ways: List[Any] = [_fine(kept), _parts(kept), _coarse(kept), list(range(len(kept)))]
    fitting: List[List[Any]] = [
        steps
        for steps in ways
        if steps is not None
        and len(steps) > 1
        and _grows(steps)
        and steps[0] == first[0]
        and steps[1] <= first[1]
    ]
    if not fitting:
        return numbered(said)
    widest = max(steps[1] for steps in fitting)
    return list(zip(next(steps for steps in fitting if steps[1] == widest), kept))


def _last_of_bars(said: List[Said]) -> List[Said]:
    found: List[Said] = []
    for one in said:
        again = one.bar and found and found[-1].bar and found[-1].coarse == one.coarse
        if again and (one.coarse is not None or not _restarts(found[-1], one)):
            found.pop()
        found.append(one)
    return found


def _restarts(before: Said, now: Said) -> bool:
    return before.fine is not None and now.fine is not None and now.fine <= before.fine


def _fine(said: List[Said]) -> Any:
    if any(one.bar and one.coarse is not None for one in said):
        return None
    steps = [one.fine for one in said]
    return None if None in steps else steps


def _parts(said: List[Said]) -> Any:
    if any(one.bar or None in (one.coarse, one.fine) or not one.total for one in said):
        return None
    return [round(one.coarse + one.fine / one.total, 6) for one in said]


def _coarse(said: List[Said]) -> Any:
    steps = [one.coarse for one in said]
    return None if None in steps else steps


def _grows(steps: List[Any]) -> bool:
    return all(before < after for before, after in zip(steps, steps[1:]))


def distinct(values: List[Any]) -> int:
    """Return how many different values there are, two at most: enough to tell what varies."""
    seen: Dict[str, None] = {}
    for value in values:
        seen[repr(value)] = None
        if len(seen) > 1:
            return 2
    return len(seen)
