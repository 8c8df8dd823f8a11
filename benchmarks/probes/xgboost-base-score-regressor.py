# python: 3.9
# old: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 xgboost==1.7.6
# new: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 xgboost==2.0.0
import sys

import numpy as np
import xgboost

restored = "restored" in sys.argv
X, y = np.arange(20.0).reshape(-1, 1), np.arange(20.0) + 100
kw = {"base_score": 0.5} if restored else {}
print(
    xgboost.XGBRegressor(n_estimators=2, tree_method="exact", **kw)
    .fit(X, y)
    .predict(X[:2])
    .tolist()
)
