"""Compare the final metrics in two outputs of `prov show RUN metrics --json`; exit 1 if unequal."""

import json
import sys
from pathlib import Path
from typing import Any


def finals(path: str) -> dict[str, Any]:
    """Return the final value of every metric in the file at ``path``."""
    data = json.loads(Path(path).read_text())["data"]
    subjects = data["facets"]["metrics"]["subjects"]
    return {name: value for s in subjects for name, value in s["payload"]["final"].items()}


def main() -> int:
    """Print one line per metric."""
    old, new = finals(sys.argv[1]), finals(sys.argv[2])
    for name in sorted(set(old) | set(new)):
        mark = "equal" if old.get(name) == new.get(name) else "DIFFERENT"
        print(f"  {name:40} {old.get(name)!s:>22} {new.get(name)!s:>22}  {mark}")
    if not old or old != new:
        print("the metrics are not equal" if old else "no metric was recorded")
        return 1
    print("metrics equal")
    return 0


if __name__ == "__main__":
    sys.exit(main())
