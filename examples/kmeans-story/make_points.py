"""Make points.csv: 400 points around 10 centres. Standard library only, so the same anywhere."""

import random
from pathlib import Path


def main() -> None:
    """Write the table; the same bytes on every Python 3."""
    generator = random.Random(0)
    centres = [(generator.uniform(0, 10), generator.uniform(0, 10)) for _ in range(10)]
    lines = ["x,y,group"]
    for group, (x, y) in enumerate(centres):
        cloud = [(generator.gauss(x, 0.3), generator.gauss(y, 0.3)) for _ in range(40)]
        lines.extend(f"{a:.6f},{b:.6f},{group}" for a, b in cloud)
    Path("points.csv").write_text("\n".join(lines) + "\n")
    print(f"wrote points.csv: {len(lines) - 1} points")


if __name__ == "__main__":
    main()
