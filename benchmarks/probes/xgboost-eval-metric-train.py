# python: 3.8
# old: numpy==1.19.5 scipy==1.5.4 xgboost==1.2.1
# new: numpy==1.19.5 scipy==1.5.4 xgboost==1.3.0.post0
import sys

import numpy as np
import xgboost

restored = "restored" in sys.argv
rng = np.random.RandomState(0)
X = rng.normal(size=(100, 3))
data = xgboost.DMatrix(X, (X[:, 0] > 0).astype(float))
log = {}
kw = {"eval_metric": "error"} if restored else {}
xgboost.train(
    dict(objective="binary:logistic", verbosity=0, **kw),
    data,
    1,
    [(data, "t")],
    evals_result=log,
    verbose_eval=False,
)
print(sorted(log["t"]))
