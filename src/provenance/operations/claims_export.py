"""The claims as a table for the paper (LaTeX, Markdown, CSV), and the numbers as macros."""

from __future__ import annotations

from provenance.compare import _claim_numbers as numbers
from provenance.core import runid
from provenance.core.table import TEXT, WIDE, Table
from provenance.exports import claims_csv, claims_latex, latex, markdown
from provenance.operations.claims import Checked, CheckResult


def table(result: CheckResult) -> Table:
    """Return one row per claim: claim, stated, recorded, tolerance, verdict, replays, runs."""
    columns = (
        ("claim", TEXT), ("says", WIDE), ("stated", WIDE), ("recorded", WIDE),
        *((("now", WIDE),) if result.basis != "recorded" else ()),
        ("tolerance", WIDE), ("verdict", TEXT), ("replayed", TEXT), ("run", WIDE),
        ("commit", TEXT),
    )  # fmt: skip
    rows = tuple(_row(one, result.basis) for one in result.checked)
    note = () if rows else ("prov.yaml states no claims.",)
    return Table("claims", "Claims of the paper, checked against their runs", columns, rows, note)


def _row(one: Checked, basis: str) -> tuple[str, ...]:
    replays = one.replays
    commits = list(dict.fromkeys(run.commit[:8] for run in one.runs if run.commit))
    return (
        one.claim.name,
        one.claim.says,
        one.claim.stated,
        one.recorded.found,
        *((one.judged.found,) if basis != "recorded" else ()),
        one.judged.tolerance,
        one.verdict,
        "%d of %d" % (replays.good, replays.total) if replays and replays.total else "",
        ", ".join(runid.short(run.id) for run in one.runs),
        ", ".join(commits[:3]),
    )


def macros(result: CheckResult) -> tuple[tuple[str, str], ...]:
    """Return the name of a claim and its measured number with the digits that the paper prints.

    Claims without a number, or whose number is not known, have none. The number is what the runs
    gave: a paper that prints it cannot drift from them.
    """
    found = []
    for one in result.checked:
        stated, number = one.claim.value, one.judged.number
        if stated is None or number is None:
            continue
        found.append((one.claim.name, numbers.as_printed(number, stated)))
        if stated.spread is not None and one.judged.spread is not None:
            like = stated._replace(half=stated.spread_half, value=stated.spread)
            found.append((one.claim.name + "-sd", numbers.as_printed(one.judged.spread, like)))
    return tuple(found)


def markdown_table(result: CheckResult) -> str:
    """Return the table alone, in Markdown."""
    text = markdown.render((table(result),))
    return text.partition("\n\n")[2].strip()  # without its title


def render(result: CheckResult, form: str) -> str:
    """Return the table as "latex" or "csv", or the numbers as "macros". Raises `UsageError`."""
    if form == "macros":
        return claims_latex.macros(macros(result))
    if form == "csv":
        return claims_csv.render(table(result))
    return latex.render((_for_a_page(result),))


def _for_a_page(result: CheckResult) -> Table:
    """Return the table with what a page has room for: tolerances bare, runs by their names."""
    whole = table(result)
    titles = [title for title, _ in whole.columns]
    said = any(row[titles.index("replayed")] for row in whole.rows)
    left = ("says", "commit", "tolerance", "" if said else "replayed")
    kept = [n for n, title in enumerate(titles) if title not in left]
    stated, run = titles.index("stated"), titles.index("run")
    rows = []
    for one, row in zip(result.checked, whole.rows, strict=True):
        cells = list(row)
        bare = one.judged.tolerance.partition(" (")[0]
        cells[stated] += " (%s)" % bare if bare else ""
        cells[run] = ", ".join(one.claim.selectors)
        rows.append(tuple(cells[n] for n in kept))
    return whole._replace(columns=tuple(whole.columns[n] for n in kept), rows=tuple(rows))
