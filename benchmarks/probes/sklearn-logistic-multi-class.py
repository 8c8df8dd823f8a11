# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.21.3 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22 scipy==1.3.3
import sys

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

restored = "restored" in sys.argv
X, y = load_iris(return_X_y=True)
kw = {"multi_class": "ovr"} if restored else {}
print(
    LogisticRegression(solver="lbfgs", max_iter=1000, **kw)
    .fit(X, y)
    .predict_proba(X[:1])
    .round(4)
    .tolist()
)
