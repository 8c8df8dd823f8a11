"""Facts in brief, for tests."""

from provenance.specs.model import Source


def source(text, path="f", **files):
    """Return a file with others beside it; "__" in their names stands for a dot."""
    beside = {name.replace("__", "."): text for name, text in files.items()}

    def sibling(name):
        return beside[name].encode() if name in beside else None

    return Source(path, text.encode() if isinstance(text, str) else text, sibling)


def said(spec):
    """Return each fact as "line name what; marker [group] {extras}", the empty parts left out."""
    found = []
    for fact in spec.facts:
        path, _, line = fact.where.rpartition(":")
        words = [line if path == spec.path else fact.where, fact.name]
        exact = "==" + fact.version if fact.version and not fact.specifier else ""
        words.append(exact + fact.specifier + (" @ " + fact.url if fact.url else ""))
        words.append("; " + fact.marker if fact.marker else "")
        words.append("[%s]" % fact.group if fact.group else "")
        words.append("{%s}" % ",".join(fact.extras) if fact.extras else "")
        found.append(" ".join(word for word in words if word))
    return found


def unread(spec):
    """Return the line and the text of what was not read."""
    return [(int(one.where.rpartition(":")[2]), one.text) for one in spec.unread]
