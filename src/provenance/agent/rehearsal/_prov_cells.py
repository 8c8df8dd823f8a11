"""The code cells of a notebook, as plain Python.

Lines of IPython (``%matplotlib inline``, ``!pip install x``, ``name?``) do nothing in a rehearsal;
they are kept as empty statements, so that the lines keep their numbers. But ``%time f(x)`` runs
what it times, ``%cd data`` changes the folder and ``%env A=b`` the environment. A cell that is all
of another language (``%%bash``) is left out.
"""

import ast
import json
import re

_MAGIC = re.compile(r"^(\s*)(%|!|\?)|\?\s*$")
_ASSIGNED = re.compile(r"^(\s*)([\w, ]+?)\s*=\s*(%|!)")
_TIMED = re.compile(r"^(\s*)%(?:time|prun|memit)\s+(?!-)(.+)$")
_FOLDER = re.compile(r"^(\s*)%?cd\s+(?!-)(.+?)\s*$")
_SET = re.compile(r"^(\s*)%(?:set_)?env\s+(\w+)[= ]\s*(.*?)\s*$")
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")


def cells(data):
    """Return number (from 1, code cells only) and source of the code cells in a notebook's bytes.

    Raises ValueError where it is no notebook.
    """
    whole = json.loads(data.decode("utf-8", "replace"))
    listed = whole.get("cells")
    if listed is None:
        sheets = whole.get("worksheets") or [{}]
        listed = sheets[0].get("cells", [])
    found = []
    for one in listed:
        if one.get("cell_type") != "code":
            continue
        source = one.get("source", one.get("input", ""))
        text = source if isinstance(source, str) else "".join(source)
        found.append((len(found) + 1, plain(text)))
    return found


def plain(text):
    """Return a cell's source with what only IPython understands put out of action."""
    first = text.lstrip().partition("\n")[0]
    if first.startswith("%%") and not first.startswith(_PYTHON_CELLS):
        return ""
    if _is_python(text):
        return text
    return "\n".join(_line(line) for line in text.split("\n"))


def _is_python(text):
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _line(line):
    timed, folder, told = _TIMED.match(line), _FOLDER.match(line), _SET.match(line)
    if timed:
        return timed.group(1) + timed.group(2)
    if folder:
        return "%s__import__('os').chdir(%r)" % (folder.group(1), folder.group(2).strip("\"'"))
    if told:
        return "%s__import__('os').environ[%r] = %r" % told.groups()
    assigned = _ASSIGNED.match(line)
    if assigned:
        return "%s%s = []" % (assigned.group(1), assigned.group(2))
    found = _MAGIC.search(line)
    if found is None or line.lstrip().startswith("#"):
        return line
    if found.group(1) is None:  # "name?" at the end of a line, not of a text or comment
        return "pass" if re.match(r"^\s*[\w.]+\?+\s*$", line) else line
    return found.group(1) + "pass"
