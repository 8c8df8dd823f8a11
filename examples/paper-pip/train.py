"""Tell worn bearings from sound ones by boosted stumps, and report how well that goes."""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split


def arguments() -> argparse.Namespace:
    """Return the settings given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/vibration.csv"))
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--rounds", type=int, default=100, help="rounds of boosting")
    parser.add_argument("--lr", type=float, default=0.5, help="how much each round counts")
    parser.add_argument("--test-share", type=float, default=0.4)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def split(args: argparse.Namespace) -> list[np.ndarray]:
    """Return measurements and labels to train with and to test with."""
    table = np.loadtxt(args.data, delimiter=",", skiprows=1)
    x, worn = table[:, :-1], table[:, -1].astype(int)
    return train_test_split(
        x, worn, test_size=args.test_share, random_state=args.seed, stratify=worn
    )


def curve(model: AdaBoostClassifier, x: np.ndarray, worn: np.ndarray, every: int) -> list[dict]:
    """Return accuracy and loss on the test set after each ``every`` rounds."""
    rows = []
    for done, chances in enumerate(model.staged_predict_proba(x), 1):
        if done % every == 0:
            accuracy = accuracy_score(worn, chances.argmax(axis=1))
            row = {"round": done, "accuracy": accuracy, "loss": log_loss(worn, chances)}
            rows.append(row)
            print("round {round:3d}  accuracy {accuracy:.4f}  loss {loss:.4f}".format(**row))
    return rows


def main() -> None:
    """Train; write metrics.json and curve.csv."""
    args = arguments()
    x_train, x_test, y_train, y_test = split(args)
    model = AdaBoostClassifier(
        n_estimators=args.rounds, learning_rate=args.lr, random_state=args.seed
    )
    model.fit(x_train, y_train)
    rows = curve(model, x_test, y_test, every=max(1, args.rounds // 5))
    args.out.mkdir(parents=True, exist_ok=True)
    final = {name: float(rows[-1][name]) for name in ("accuracy", "loss")}
    (args.out / "metrics.json").write_text(json.dumps(final, indent=2) + "\n")
    with (args.out / "curve.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
