"""Which notebooks ran, in which order their cells had been run before, and how far they came."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import BROKEN, UNKNOWN, Comparison, Difference
from provenance.core.paths import PathRef
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _entries, _facet

if TYPE_CHECKING:
    from provenance.core.notebooks import Cell

NAME = "notebooks"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.TARGET

SESSION = "session.ipynb"
MOST = 100
_SHOWN = 12

upgrade = _facet.nothing_to_upgrade


class Notebook(NamedTuple):
    """A notebook that took part.

    path: of the one that was run, or is the session. executed: the file with the outputs, where the
    run wrote one; it may be the same. cells: how many code cells that are not empty. saved: the
    execution counts with which the notebook had been saved, None where a cell had not run;
    empty where the notebook was overwritten. ran: how many cells were executed, None where not
    known. failed: cells that raised, with the name of the error. code: SHA-256 over the sources of
    the cells in the order in which they ran, "" where not known. session: whether the cells were
    run by hand. file: of a session, the name in the record's folder of the notebook that holds
    its cells in the order in which they ran.
    """

    path: PathRef
    executed: Optional[PathRef] = None
    cells: int = 0
    saved: Tuple[Optional[int], ...] = ()
    ran: Optional[int] = None
    failed: Tuple[str, ...] = ()
    code: str = ""
    session: bool = False
    file: str = ""


class Notebooks(NamedTuple):
    """All of them, in the order in which they were opened."""

    notebooks: Tuple[Notebook, ...] = ()


def capture(context: Context) -> Payload:
    """Return the notebooks that the run read or wrote."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    journals = [path for path in context.observed.sdk if path.endswith(".jsonl")]
    if not journals and not any(use.path.endswith(".ipynb") for use in context.observed.files):
        return captured(VERSION, Notebooks())
    places = _entries.Places(context)
    given = _read(context, "r")
    made = _read(context, "w")
    found: List[Notebook] = []
    notes: List[str] = []
    for path, cells in list(given.items())[:MOST]:
        both = _is_written(context, path)
        outputs = made if not both else dict(made, **{path: cells})
        executed = path if both else _executed(cells, outputs)
        one = Notebook(places.refer(path), cells=_count(cells))
        if not both:
            one = one._replace(saved=tuple(c.execution for c in cells if c.source.strip()))
            notes += _order_note(one.path, cells)
        if executed is not None:
            one = _with_outcome(one, places.refer(executed), outputs.pop(executed), context)
            made.pop(executed, None)
        found.append(one)
    for path, cells in made.items():
        found.append(
            _with_outcome(Notebook(places.refer(path)), places.refer(path), cells, context)
        )
    found += [_session(path, context) for path in journals]
    return captured(VERSION, Notebooks(tuple(found)), notes=tuple(notes))


def _session(journal: str, context: Context) -> Notebook:
    """Return what was run by hand, and keep its cells beside the record."""
    from provenance.core import notebooks
    from provenance.core.notebooks import Cell

    names, cells = "", []
    with open(journal, encoding="utf-8") as stream:
        for line in stream:
            try:
                told = json.loads(line)
                source, count = str(told["source"]), int(told["count"])
            except (ValueError, KeyError, TypeError):
                continue
            names = str(told.get("notebook") or names)
            failed = str(told.get("error") or "")
            output = ({"output_type": "error", "ename": failed},) if failed else ()
            cells.append(Cell(count, source, count, (), output))
    path = os.path.join(context.roots.cwd, names or "session.ipynb")
    one = Notebook(context.roots.refer(path), cells=_count(cells), session=True)
    one = _with_outcome(one, one.path, cells, context)._replace(executed=None)
    if context.run_dir is None:
        return one
    document = notebooks.document(
        [cell._replace(source=context.redact.text(cell.source)) for cell in cells]
    )
    with open(os.path.join(context.run_dir, SESSION), "w", encoding="utf-8") as stream:
        stream.write(document)
    return one._replace(file=SESSION)


def _read(context: Context, first: str) -> Dict[str, List[Cell]]:
    """Return the code cells of the notebooks that the run read (or wrote) first."""
    from provenance.core import notebooks  # few runs read one

    found: Dict[str, List[Cell]] = {}
    for use in context.observed.files:
        if use.path.endswith(".ipynb") and use.first == first and os.path.isfile(use.path):
            try:
                found[use.path] = notebooks.read(use.path)
            except (OSError, ValueError):
                continue
    return found


def _is_written(context: Context, path: str) -> bool:
    return any(use.path == path and use.written for use in context.observed.files)


def _executed(cells: List[Cell], made: Dict[str, List[Cell]]) -> Optional[str]:
    """Return which of the written notebooks has all cells of one that was read, None for none."""
    wanted = [cell.source for cell in cells if cell.source.strip()]
    for path, others in made.items():
        sources = [cell.source for cell in others]
        if wanted and all(source in sources for source in wanted):
            return path
    return None


def _count(cells: List[Cell]) -> int:
    return sum(1 for cell in cells if cell.source.strip())


def _order_note(path: PathRef, cells: List[Cell]) -> List[str]:
    from provenance.core import notebooks

    counts = notebooks.out_of_order(cells)
    if not counts:
        return []
    shown = ", ".join(str(n) for n in counts[:_SHOWN]) + (" ..." if len(counts) > _SHOWN else "")
    text = "%s was saved after its cells had been run out of order: %s"
    return [text % (path, shown)]


def _with_outcome(
    one: Notebook, executed: PathRef, cells: List[Cell], context: Context
) -> Notebook:
    """Return ``one`` with what its executed form tells."""
    ran = sorted(
        (c for c in cells if c.execution is not None), key=lambda cell: cell.execution or 0
    )
    code = hashlib.sha256()
    for cell in ran:
        source = cell.source.encode("utf-8", "surrogatepass")
        code.update(b"%d\n" % len(source) + source)
    called = "In[%d]: %s" if one.session else "cell %d: %s"
    failed = [called % (c.number, name) for c in ran for name in _errors(c)]
    return one._replace(
        executed=executed,
        cells=max(one.cells, _count(cells)),
        ran=len(ran),
        failed=tuple(context.redact.text(text) for text in failed[:MOST]),
        code=code.hexdigest() if ran else "",
    )


def _errors(cell: Cell) -> List[str]:
    return [
        str(output.get("ename", ""))
        for output in cell.outputs
        if isinstance(output, dict) and output.get("output_type") == "error"
    ]


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare by path: which cells were executed in which order, and which failed."""
    was, now = ({str(one.path): one for one in _of(side).notebooks} for side in (old, new))
    found: List[Difference] = []
    names = list(dict.fromkeys([*was, *now]))
    for name in names:
        before, after = was.get(name), now.get(name)
        if before is None or after is None:
            kind = "added" if before is None else "removed"
            found.append(Difference(NAME, "run", kind, name, UNKNOWN))
        elif before.failed != after.failed:
            found.append(
                Difference(
                    NAME, "run", "exit", name, BROKEN, list(before.failed), list(after.failed)
                )
            )
        elif before.code and after.code and before.code != after.code:
            text = "other cells were executed, or in another order"
            found.append(
                Difference(NAME, "run", "content", name, UNKNOWN, before.ran, after.ran, (), text)
            )
    return Comparison(tuple(found), len(names) - len(found), len(names), "notebooks")


def _of(payload: Payload) -> Notebooks:
    return codec.decode(Notebooks, payload.subjects[0].payload)


def of(record: Record) -> Optional[Notebooks]:
    """Return the notebooks; None where the record does not say."""
    found = record.payloads(NAME)
    return codec.decode(Notebooks, found[0].payload) if found else None
