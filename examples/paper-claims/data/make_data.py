"""Draws data/rings.csv: points around the origin, a class for each of two rings, and noise."""

import csv
import math
import os
import random

random.seed(20)
rows = []
for number in range(900):
    label = number % 2
    radius = random.gauss(1.0 + 0.9 * label, 0.33)
    angle = random.uniform(0, 2 * math.pi)
    x = radius * math.cos(angle) + 1.1 * label
    rows.append(("%.4f" % x, "%.4f" % (radius * math.sin(angle)), label))
random.shuffle(rows)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rings.csv")
with open(path, "w", newline="") as out:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("x", "y", "label"), *rows])
