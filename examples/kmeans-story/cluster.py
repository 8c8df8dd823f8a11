"""Group the points with k-means and say how well the groups match the true ones."""

import json
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score


def main() -> None:
    """Cluster points.csv; write metrics.json and centres.csv."""
    table = np.loadtxt("points.csv", delimiter=",", skiprows=1)
    points, truth = table[:, :2], table[:, 2].astype(int)
    model = KMeans(n_clusters=10, random_state=0)
    labels = model.fit_predict(points)
    metrics = {
        "inertia": float(model.inertia_),
        "adjusted_rand": float(adjusted_rand_score(truth, labels)),
    }
    Path("metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    order = np.lexsort(model.cluster_centers_.T[::-1])
    np.savetxt("centres.csv", model.cluster_centers_[order], fmt="%.6f", delimiter=",")
    print(f"inertia {metrics['inertia']:.3f}  adjusted_rand {metrics['adjusted_rand']:.4f}")


if __name__ == "__main__":
    main()
