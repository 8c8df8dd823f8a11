# python: 3.9
# old: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 lightgbm==3.3.5
# new: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 lightgbm==4.0.0
import lightgbm
import numpy as np

X = np.random.RandomState(0).rand(60, 3)
data = lightgbm.Dataset(X, X[:, 0])
print(sorted(lightgbm.cv({"verbosity": -1}, data, 2, nfold=3, stratified=False)))
