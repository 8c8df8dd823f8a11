"""Stage 2: train on data/train.csv; keep the weights of the best epoch in weights/best.json."""

import argparse
import json
import random
from pathlib import Path

import model

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.02)
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

random.seed(args.seed)
rows = model.read("data/train.csv")
cut = len(rows) // 5
random.shuffle(rows)
held_out, rows = rows[:cut], rows[cut:]
weights = {kind: [0.0] * 4 for kind in sorted({kind for _, kind in rows})}
best = None
Path("weights").mkdir(exist_ok=True)
with open("weights/history.csv", "w") as history:
    history.write("epoch,val_accuracy,val_loss\n")
    for epoch in range(1, args.epochs + 1):
        random.shuffle(rows)
        for sizes, kind in rows:
            for each, share in model.shares(weights, sizes).items():
                slope = share - (each == kind)
                both = zip(weights[each], sizes, strict=True)
                weights[each] = [w - args.lr * slope * x for w, x in both]
        accuracy, loss = model.judge(weights, held_out)
        history.write("%d,%.6f,%.6f\n" % (epoch, accuracy, loss))
        if best is None or loss < best:
            best = loss
            with open("weights/best.json", "w") as stream:
                json.dump({"epoch": epoch, "weights": weights}, stream, indent=1)
print("epoch %d  val_accuracy %.4f  val_loss %.4f" % (epoch, accuracy, loss))
