# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.21.3 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22 scipy==1.3.3
import sys

from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_val_score

restored = "restored" in sys.argv
X, y = load_diabetes(return_X_y=True)
kw = {"cv": 3} if restored else {}
print(cross_val_score(LinearRegression(), X, y, **kw).round(6).tolist())
