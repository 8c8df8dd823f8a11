"""Train a small neural network on the digits data and report its accuracy."""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def arguments() -> argparse.Namespace:
    """Return the settings given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/digits.csv"))
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--lr", type=float, default=0.001, help="learning rate of Adam")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--hidden", type=int, default=64, help="width of the hidden layer")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return pixels scaled to 0..1 and labels."""
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    return table[:, :-1] / 16.0, table[:, -1].astype(int)


def fit(args: argparse.Namespace) -> tuple[MLPClassifier, list[dict[str, float]]]:
    """Train epoch by epoch; return the model and what was measured after each epoch."""
    x, y = load(args.data)
    x_train, x_val, y_train, y_val = train_test_split(
        x, y, test_size=0.25, random_state=args.seed, stratify=y
    )
    model = MLPClassifier(
        hidden_layer_sizes=(args.hidden,),
        learning_rate_init=args.lr,
        batch_size=args.batch,
        random_state=args.seed,
    )
    history = []
    for epoch in range(1, args.epochs + 1):
        model.partial_fit(x_train, y_train, classes=np.arange(10))
        row = {
            "epoch": epoch,
            "train_loss": float(model.loss_),
            "val_loss": float(log_loss(y_val, model.predict_proba(x_val))),
            "val_accuracy": float(accuracy_score(y_val, model.predict(x_val))),
        }
        history.append(row)
        print(
            f"epoch {epoch:2d}  train_loss {row['train_loss']:.4f}"
            f"  val_loss {row['val_loss']:.4f}  val_accuracy {row['val_accuracy']:.4f}"
        )
    return model, history


def main() -> None:
    """Train, and write metrics.json, history.csv and the weights."""
    args = arguments()
    model, history = fit(args)
    args.out.mkdir(parents=True, exist_ok=True)
    final = {key: value for key, value in history[-1].items() if key != "epoch"}
    (args.out / "metrics.json").write_text(json.dumps(final, indent=2) + "\n")
    with (args.out / "history.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, history[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
    weights = {f"coef_{i}": array for i, array in enumerate(model.coefs_)}
    biases = {f"intercept_{i}": array for i, array in enumerate(model.intercepts_)}
    np.savez(args.out / "model.npz", **weights, **biases)
    print(f"val_accuracy {final['val_accuracy']:.4f} -> {args.out}/metrics.json")


if __name__ == "__main__":
    main()
