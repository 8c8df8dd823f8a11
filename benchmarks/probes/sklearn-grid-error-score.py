# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.21.3 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22 scipy==1.3.3
import sys

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier

restored = "restored" in sys.argv
kw = {"error_score": "raise"} if restored else {}
X, y = np.arange(30.0).reshape(-1, 1), np.arange(30) % 2
try:
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [3, -1]}, cv=3, **kw).fit(X, y)
    print(search.cv_results_["mean_test_score"].tolist())
except ValueError:
    print("ValueError")
