"""Reading a command line without knowing the program: which words are parameters, and of what.

Understands ``--name value``, ``--name=value``, ``-x value``, ``--flag``, and ``name=value`` with or
without hydra's ``+``, ``++`` and ``~``. What only the program knows (whether ``--flag data.csv`` is
one thing or two) is guessed; a parser's own answer, where there is one, goes before ours.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Sequence, Tuple

_LAUNCHERS = frozenset(
    "torch.distributed.run torch.distributed.launch accelerate.commands.launch mpi4py "
    "torch_xla.distributed.xla_dist horovod.runner.launch cProfile trace pdb kernprof "
    "scalene memray coverage viztracer debugpy ipython IPython".split()
)
"""Modules that run another script: the first script after them counts, not they."""

_MANY = frozenset("torchrun accelerate deepspeed mpirun mpiexec horovodrun srun".split())
_MANY_MODULES = ("torch.distributed", "accelerate", "horovod")
"""Launchers whose own options say with how many processes the program ran."""
_PROGRAM = re.compile(r"(python|pypy)[\d.]*$")
_TOOLS = {
    "papermill": ("-p", "--parameters", "-r", "--parameters_raw"),
    "jupyter": (),
    "%load_ext": (),
}
"""Programs that run a notebook: of their options only these are the notebook's parameters."""

_STARTER = re.compile(r"(python|pypy|bash$|sh$|zsh$|torchrun$|accelerate$|deepspeed$|coverage$)")
_SCRIPT = re.compile(r"\.(py|ipynb|sh|r|jl|pl|lua|rb|js)$", re.IGNORECASE)
_KEY = re.compile(r"^(~|\+{0,2})([A-Za-z_][\w.\-/@:\[\]]*)=(.*)$", re.DOTALL)
_REMOVED = re.compile(r"^~([A-Za-z_][\w.\-/@:]*)$")
_INTEGER = re.compile(r"^[+-]?(0|[1-9]\d*)$")
_FLOAT = re.compile(r"^[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?$")
_WORDS: Dict[str, Any] = {"true": True, "false": False, "none": None, "null": None}


def _tool(command: Sequence[str]) -> str:
    """Return which program that runs notebooks this is, also where Python is said to run it."""
    names = [word.replace("\\", "/").rpartition("/")[2] for word in command[:3]]
    if names and _PROGRAM.match(names[0]):
        names = names[2:] if names[1:2] == ["-m"] else names[1:]
    return names[0].partition("-")[0] if names else ""


def parameters(command: Sequence[str]) -> Dict[str, Any]:
    """Return the parameters on a command line by name, dashes at the front left out.

    Values are numbers, truth values, None or text; a name that is given several times has a list.
    Words without a name are called ``[1]``, ``[2]`` ... in their order.
    """
    found: Dict[str, Any] = {}
    tool = _tool(command)
    if tool in _TOOLS:
        for place, word in enumerate(command[:-2]):
            if word in _TOOLS[tool]:
                found[command[place + 1]] = typed(command[place + 2])
        return found
    words = list(command[first_argument(command) :])
    position = place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if word == "--":
            continue
        if _is_option(word):
            name, equals, text = word.lstrip("-").partition("=")
            value: Any = typed(text)
            if not equals:
                value, taken = _following(words, place)
                place += taken
            _add(found, name, value)
            continue
        keyed = _KEY.match(word)
        removed = _REMOVED.match(word)
        if keyed:
            _add(found, keyed.group(2), typed(keyed.group(3)))
        elif removed:
            _add(found, removed.group(1), None)
        else:
            position += 1
            _add(found, "[%d]" % position, typed(word))
    return found


def first_argument(command: Sequence[str]) -> int:
    """Return the index of the first word that is the program's own argument.

    The program is the first script (``x.py``), or the module after ``-m``, or else the first word;
    what starts it (``python -u``, ``torchrun --nproc_per_node 4``, ``env A=1``) is not its own.
    """
    if not command or _SCRIPT.search(command[0]):
        return 1
    starter = False
    for place, word in enumerate(command):
        starter = starter or _STARTER.match(word.replace("\\", "/").rpartition("/")[2]) is not None
        if word == "-c" and starter:
            return min(place + 2, len(command))
        if word == "-m" and starter:
            module = command[place + 1] if place + 1 < len(command) else ""
            if module not in _LAUNCHERS:
                return min(place + 2, len(command))
        if _SCRIPT.search(word) and not word.startswith("-"):
            return place + 1
    return 1


def launched(command: Sequence[str]) -> Dict[str, Any]:
    """Return the options that were given to a launcher of several processes, such as torchrun."""
    end = first_argument(command)
    for place, word in enumerate(command[:end]):
        name = word.replace("\\", "/").rpartition("/")[2]
        module = place and command[place - 1] == "-m"
        if name in _MANY or (module and word in _LAUNCHERS and word.startswith(_MANY_MODULES)):
            inner = [w for w in command[place + 1 : end - 1] if w not in ("launch", "run", "-m")]
            return _of_options(inner)
    return {}


def _of_options(words: List[str]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if not _is_option(word):
            if _ends(word):
                break
            continue
        name, equals, text = word.lstrip("-").partition("=")
        if equals:
            found[name] = typed(text)
        elif place < len(words) and not _ends(words[place]):
            found[name] = typed(words[place])
            place += 1
        else:
            found[name] = True
    return found


def _ends(word: str) -> bool:
    """Return whether the value of an option cannot be ``word``: an option, or the program."""
    return _is_option(word) or _PROGRAM.match(word.rpartition("/")[2]) is not None


def is_script(name: str) -> bool:
    """Return whether ``name`` is that of a script."""
    return _SCRIPT.search(name) is not None


def typed(text: str) -> Any:
    """Return the number, truth value or None that ``text`` plainly stands for, else ``text``."""
    if _INTEGER.match(text) and len(text) < 19:
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return _WORDS.get(text.lower(), text)


def _is_option(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and not _is_number(word)


def _is_number(word: str) -> bool:
    return _INTEGER.match(word) is not None or _FLOAT.match(word) is not None


def _following(words: List[str], place: int) -> Tuple[Any, int]:
    """Return the value of an option without "=" and how many words it took.

    One word; several where all of them are numbers (``--layers 64 64 32``); True where the next
    word is an option or a ``name=value``, or there is none.
    """
    taken = 0
    while place + taken < len(words):
        word = words[place + taken]
        if _is_option(word) or word == "--" or _KEY.match(word):
            break
        taken += 1
        if not _is_number(word) or not _is_number(words[place]):
            break
    if taken > 1 and not _is_number(words[place + taken - 1]):
        taken -= 1
    if taken == 0:
        return True, 0
    values = [typed(word) for word in words[place : place + taken]]
    return (values[0] if taken == 1 else values), taken


def _add(found: Dict[str, Any], name: str, value: Any) -> None:
    if name not in found:
        found[name] = value
    elif isinstance(found[name], list):
        found[name] = [*found[name], *(value if isinstance(value, list) else [value])]
    else:
        found[name] = [found[name], value]
