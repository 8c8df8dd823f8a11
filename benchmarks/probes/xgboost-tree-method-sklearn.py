# python: 3.9
# old: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 xgboost==1.7.6
# new: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 xgboost==2.0.0
import sys

import numpy as np
import xgboost

restored = "restored" in sys.argv
rng = np.random.RandomState(0)
X, y = rng.normal(size=(2000, 3)), rng.normal(size=2000)
kw = {"tree_method": "exact"} if restored else {}
print(
    xgboost.XGBRegressor(n_estimators=2, base_score=0.5, **kw)
    .fit(X, y)
    .predict(X[:2])
    .round(5)
    .tolist()
)
