"""Write the digits data that scikit-learn ships as data/digits.csv: 64 pixels and the label."""

import csv
from pathlib import Path

from sklearn.datasets import load_digits


def main() -> None:
    """Write the table; the same bytes every time."""
    digits = load_digits()
    target = Path("data/digits.csv")
    target.parent.mkdir(exist_ok=True)
    with target.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([f"p{i}" for i in range(digits.data.shape[1])] + ["label"])
        for pixels, label in zip(digits.data, digits.target, strict=True):
            writer.writerow([int(value) for value in pixels] + [int(label)])
    print(f"wrote {target}: {len(digits.target)} images")


if __name__ == "__main__":
    main()
