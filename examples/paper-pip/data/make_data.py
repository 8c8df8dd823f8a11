"""Make vibration.csv: what a sensor measured at 700 bearings, 300 of them worn.

Standard library only, so that the same bytes come out anywhere. The numbers are drawn, not
measured: this is an example of a paper's repository, not a data set.
"""

import hashlib
import random
from pathlib import Path

SOUND, WORN = 400, 300
COLUMNS = (
    "rms",
    "crest",
    "kurtosis",
    "skewness",
    "band_low",
    "band_mid",
    "band_high",
    "temperature",
)


def bearing(draw: random.Random, worn: bool) -> list[float]:
    """Return the eight measurements of one bearing."""
    load = draw.uniform(0.5, 1.5)
    wear = draw.betavariate(2.0, 3.0) if worn else 0.0
    return [
        0.8 * load + 0.4 * wear + draw.gauss(0.0, 0.15),
        3.2 + 1.6 * wear + draw.gauss(0.0, 0.45),
        3.0 + 2.5 * wear * wear + draw.gauss(0.0, 0.5),
        draw.gauss(0.0, 0.3),
        load * draw.uniform(0.8, 1.2),
        0.5 * load + 0.3 * wear + draw.gauss(0.0, 0.12),
        0.2 + 0.7 * wear / load + draw.gauss(0.0, 0.15),
        40.0 + 12.0 * load + 3.0 * wear + draw.gauss(0.0, 2.0),
    ]


def main() -> None:
    """Write the table and its checksum beside this file."""
    draw = random.Random(2023)
    rows = [(bearing(draw, worn), int(worn)) for worn in (False,) * SOUND + (True,) * WORN]
    draw.shuffle(rows)
    lines = [",".join((*COLUMNS, "worn"))]
    lines += [",".join([*("%.4f" % value for value in values), str(worn)]) for values, worn in rows]
    target = Path(__file__).with_name("vibration.csv")
    target.write_bytes(("\n".join(lines) + "\n").encode())
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.with_name("SHA256SUMS").write_text("%s  %s\n" % (digest, target.name))
    print("wrote %s: %d bearings" % (target.name, len(rows)))


if __name__ == "__main__":
    main()
