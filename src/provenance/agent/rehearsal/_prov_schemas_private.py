"""What of a schema may be published: nothing that tells an element of the data.

Texts of the data stay only where they stand in the user's own source as well (a category that the
code filters by), else others of the same pattern stand for them. Numbers likewise: of others the
leading digit stays, and of the ends of a range two. Names of columns stay: the code asks for them.
"""

import math
import os

load = None
_stand_ins = {}
_taken = set()
DIGITS = 2
"""Leading digits of the ends of a range that stay, unless the range is narrower than that."""


def private(known, public):
    """Return a schema in which texts and numbers of the data stand only if ``public`` has them."""
    if isinstance(known, list):
        return [private(one, public) for one in known]
    if not isinstance(known, dict):
        return known
    made = {key: private(one, public) for key, one in known.items()}
    if "categories" in made:
        texts = made.pop("categories")
        if len(texts) == 1 and texts[0] not in public:
            made["patterns"] = load("_prov_schemas")._patterns(texts)
        else:
            made["categories"] = replaced(texts, public)
    if "min" in made:
        made["min"], made["max"] = _ends(made["min"], made["max"], public)
    return _of_kind(made, public)


def _of_kind(made, public):
    kind = made.get("k")
    if kind == "plain":
        return _plain(made, public)
    if kind in ("dict", "mapping") or (kind == "rows" and made["row"] == "dict"):
        made["items"] = _keys(made["items"], public)
    if kind == "lines":
        made["first"] = replaced([made["first"]], public)[0]
    if kind == "path":
        made["value"] = os.sep.join(
            part if part in public or not part else replaced([part], ())[0]
            for part in made["value"].split(os.sep)
        )
    return made


def _keys(items, public):
    texts = iter(replaced([key for key, _ in items if type(key) is str], public))
    known = {key for key, _ in items if type(key) is int and (key in public or abs(key) < 10)}
    found = []
    for key, one in items:
        name = next(texts) if type(key) is str else key
        if type(key) is not str and key not in known:
            name = _leading(key)
            while name in known:
                name += 1
            known.add(name)
        found.append([name, one])
    return found


def replaced(texts, public):
    """Return the texts, those that are not public replaced by others of the same pattern.

    The same text is replaced by the same one wherever it stands.
    """
    return [text if text in public else _stand_in(text, public) for text in texts]


def _stand_in(text, public):
    import random

    made = _stand_ins.get(text)
    if made is not None and made not in public:
        return made
    schema = load("_prov_forms_schema")
    draw = random.Random(7 + len(_stand_ins))  # noqa: S311  # the same each time
    for attempt in range(1000):
        made = schema._written(schema._pattern(text), draw) + (str(attempt) if attempt > 9 else "")
        if made not in public and made not in _taken and made != text:
            break
    _taken.add(made)
    _stand_ins[text] = made
    return made


# --- numbers -------------------------------------------------------------------------------------


def _plain(made, public):
    value = made["value"]
    if type(value) is list and len(value) == 2 and value[0] == "f":
        value = float(value[1])
    if type(value) not in (int, float) or value in public or _is_short(value):
        return made
    lead = _leading(value)
    return {"k": "number", "lead": lead, "whole": type(value) is int}


def _is_short(value):
    """Return whether a number has one digit only: a label, a flag, 0.1; or is not finite."""
    return not math.isfinite(value) or value == _leading(value)


def _leading(value):
    """Return the number with only its first digit left: 3712 -> 3000, 0.042 -> 0.04."""
    return _towards(value, 1, math.trunc)


def number(known, draw):
    """Return a number with the same first digit: 3000 -> 3000 to 3999."""
    lead = known["lead"]
    if not lead:
        return lead
    span = 10.0 ** math.floor(math.log10(abs(lead))) * (1 if lead > 0 else -1)
    if known["whole"]:
        return lead + int(span * draw.random())
    return lead + span * draw.random()


def _ends(low, high, public):
    """Return the ends of a range, rounded inwards so that what is made up lies within it."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return low, high
    for digits in range(DIGITS, 18):
        first = low if low in public else _towards(low, digits, math.ceil)
        last = high if high in public else _towards(high, digits, math.floor)
        if first < last:
            return first, last
        if low == high:
            return (first, first) if low in public else (_leading2(low),) * 2
    return low, high


def _leading2(value):
    return _towards(value, DIGITS, math.trunc)


def _towards(value, digits, rounding):
    """Return a number with ``digits`` digits left, rounded by a function of `math`."""
    if value == 0 or not math.isfinite(value):
        return value
    places = digits - 1 - math.floor(math.log10(abs(value)))
    if type(value) is int and places >= 0:
        return value
    if places > 300:
        return type(value)(0)
    rounded = rounding(float("%.15g" % (value * 10.0**places))) / 10.0**places
    return int(rounded) if type(value) is int else float("%.*g" % (digits + 1, rounded))
