"""Predict the price of a second-hand bicycle from its town, make, age and gears."""

import argparse
import json
from pathlib import Path

import category_encoders as ce
import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

PLACES = ["town", "make"]


def arguments() -> argparse.Namespace:
    """Return the settings given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/listings.csv"))
    parser.add_argument("--out", type=Path, default=Path("results"))
    parser.add_argument("--alpha", type=float, default=1.0, help="strength of the ridge penalty")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def measure(train: pd.DataFrame, test: pd.DataFrame, alpha: float) -> dict[str, float]:
    """Fit on one table, measure on the other."""
    model = make_pipeline(ce.TargetEncoder(cols=PLACES), Ridge(alpha=alpha))
    model.fit(train.drop(columns="price"), train["price"])
    guessed = model.predict(test.drop(columns="price"))
    return {
        "mae": mean_absolute_error(test["price"], guessed),
        "r2": r2_score(test["price"], guessed),
    }


def main() -> None:
    """Cross-validate; write metrics.json and folds.csv."""
    args = arguments()
    listings = pd.read_csv(args.data)
    folds = KFold(n_splits=args.folds, shuffle=True, random_state=args.seed)
    rows = []
    for number, (train, test) in enumerate(folds.split(listings), 1):
        found = measure(listings.iloc[train], listings.iloc[test], args.alpha)
        rows.append({"fold": number, **found})
        print("fold %d  MAE %.2f  R2 %.4f" % (number, found["mae"], found["r2"]))
    args.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(args.out / "folds.csv", index=False)
    metrics = {name: float(np.mean([row[name] for row in rows])) for name in ("mae", "r2")}
    (args.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print("MAE {mae:.2f}  R2 {r2:.4f}".format(**metrics))


if __name__ == "__main__":
    main()
