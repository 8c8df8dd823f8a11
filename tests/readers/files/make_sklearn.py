"""Makes the pickles beside this file; run with scikit-learn, joblib and pandas installed.

python make_sklearn.py
"""

import os
import pickle
import sys

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
X = np.arange(20.0).reshape(10, 2) ** 2
y = X[:, 0] - 2 * X[:, 1] + 3
model = make_pipeline(StandardScaler(), Ridge(alpha=0.5)).fit(X, y)
forest = RandomForestClassifier(2, max_depth=2, random_state=0).fit(X, y > y.mean())
np.savez(
    "%s/sklearn-expected.npz" % HERE,
    mean=model[0].mean_,
    coef=model[1].coef_,
    threshold=forest.estimators_[1].tree_.threshold,
)
for protocol in (0, 2, 5):
    with open("%s/sklearn-p%d.pkl" % (HERE, protocol), "wb") as stream:
        pickle.dump(model, stream, protocol)
joblib.dump(model, "%s/sklearn.joblib" % HERE)
joblib.dump(model, "%s/sklearn-zlib.joblib" % HERE, compress=3)
joblib.dump(forest, "%s/forest.joblib" % HERE, compress=("xz", 3))
