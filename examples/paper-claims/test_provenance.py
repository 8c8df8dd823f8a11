#!/usr/bin/env python3
# Drop-in test of prov 0.1.0.dev0. SHA-256 of all that is below the next line:
# fa52bb259003316d39dfce35276d3b807a1e8e7598409f4f47e8bae278e29a73
"""Whether Python, packages, code, data, settings and GPU here are those that a reference names.

The reference is prov.lock in this folder or above it, else requirements.txt. Run this file with
pytest, with `python -m unittest` or as a program: it has one test per package and per question.

It needs the standard library of Python 3.7 or later and nothing else. It reads the reference, the
files that this names, the metadata of installed packages, and of packages with another version the
source files that define what the run called. It writes nothing, starts no program, uses no network,
and neither imports nor executes what it looks at.

PROV_LOCK     the reference to read          PROV_FULL=1  digest files above 1 GiB, too
PROV_ACCEPT   what may differ: names of packages, python, code, data ... with commas between
PROV_FAIL_ON  the least effect that fails: unknown, possible, known (default) or broken
"""

from __future__ import annotations

import ast
import fnmatch
import functools
import glob
import hashlib
import json
import os
import platform
import re
import sys
import unittest
import warnings
from collections import namedtuple
from importlib.machinery import PathFinder
from typing import Any, Dict, Iterator

EFFECTS = ("none", "unknown", "possible", "known", "broken")
REQUIREMENT = r"(\w[\w.-]*)\s*(?:\[[^]]*\])?\s*\(?([<>=!~][^;()]*)?\)?\s*(?:;(.*))?"
MARKERS = {
    "os_name": os.name, "sys_platform": sys.platform, "platform_machine": platform.machine(),
    "platform_system": platform.system(), "implementation_name": sys.implementation.name,
    "platform_python_implementation": platform.python_implementation(), "extra": "",
    "python_version": "%d.%d" % sys.version_info[:2],
    "python_full_version": platform.python_version(),
}  # fmt: skip
DEFINITION = (
    r"(?m)^(?P<indent>%s)(?:@.*\n(?:(?P=indent)[ \t)].*\n)*(?P=indent))*"
    r"(?:async +def|def|class) +%s\b.*\n(?:(?:(?P=indent)[ \t)].*|[ \t]*)\n)*"
)
SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
NOT_UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError, SyntaxError, RecursionError)
Row = Dict[str, Any]
Item = namedtuple("Item", "name effect text total skipped")  # total: facts that were compared
__unittest = True  # failures are shown without the lines of this file


def release(version: str) -> tuple[list[int], str]:
    """Return the numbers of a version and what follows them. Raises ValueError."""
    match = re.fullmatch(r"v?(\d+(?:\.\d+)*)((?:[-._]?[a-z]|-\d|\+).*)?", version.strip().lower())
    if match is None:
        raise ValueError("%s is not a version" % version)
    numbers = [int(one) for one in match.group(1).split(".")]
    return numbers + [0] * (9 - len(numbers)), match.group(2) or ""


def meets(version: str, specifiers: str) -> bool:
    """Return whether a version meets ">=1.2,<2". Raises ValueError where suffixes had to decide."""
    found = []
    for one in filter(None, specifiers.replace(" ", "").split(",")):
        sign, wanted, star = re.findall(r"^([<>=!~]=|[<>])(.+?)(\.\*)?$", one)[0]
        (have, suffix), (asked, end) = release(version), release(wanted)
        size = wanted.count(".") + bool(star) if star or sign == "~=" else len(have)
        same, undecided = have[:size] == asked[:size], end != "" and sign == "~="
        if same and not star and suffix != end and (end or suffix[0] != "+"):
            same, undecided = False, sign not in ("==", "!=")
        if undecided:
            raise ValueError("whether %s is %s" % (version, one))
        ways = {"==": same, "!=": not same, "~=": same and have >= asked, "<": have < asked}
        ways.update({">": have > asked, "<=": have <= asked, ">=": have >= asked})
        found.append(ways[sign])
    return all(found)


def applies(marker: Any) -> bool:
    """Return whether an environment marker, parsed but not run, holds. Raises `NOT_UNDERSTOOD`."""
    if not marker:
        return True
    node: Any = ast.parse(marker.strip(), "", "eval").body if isinstance(marker, str) else marker
    if isinstance(node, ast.BoolOp):
        return (all if isinstance(node.op, ast.And) else any)([applies(one) for one in node.values])
    left, right = [
        MARKERS[one.id] if isinstance(one, ast.Name) else ast.literal_eval(one)
        for one in (node.left, *node.comparators)
    ]
    sign = type(node.ops[0])
    if sign in (ast.In, ast.NotIn):
        return (left in right) == (sign is ast.In)
    try:
        return meets(left, SIGNS[sign] + right)
    except ValueError:
        return bool(left == right) == (sign is ast.Eq)


def requirements(path: str) -> Iterator[Row]:
    """Yield a row for each line of a requirements file; one that cannot be read is "unread"."""
    with open(path, "rb") as stream:
        data = stream.read()
    line, encoding = "", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for number, part in enumerate([*data.decode(encoding, "replace").splitlines(), ""], 1):
        line += re.sub(r"(^|\s)#.*", "", part)
        if line.endswith("\\"):
            line = line[:-1] + " "
            continue
        text, line = re.sub(r"\s--hash[= ]\S+", "", line).strip(), ""
        where = "%s:%d" % (os.path.basename(path), number)
        sibling = re.fullmatch(r"(?:-r|--requirement)[ =]*([\w.][\w./-]*)", text)
        match = re.fullmatch(REQUIREMENT, text)
        try:
            if sibling:
                yield from list(requirements(os.path.join(os.path.dirname(path), sibling.group(1))))
            elif text and match is None:
                raise ValueError(text)
            elif match and applies(match.group(3)):
                name, asked = match.group(1), (match.group(2) or "").replace(" ", "").strip(",")
                meets("0", asked)
                effect = "possible" if re.search("[<>~!]", asked) else "unknown"
                wanted = "%s asks for %s" % (where, asked or "it")
                row = {"name": name, "key": key_of(name), "asked": asked, "wanted": wanted}
                yield dict(row, differs=effect, missing="unknown", fix="pip install -r " + path)
        except (OSError, *NOT_UNDERSTOOD):
            yield {"key": where, "unread": "not understood: " + text}


def reference(path: str) -> Row:
    """Return what a lock or requirements file asks for. Raises what says that it is unreadable."""
    if path.endswith(".txt"):
        return {"packages": list(requirements(path))}
    with open(path, encoding="utf-8") as stream:
        lock = json.load(stream)
    seal = lock.pop("sha256", "")
    text = json.dumps(lock, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if seal != hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest():
        raise ValueError("it was changed by hand: its seal does not hold")
    if lock["schema"] != "prov/lock/1" or lock.get("checks", {}).get("form") != 1:
        raise ValueError("it is of another prov than this test: renew it with prov lock")
    return dict(lock["checks"])


def key_of(name: str) -> str:
    """Return a package's name in the form by which names are compared."""
    return re.sub("[-_.]+", "-", name.strip()).lower()


def installed() -> dict[str, str]:
    """Return the version of each installed package by key; the first on the path counts."""
    found = {}
    for folder in reversed([os.path.abspath(one) for one in sys.path]):
        place = glob.escape(folder) + "/[!~]*-info"
        files = glob.glob(place) + glob.glob(place + "/METADATA") + glob.glob(place + "/PKG-INFO")
        for file in sorted(filter(os.path.isfile, files), key=os.path.getmtime):  # later install
            with open(file, encoding="utf-8", errors="replace") as stream:
                told = dict(re.findall(r"(?m)^(Name|Version): *(\S+)", stream.read(4096)))
            found[key_of(told.get("Name", ""))] = told.get("Version", "")
    return dict(found, python=platform.python_version())


def check_packages(checks: Row) -> list[Item]:
    """Return one item per package that the reference names; Python is one of them."""
    here = installed()
    rows = [row for row in checks["packages"] if applies(row.get("marker"))]
    other = {row["key"] for row in rows if not is_met(row, here.get(row["key"]))}
    reasons: dict[str, list[Row]] = {key: [] for key in other}
    dark: dict[str, list[str]] = {key: [] for key in other}
    for one in checks.get("known", ()):
        key, now = one["package"], re.match(r"[\d.]*\d", here.get(one["package"], ""))
        told = [old["id"] for own in reasons.values() for old in own]
        if key in other and now and one["id"] not in told and meets(now.group(), one["when"]):
            reasons[key].append(one)
    for one in checks.get("calls", ()):
        key = one["package"]
        if key in other and key in here:
            change = changed(one, tuple(sys.path))
            before = [old for old in reasons[key] if all(w in old["text"] for w in one["words"])]
            reasons[key] += [change] if change and not before else []
            dark[key] += [one["label"]] if change is None else []
    later = any(key in here for key in other)
    return [check_package(row, here.get(row["key"]), reasons, dark, later) for row in rows]


def is_met(row: Row, version: str | None) -> bool:
    """Return whether an installed version (None: not installed) is what ``row`` names."""
    try:
        if version is None or "asked" not in row:
            return "unread" in row or row.get("version", "?") == version
        return meets(version, row["asked"])
    except ValueError:
        return bool(row["asked"] == "==%s" % version)


def check_package(row: Row, version: str | None, reasons: Row, dark: Row, later: bool) -> Item:
    """Return the item of one package. later: some package is there in another version."""
    name = row["key"] if row["key"] == "python" else "packages[%s]" % row["key"]
    if is_met(row, version):
        return Item(name, "none", "", int("unread" not in row), row.get("unread", ""))
    effect, text = row["differs"], "%s %s is installed; %s." % (row["name"], version, row["wanted"])
    if version is None:
        effect, text = row["missing"], "%s is not installed; %s." % (row["name"], row["wanted"])
        if any(PathFinder.find_spec(one.partition(".")[0]) for one in row.get("modules", ())):
            effect = row["differs"]  # another distribution brings the module
        elif effect == "broken" and row.get("indirect") and later:
            effect, text = "possible", text[:-1] + ", where only libraries imported it."
    own, unread = reasons[row["key"]], ", ".join(dict.fromkeys(dark[row["key"]]))
    effect = max([effect] + [one["effect"] for one in own], key=EFFECTS.index)
    lines = [text] + ([one["text"] for one in own] or ["  fix: " + row["fix"]])
    lines += ["  signatures not compared: " + unread] if unread else []
    return Item(name, effect, "\n".join(lines), 1, "")


@functools.lru_cache(maxsize=None)
def function_in(file: str, name: str, folders: tuple[str, ...]) -> Any:
    """Return the syntax of a function of a library's file, None where it cannot be found there."""
    path = next(filter(os.path.isfile, (os.path.join(one, file) for one in folders)), os.devnull)
    try:
        with open(path, encoding="utf-8") as stream:
            text, indent = stream.read(), ""
        for part in name.split("."):
            found = list(re.finditer(DEFINITION % (indent, part), text))[-1]
            text, indent = found.group(), "[ \\t]+"
        top: Any = ast.parse(text if text[:1].strip() else "if 1:\n" + text)
        node = top.body[0] if text[:1].strip() else top.body[0].body[0]
        return node if node.args else None
    except (OSError, *NOT_UNDERSTOOD):
        return None


def changed(call: Row, folders: tuple[str, ...]) -> Row | None:
    """Return how the parameter that ``call`` relies on changed, {} if not, None if unreadable."""
    function = function_in(call.get("file", ""), call.get("function", ""), folders)
    if function is None:
        return None
    args, name = function.args, call["parameter"]
    plain = [one.arg for one in getattr(args, "posonlyargs", []) + args.args]
    named = [one.arg for one in args.kwonlyargs]
    if "gone" in call:
        effect = "possible" if args.kwarg or function.decorator_list else "broken"
        return {} if name in plain + named else {"effect": effect, "text": call["gone"]}
    nodes = dict([*zip(plain[::-1], args.defaults[::-1]), *zip(named, args.kw_defaults)])
    try:
        new = ast.literal_eval(nodes[name])
    except NOT_UNDERSTOOD:
        return None  # it has none, or a name or code
    text = call["default"].replace("{new}", repr(new))
    return {} if spelled(new) in call["same"] else {"effect": "possible", "text": text}


def spelled(value: Any) -> str:
    """Return a default as text; of words case and separators do not count."""
    text = repr(value).replace(" ", "")
    return re.sub("[_-]", "", text).lower() if isinstance(value, str) else text


def check_files(name: str, rows: list[Row], top: str) -> Item:
    """Return the item of the files that the run used: its "code" or its "data"."""
    found: dict[str, list[str]] = {"equal": [], "wrong": [], "skipped": []}
    for row in rows:
        path = os.path.join(top, os.path.expanduser(row["path"]))
        readable = os.path.isfile(path) and os.access(path, os.R_OK)
        size = os.path.getsize(path) if readable else None
        state, why = "wrong", "it has changed"
        if "skip" in row or size is None:
            state, why = "wrong" if row.get("needed") else "skipped", row.get("skip", "not here")
        elif size > 1 << 30 and os.getenv("PROV_FULL") != "1":
            state, why = "skipped", "more than 1 GiB (PROV_FULL=1 digests it)"
        elif digest(path, row["digest"]) or row.get("meaning", "?") == meaning(path):
            state, why = "equal", ""
        found[state].append("%s: %s" % (row["path"], why))
    effect, total = "broken" if found["wrong"] else "none", len(found["equal"] + found["wrong"])
    text = "\n  ".join(["%s differs from the reference:" % name, *found["wrong"]])
    why = "; ".join(found["skipped"]) if rows else "the reference names none"
    return Item(name, effect, text, total, why)


def digest(path: str, recorded: str) -> bool:
    """Return whether a file has a digest that was recorded ("sha256:...")."""
    state = hashlib.new(recorded.partition(":")[0])
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            state.update(block)
    return state.hexdigest() == recorded.partition(":")[2]


def meaning(path: str) -> str:
    """Return a digest of source that comments, layout and unread docstrings leave, "" for none."""
    try:
        with open(path, "rb") as stream:
            data = stream.read()
        if path.endswith(".ipynb"):
            cells = [one for one in json.loads(data)["cells"] if one["cell_type"] == "code"]
            told = ["".join(one["source"]).rstrip() for one in cells if one["source"]]
        else:
            doc = ast.walk(ast.parse(data)) if re.search(b"_doc_|getdoc|docopt|dspy", data) else ()
            told = outline(ast.parse(data)) + [outline(o.value) for o in doc if type(o) is ast.Expr]
        return hashlib.sha256(ascii(told).encode()).hexdigest()
    except NOT_UNDERSTOOD:
        return ""


def outline(node: Any) -> Any:
    """Return a syntax tree as lists that are the same in every version of Python."""
    kind = type(node).__name__
    if isinstance(node, list):
        return [one for one in map(outline, node) if one != "docstring"]
    if kind == "Expr" and type(outline(node.value)) is str and outline(node.value)[0] in "'\"":
        return "docstring"
    if kind in ("Constant", "Num", "Str", "Bytes", "NameConstant", "Ellipsis"):
        return "Ellipsis" if kind == "Ellipsis" else ascii(ast.literal_eval(node))
    if kind == "JoinedStr":  # Python 3.12 knows empty parts
        return [kind, [one for one in outline(node.values) if one != "''"]]
    if kind == "Index":  # of Python before 3.9, as is ExtSlice
        return outline(node.value)
    if not isinstance(node, ast.AST):
        return node
    fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [], 0)]
    told = [[n, outline(v)] for n, v in fields if n not in ("ctx", "kind", "type_comment")]
    return ["Tuple", ["elts", told[0][1]]] if kind == "ExtSlice" else [kind, *told]


def check_settings(rows: list[Row]) -> Item:
    """Return the item of the environment variables that are known to matter to the run."""
    lines = []
    for row in rows:
        for name in sorted({*row["values"], *os.environ}):
            old, new = row["values"].get(name, "unset"), os.environ.get(name, "unset")
            if old != new and any(fnmatch.fnmatchcase(name, one) for one in row["names"]):
                lines += ["%s is %s; the recorded run had %s." % (name, new, old)]
                lines += [row["text"].replace("{old}", old)]
    effect, why = "possible" if lines else "none", "" if rows else "none concerns the runs"
    return Item("settings", effect, "\n".join(lines), len(rows), why)


def check_gpu(recorded: Row) -> Item:
    """Return the item of the GPUs; where there is none here, nothing is compared."""
    models, here = recorded.get("models", []), []
    for path in sorted(glob.glob("/proc/driver/nvidia/gpus/*/information")):
        with open(path, encoding="utf-8", errors="replace") as stream:
            here += re.findall(r"(?m)^Model:\s*(.*\S)", stream.read())
    if not models or not here:
        why = "none here; the recorded run had " + models[0] if models else "the run had none"
        return Item("gpu", "none", "", 0, why)
    text = "%s here; the recorded run used %s." % (here[0], models[0])
    ask = "another model" if set(here) != set(models) else "another number"
    reasons = [one["text"] for one in recorded["known"] if one["asks"] == [ask]]
    effect = "possible" if reasons else "none" if set(here) & set(models) else "unknown"
    return Item("gpu", effect, "\n".join([text, *reasons]), 1, "")


def items() -> list[Item]:
    """Return the answers to all questions; without a reference one that says so."""
    folders = [os.path.dirname(os.path.abspath(__file__))]
    while not os.path.exists(os.path.join(folders[-1], ".git")) and folders[-1] not in folders[:-1]:
        folders.append(os.path.dirname(folders[-1]))
    names = [os.path.join(f, n) for n in ("prov.lock", "requirements.txt") for f in folders]
    path = os.getenv("PROV_LOCK") or next(filter(os.path.isfile, names), names[0])
    try:
        checks = reference(path)
        top = os.path.join(os.path.dirname(os.path.abspath(path)), checks.get("top", "."))
        found = [check_settings(checks.get("settings", [])), check_gpu(checks.get("gpu", {}))]
        found += [check_files(name, checks.get(name, []), top) for name in ("code", "data")]
        found += check_packages(checks)
    except (OSError, *NOT_UNDERSTOOD) as error:
        return [Item("reference", "broken", "%s cannot be read: %s" % (path, error), 0, "")]
    if not any(one.total for one in found):
        found.append(Item("anything", "broken", "nothing of %s could be compared" % path, 0, ""))
    return found


def settle(item: Item) -> None:
    """End the running test as ``item`` says: in silence, with a warning, skipped or failed."""
    least = os.getenv("PROV_FAIL_ON", "known")
    assert least in EFFECTS[1:], "PROV_FAIL_ON is none of %s" % ", ".join(EFFECTS[1:])
    name = item.name.partition("[")[2].rstrip("]") or item.name
    accepted = name in [key_of(one) for one in os.getenv("PROV_ACCEPT", "").split(",")]
    if item.effect in EFFECTS[EFFECTS.index(least) :] and not (accepted and item.total):
        accept = "\nOr accept it: PROV_ACCEPT=%s" % name if item.total else ""
        text = "%s: %s%s" % (item.effect.upper(), item.text, accept)
        if "pytest" in sys.modules:
            sys.modules["pytest"].fail(text, pytrace=False)
        raise AssertionError(text)
    if item.effect != "none":
        warnings.warn_explicit("\n" + item.text, UserWarning, item.name, 0)
    elif item.skipped:
        raise unittest.SkipTest(item.skipped)


class Provenance(unittest.TestCase):
    """One test per question: test_packages[numpy], test_python, test_code ..."""


if __name__ != "provenance.agent.check":
    for one_item in items():
        setattr(Provenance, "test_" + one_item.name, lambda _, item=one_item: settle(item))
if __name__ == "__main__":
    unittest.main(verbosity=2)
