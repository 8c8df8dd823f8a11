# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.1.3 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.2.0 scipy==1.8.1
import sys

import numpy as np
from sklearn.linear_model import Ridge

restored = "restored" in sys.argv
rng = np.random.RandomState(0)
X, y = rng.normal(size=(50, 20)), rng.normal(size=50)
kw = {"tol": 1e-3} if restored else {}
print(Ridge(solver="lsqr", alpha=0.01, **kw).fit(X, y).coef_[:2].round(6).tolist())
