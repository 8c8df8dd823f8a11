"""Stage 1: leave out kernels that were not measured, scale the columns, split.

Reads raw/seeds.csv, writes data/train.csv and data/test.csv.
"""

import argparse
import csv
import random
from pathlib import Path
from statistics import mean, stdev

from model import SIZES

parser = argparse.ArgumentParser()
parser.add_argument("--test-share", type=float, default=0.25)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

with open("raw/seeds.csv", newline="") as stream:
    rows = [row for row in csv.DictReader(stream) if float(row["area"]) > 0]
for name in SIZES:
    values = [float(row[name]) for row in rows]
    middle, spread = mean(values), stdev(values)
    for row in rows:
        row[name] = "%.6f" % ((float(row[name]) - middle) / spread)

random.seed(args.seed)
random.shuffle(rows)
held_out = int(len(rows) * args.test_share)
Path("data").mkdir(exist_ok=True)
for name, part in (("test", rows[:held_out]), ("train", rows[held_out:])):
    with open("data/%s.csv" % name, "w", newline="") as stream:
        writer = csv.DictWriter(stream, [*SIZES, "kind"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(part)
    print("data/%s.csv  %d kernels" % (name, len(part)))
