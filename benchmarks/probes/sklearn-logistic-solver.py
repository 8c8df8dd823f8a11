# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.21.3 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22 scipy==1.3.3
import sys

from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import scale

restored = "restored" in sys.argv
X, y = load_breast_cancer(return_X_y=True)
kw = {"solver": "liblinear"} if restored else {}
print(LogisticRegression(**kw).fit(scale(X), y).intercept_.round(4).tolist())
