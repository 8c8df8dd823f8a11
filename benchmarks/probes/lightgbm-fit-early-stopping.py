# python: 3.9
# old: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 lightgbm==3.3.5
# new: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 lightgbm==4.0.0
import lightgbm
import numpy as np

X = np.random.RandomState(0).rand(60, 3)

try:
    model = lightgbm.LGBMRegressor(n_estimators=3)
    model.fit(X, X[:, 0], eval_set=[(X, X[:, 0])], early_stopping_rounds=2)
    print(model.n_estimators)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
