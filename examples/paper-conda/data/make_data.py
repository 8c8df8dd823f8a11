"""Make listings.csv: 900 second-hand bicycles, each with its town, make, age and price.

Standard library only, so that the same bytes come out anywhere. The prices are drawn, not observed.
"""

import random
from pathlib import Path

TOWNS, MAKES, LISTINGS = 120, 14, 900


def main() -> None:
    """Write the table beside this file."""
    draw = random.Random(11)
    town = {"T%03d" % i: draw.gauss(0.0, 150.0) for i in range(TOWNS)}
    make = {"M%02d" % i: draw.gauss(0.0, 60.0) for i in range(MAKES)}
    lines = ["town,make,years,gears,price"]
    for _ in range(LISTINGS):
        # a few towns have most of the listings, most have two or three
        where = "T%03d" % min(TOWNS - 1, int(draw.expovariate(1 / 50.0)))
        what = draw.choice(sorted(make))
        years, gears = draw.uniform(0, 15), draw.choice((1, 3, 7, 18, 21, 27))
        price = 520.0 - 22.0 * years + 4.0 * gears + town[where] + make[what] + draw.gauss(0, 30)
        lines.append("%s,%s,%.1f,%d,%.2f" % (where, what, years, gears, max(20.0, price)))
    Path(__file__).with_name("listings.csv").write_bytes(("\n".join(lines) + "\n").encode())
    print("wrote listings.csv: %d bicycles" % LISTINGS)


if __name__ == "__main__":
    main()
