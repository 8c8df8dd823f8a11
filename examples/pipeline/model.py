"""Softmax regression on rows of a CSV file, with the standard library alone."""

import csv
import math

SIZES = ("area", "compactness", "asymmetry")


def read(path):
    """Return the rows of a file as ``(sizes and a 1 for the bias, kind)``."""
    with open(path, newline="") as stream:
        return [
            ([float(row[name]) for name in SIZES] + [1.0], row["kind"])
            for row in csv.DictReader(stream)
        ]


def shares(weights, sizes):
    """Return how likely each kind is."""
    raw = {k: sum(w * x for w, x in zip(row, sizes, strict=True)) for k, row in weights.items()}
    top = max(raw.values())
    powers = {kind: math.exp(value - top) for kind, value in raw.items()}
    return {kind: power / sum(powers.values()) for kind, power in powers.items()}


def judge(weights, rows):
    """Return accuracy and mean loss."""
    found = [(shares(weights, sizes), kind) for sizes, kind in rows]
    right = sum(max(one, key=one.get) == kind for one, kind in found)
    loss = -sum(math.log(one[kind]) for one, kind in found)
    return right / len(rows), loss / len(rows)
