"""Find segments of customers by what they buy, and say how well they match the true ones."""

import argparse
import json

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", default="data/customers.csv")
parser.add_argument("--segments", type=int, default=12)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

table = np.loadtxt(args.data, delimiter=",", skiprows=1)
bought = StandardScaler().fit_transform(table[:, :3])
segments = KMeans(n_clusters=args.segments, random_state=args.seed).fit_predict(bought)

metrics = {
    "adjusted_rand": adjusted_rand_score(table[:, 3], segments),
    "silhouette": silhouette_score(bought, segments),
}
with open("metrics.json", "w") as stream:
    json.dump({name: float(value) for name, value in metrics.items()}, stream, indent=2)
print("adjusted Rand {adjusted_rand:.3f}  silhouette {silhouette:.3f}".format(**metrics))
