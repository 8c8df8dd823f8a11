"""Make customers.csv: what 600 customers bought in a year, with the segment each was drawn from.

Standard library only, so that the same bytes come out anywhere. No real customers.
"""

import random
from pathlib import Path

SEGMENTS = 12
PER_SEGMENT = 50
SPREADS = (1.6, 6.5, 0.35)


def main() -> None:
    """Write the table beside this file."""
    draw = random.Random(7)
    lines = ["orders,basket,returns,segment"]
    for segment in range(SEGMENTS):
        middle = draw.uniform(2, 40), draw.uniform(10, 160), draw.uniform(0, 8)
        for _ in range(PER_SEGMENT):
            orders, basket, returns = (
                draw.gauss(m, s) for m, s in zip(middle, SPREADS, strict=True)
            )
            lines.append("%.3f,%.3f,%.3f,%d" % (orders, basket, returns, segment))
    Path(__file__).with_name("customers.csv").write_bytes(("\n".join(lines) + "\n").encode())
    print("wrote customers.csv: %d customers" % (len(lines) - 1))


if __name__ == "__main__":
    main()
