"""Stage 3: judge weights on data/test.csv; write results/test.json.

``--weights`` is a path, or RUN:NAME: what the run RUN wrote, wherever it is by now.
"""

import argparse
import json
from pathlib import Path

import model

parser = argparse.ArgumentParser()
parser.add_argument("--weights", default="weights/best.json")
args = parser.parse_args()

path = args.weights
if ":" in path:
    import provenance  # there in every `prov run`, installed or not

    path = provenance.path(path)
with open(path) as stream:
    weights = json.load(stream)["weights"]
accuracy, loss = model.judge(weights, model.read("data/test.csv"))
Path("results").mkdir(exist_ok=True)
with open("results/test.json", "w") as stream:
    json.dump({"test_accuracy": round(accuracy, 6), "test_loss": round(loss, 6)}, stream)
print("test_accuracy %.4f  test_loss %.4f" % (accuracy, loss))
