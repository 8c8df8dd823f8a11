"""Schemas of lists of records: dicts, lists or tuples that look alike, described by column."""

load = None
LEAST = 21
"""Records from which a list is described by column; shorter ones item by item."""
_LOOKED = 5000
_MOST_COLUMNS = 100
_PLAIN = frozenset((int, float, str, bool, type(None)))


def described(value, describe, depth):
    """Return the schema of a list of records, None where it is none. describe: of one value."""
    rows = value[:_LOOKED]
    kinds = {type(one) for one in rows}
    if len(value) < LEAST or len(kinds) != 1:
        return None
    kind = kinds.pop()
    if kind is dict:
        keys = list(dict.fromkeys(key for one in rows for key in one))
        if not all(type(key) in (str, int) for key in keys):
            return None
    elif kind in (list, tuple) and len({len(one) for one in rows}) == 1:
        keys = list(range(len(rows[0])))
    else:
        return None
    if not 0 < len(keys) <= _MOST_COLUMNS:
        return None
    parts = [_column(rows, kind, key, describe, depth) for key in keys]
    if not all(parts):
        return None
    return {
        "k": "rows",
        "of": type(value).__name__,
        "row": kind.__name__,
        "n": len(value),
        "items": [[key, part] for key, part in zip(keys, parts)],
    }


def _column(rows, kind, key, describe, depth):
    items = [one[key] for one in rows if kind is not dict or key in one]
    share = len(items) / float(len(rows))
    if {type(one) for one in items} <= _PLAIN:
        column = load("_prov_forms_schema")._column(items)
        return {"k": "column", "column": column, "share": share}
    known = describe(items, depth + 1) if len(items) >= LEAST else None
    if known and known["k"] in ("rows", "list"):
        return {"k": "items", "of": known, "share": share} if known["k"] == "rows" else None
    one = describe(items[0], depth + 2)
    return {"k": "each", "of": one, "share": share} if one else None


def made(known, rows, draw, make):
    """Return a made-up list of records. make: makes one value of its schema."""
    count = known["n"] if rows is None else min(known["n"], rows)
    columns = [[key, _made(part, count, rows, draw, make)] for key, part in known["items"]]
    found = []
    for place in range(count):
        items = [(key, column[place]) for key, column in columns if column[place] is not _ABSENT]
        if known["row"] == "dict":
            found.append(dict(items))
        else:
            found.append((list if known["row"] == "list" else tuple)(one for _, one in items))
    return found if known["of"] == "list" else tuple(found)


_ABSENT = object()


def _made(part, count, rows, draw, make):
    if part["k"] == "column":
        items = load("_prov_forms_schema")._elements(part["column"], count, draw)
    elif part["k"] == "items":
        items = make(dict(part["of"], n=count), rows, draw)
    else:
        items = [make(part["of"], rows, draw) for _ in range(count)]
    if part["share"] >= 1.0:
        return items
    return [one if draw.random() < part["share"] else _ABSENT for one in items]
