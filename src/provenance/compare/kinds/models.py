"""Models written as text, by what their order can't change: LightGBM, CRFsuite and XGBoost dumps.

LightGBM's model text (``Booster.save_model``): a header, sections ``Tree=N`` of ``key=value``
lines, ``feature_importances:`` and ``parameters:``; read off files that LightGBM 3.3 and 4.6 wrote.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from provenance.compare.judged import Judged, Part
from provenance.compare.kinds import texts
from provenance.compare.kinds.base import Opaque, Pair, open_text, read_text
from provenance.compare.values import Tally, counted
from provenance.core.verdict import DIFFERENT, WITHIN

KIND = "model text"
_LEAST = 64
_ASIDE = frozenset(
    "num_threads output_model input_model data valid output_result machines machine_list_filename "
    "local_listen_port time_out verbosity saved_feature_importance_type config save_binary "
    "snapshot_freq output_model_file gpu_platform_id gpu_device_id".split()
)
"""Parameters of LightGBM that say where and how loudly it ran, not what it learned."""
_PARAMETER = re.compile(r"^\[([^:\]]+): ?(.*)\]$")
_NODE = re.compile(r"^\s*(\d+):")


class _Model(NamedTuple):
    """A LightGBM model: each section as its keys and values; ``importances`` by feature."""

    header: dict[str, str]
    trees: list[dict[str, str]]
    importances: dict[str, str]
    parameters: dict[str, str]


def is_one(path: str, name: str) -> bool:
    """Return whether the text at ``path`` is a model that this module reads."""
    try:
        with open_text(path, name) as stream:
            head = stream.read(_LEAST)
    except (OSError, EOFError):
        return False
    return head.startswith(("tree\nversion=", "FILEHEADER = {", "booster[0]:"))


def compare(pair: Pair) -> Judged:
    """Compare two models tree by tree, number by number."""
    first, second = (read_text(path, name) for path, name, _ in pair.sides)
    if first.startswith("tree") and second.startswith("tree"):
        return _lightgbm(pair, *(_parsed(text, which) for text, (_, _, which) in zip(
            (first, second), pair.sides, strict=True)))  # fmt: skip
    if first.startswith("FILEHEADER") and second.startswith("FILEHEADER"):
        what = "CRFsuite lists attributes and transitions in any order"
        return texts.unordered(pair, what) or texts.compare(pair)
    if first.startswith("booster") and second.startswith("booster"):
        return _dumped(pair, first, second)
    return texts.compare(pair)


def _parsed(text: str, which: str) -> _Model:
    """Return a LightGBM model. Raises `Opaque` where a section is broken."""
    found = _Model({}, [], {}, {})
    part: dict[str, str] = found.header
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("Tree="):
            part = {}
            found.trees.append(part)
        elif stripped == "feature_importances:":
            part = found.importances
        elif stripped == "parameters:":
            part = found.parameters
        elif stripped in ("", "tree", "end of trees", "end of parameters"):
            continue
        elif part is found.parameters:
            match = _PARAMETER.match(stripped)
            key, value = match.groups() if match else stripped.partition(":")[::2]
            part[key] = value
        elif "=" in stripped or stripped in ("average_output",):
            key, _, value = stripped.partition("=")
            part[key] = value
        else:
            raise Opaque("%s is not a LightGBM model: line %d" % (which, number))
    return found


def _lightgbm(pair: Pair, old: _Model, new: _Model) -> Judged:
    names = [one.header.get("feature_names", "").split() for one in (old, new)]
    notes = []
    if names[0] != names[1] and sorted(names[0]) == sorted(names[1]):
        notes.append("the features stand in another order: compared by name")
        old, new = _by_name(old), _by_name(new)
    old, new, reordered = _in_one_order(old, new)
    if reordered:
        notes.append("the same trees in another order: their leaves are summed")
    parts: list[Part] = []
    total, within = _sections(pair, old, new, parts)
    figures = {"trees": [len(old.trees), len(new.trees)], "within": within}
    trees = [one for one in parts if one.name.startswith("tree ")]
    if any(one.verdict == DIFFERENT for one in parts):
        first = next(one for one in parts if one.verdict == DIFFERENT)
        detail = "%s: %s" % (first.name, first.detail)
        if trees:
            count = counted(max(len(old.trees), len(new.trees)), "tree")
            detail = "%d of %s differ, the first is %s: %s" % (
                len(trees), count, trees[0].name, trees[0].detail)  # fmt: skip
        return Judged(DIFFERENT, detail, KIND, total, tuple(parts), figures)
    words = ["%s within tolerance" % counted(within, "number")] if within else []
    words += notes
    words += ["the same trees, number by number: only order of lines or settings differ"] * (
        not words
    )
    return Judged(WITHIN, "; ".join(words), KIND, total, tuple(parts), figures)


def _sections(pair: Pair, old: _Model, new: _Model, parts: list[Part]) -> tuple[int, int]:
    """Compare section by section; return how many numbers were compared, and were within."""
    total = within = 0
    pairs = [("header", _without(old.header), _without(new.header))]
    pairs += [
        ("tree %d" % at, one, other)
        for at, (one, other) in enumerate(zip(old.trees, new.trees, strict=False))
    ]
    pairs.append(("feature importances", old.importances, new.importances))
    pairs.append(("parameters", _without(old.parameters), _without(new.parameters)))
    for name, one, other in pairs:
        tally = Tally(pair.tolerance)
        for key in dict.fromkeys([*one, *other]):
            _values(tally, key, one.get(key), other.get(key))
        total, within = total + tally.compared, within + tally.within
        if tally.different:
            first = tally.parts[0]
            counts = "%d of %s differ" % (tally.different, counted(tally.compared, "value"))
            text = "%s, the first at %s: %s" % (counts, first.name, first.detail)
            parts.append(Part(name, DIFFERENT, text, {"differ": tally.different}))
    for at in range(min(len(old.trees), len(new.trees)), max(len(old.trees), len(new.trees))):
        text = "only in the %s" % ("first" if at < len(old.trees) else "second")
        parts.append(Part("tree %d" % at, DIFFERENT, text))
    return total, within


def _without(section: dict[str, str]) -> dict[str, str]:
    left = {key: value for key, value in section.items() if key not in _ASIDE}
    left.pop("tree_sizes", None)
    left.pop("version", None)
    return left


def _values(tally: Tally, key: str, old: str | None, new: str | None) -> None:
    if old is None or new is None:
        tally.leaf(key, old, new)
        return
    first, second = old.split(), new.split()
    if len(first) != len(second):
        tally.leaf(key, len(first), "%d values" % len(second))
        return
    for at, (one, other) in enumerate(zip(first, second, strict=True)):
        name = "%s[%d]" % (key, at) if len(first) > 1 else key
        if one == other:
            tally.compared += 1
            continue
        numbers = [_number(text) for text in (one, other)]
        tally.leaf(name, *(numbers if None not in numbers else (one, other)))


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _by_name(model: _Model) -> _Model:
    """Return ``model`` with features named in its splits, and what is listed per feature sorted."""
    names = model.header.get("feature_names", "").split()
    infos = model.header.get("feature_infos", "").split()
    header = dict(model.header, feature_names=" ".join(sorted(names)))
    if len(infos) == len(names):
        header["feature_infos"] = " ".join(
            info for _, info in sorted(zip(names, infos, strict=True))
        )
    trees = []
    for tree in model.trees:
        splits = [
            names[int(one)] if one.isdigit() and int(one) < len(names) else one
            for one in tree.get("split_feature", "").split()
        ]
        trees.append(dict(tree, split_feature=" ".join(splits)) if splits else tree)
    return model._replace(header=header, trees=trees)


def _in_one_order(old: _Model, new: _Model) -> tuple[_Model, _Model, bool]:
    """Return both with the second's trees in the first's order, where only that differs.

    Only where one tree is grown per iteration and they are summed: else the order says of which
    class a tree is.
    """
    keys = [[tuple(sorted(tree.items())) for tree in one.trees] for one in (old, new)]
    summed = all(one.header.get("num_tree_per_iteration", "1") == "1" for one in (old, new))
    if not summed or keys[0] == keys[1] or sorted(keys[0]) != sorted(keys[1]):
        return old, new, False
    return old, new._replace(trees=old.trees), True


def _dumped(pair: Pair, first: str, second: str) -> Judged:
    """Compare two text dumps of XGBoost: the nodes of a tree by their numbers."""
    lines = []
    for text in (first, second):
        trees: list[list[str]] = []
        for line in text.splitlines():
            if line.startswith("booster["):
                trees.append([])
            elif line.strip() and trees:
                trees[-1].append(line.strip())
        lines.append([
            "tree %d %s" % (at, line)
            for at, tree in enumerate(trees)
            for line in sorted(tree, key=_node)
        ])  # fmt: skip
    tally = Tally(pair.tolerance)
    tally.lines(*lines)
    if tally.different:
        return tally.judged(KIND)
    judged = tally.judged(KIND)
    text = "the same trees, node by node"
    within = "%s within tolerance" % counted(tally.within, "node") if tally.within else ""
    return judged._replace(detail="; ".join(one for one in (text, within) if one))


def _node(line: str) -> int:
    match = _NODE.match(line)
    return int(match[1]) if match else -1
