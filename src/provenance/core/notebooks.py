"""Notebooks as files: their code cells, and from where a line that a kernel runs came.

A kernel gives each cell a file name of its own: ``/tmp/ipykernel_<pid>/<hash>.py``, the hash being
MurmurHash2 (32 bits) of the cell's source (ipykernel 6 and later, ``ipykernel/compiler.py``);
before, ``<ipython-input-<count>-<hash>>``. Both lead back to the cell.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

LARGEST = 64 << 20
"""Bytes above which a notebook is not read."""

_SEED = 0xC70F6907
"""With which ipykernel hashes."""
_KERNEL = re.compile(r"[^\s:'\"]*[/\\]ipykernel_\d+[/\\](\d+)\.py")
_OLD_KERNEL = re.compile(r"<ipython-input-(\d+)-[0-9a-f]+>")


class Cell(NamedTuple):
    """A code cell. number: among the code cells, from 1. execution: its last count."""

    number: int
    source: str
    execution: Optional[int] = None
    tags: Tuple[str, ...] = ()
    outputs: Tuple[Any, ...] = ()


def cells(text: str) -> List[Cell]:
    """Return the code cells of a notebook. Raises ValueError where it is none."""
    try:
        document = json.loads(text)
        sheets = document.get("worksheets") or [document]
        every = [cell for sheet in sheets for cell in sheet["cells"]]
        code = [cell for cell in every if cell["cell_type"] == "code"]
        return [_cell(number, cell) for number, cell in enumerate(code, 1)]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("not a notebook: %s" % error) from error


def _cell(number: int, cell: Dict[str, Any]) -> Cell:
    source = cell["source"] if "source" in cell else cell["input"]
    count = cell.get("execution_count", cell.get("prompt_number"))
    tags = cell.get("metadata", {}).get("tags", ())
    return Cell(
        number,
        source if isinstance(source, str) else "".join(source),
        count if type(count) is int else None,
        tuple(str(tag) for tag in tags),
        tuple(cell.get("outputs", ())),
    )


def read(path: str) -> List[Cell]:
    """Return the code cells of the notebook at ``path``. Raises OSError or ValueError."""
    with open(path, "rb") as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError("too large")
    return cells(data.decode("utf-8"))


def document(found: Iterable[Cell]) -> str:
    """Return a notebook of these code cells, without their outputs."""
    code: List[Dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": cell.execution,
            "metadata": {},
            "outputs": [],
            "source": cell.source.splitlines(True),
        }
        for cell in found
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": code, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(whole, indent=1) + "\n"


def printed(found: Iterable[Cell]) -> List[Tuple[int, str]]:
    """Return what the cells wrote to the standard output: (number of the cell, text), in order."""
    pieces: List[Tuple[int, str]] = []
    for cell in found:
        for output in cell.outputs:
            stream = isinstance(output, dict) and output.get("output_type") == "stream"
            if stream and output.get("name", "stdout") == "stdout":
                text = output.get("text", "")
                pieces.append((cell.number, text if isinstance(text, str) else "".join(text)))
    return pieces


def out_of_order(found: Iterable[Cell]) -> Tuple[int, ...]:
    """Return the execution counts as saved where they do not increase, else nothing."""
    counts = tuple(cell.execution for cell in found if cell.execution is not None)
    return counts if any(b <= a for a, b in zip(counts, counts[1:])) else ()


def names(path: str, found: Iterable[Cell]) -> Dict[str, str]:
    """Return, by hash and by execution count (``[3]``), what the cells of a notebook are called."""
    told: Dict[str, str] = {}
    for cell in found:
        name = "%s cell %d" % (path, cell.number)
        told.setdefault(str(cell_hash(cell.source)), name)
        if cell.execution is not None:
            told.setdefault("[%d]" % cell.execution, name)
    return told


def placed(text: str, known: Mapping[str, str]) -> str:
    """Return ``text`` with the file names of a kernel replaced by those of ``known`` cells."""
    if "ipy" not in text:
        return text
    text = _KERNEL.sub(lambda match: known.get(match.group(1), match.group()), text)
    return _OLD_KERNEL.sub(lambda match: known.get("[%s]" % match.group(1), match.group()), text)


def cell_hash(source: str) -> int:
    """Return the hash by which a kernel names a cell."""
    data = source.encode("utf-8", "surrogatepass")
    mask, factor, size = 0xFFFFFFFF, 0x5BD1E995, len(data)
    state = (_SEED ^ size) & mask
    whole = size - size % 4
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * factor & mask
        word = (word ^ (word >> 24)) * factor & mask
        state = (state * factor & mask) ^ word
    if whole < size:
        state = (state ^ int.from_bytes(data[whole:], "little")) * factor & mask
    state = (state ^ (state >> 13)) * factor & mask
    return state ^ (state >> 15)
