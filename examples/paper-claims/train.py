"""Logistic regression on two rings, trained by stochastic gradient descent."""

import argparse
import importlib
import json
import math
import os
import random

import numpy

parser = argparse.ArgumentParser()
parser.add_argument("--model", default="linear", help="linear or products")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--epochs", type=int, default=15)
args = parser.parse_args()

features = importlib.import_module("models." + args.model).features
rows = numpy.loadtxt("data/rings.csv", delimiter=",", skiprows=1).tolist()
train, test = rows[:600], rows[600:]
draws = random.Random(args.seed)
weights = [draws.gauss(0, 0.1) for _ in features(0.0, 0.0)]


def probability(x, y):
    total = sum(w * f for w, f in zip(weights, features(x, y), strict=True))
    return 1 / (1 + math.exp(-total))


def measured(points):
    right = sum((probability(x, y) > 0.5) == bool(label) for x, y, label in points)
    sure = (probability(x, y) if label else 1 - probability(x, y) for x, y, label in points)
    loss = -sum(math.log(max(one, 1e-12)) for one in sure)
    return right / len(points), loss / len(points)


for epoch in range(1, args.epochs + 1):
    draws.shuffle(train)
    for x, y, label in train:
        error = label - probability(x, y)
        weights = [w + args.lr * error * f for w, f in zip(weights, features(x, y), strict=True)]
    accuracy, loss = measured(test)
    print("epoch %d test_accuracy %.4f test_loss %.4f" % (epoch, accuracy, loss))

os.makedirs("results", exist_ok=True)
with open("results/metrics.json", "w") as out:
    json.dump({"accuracy": accuracy, "loss": loss}, out)
