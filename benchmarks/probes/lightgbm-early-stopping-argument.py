# python: 3.9
# old: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 lightgbm==3.3.5
# new: numpy==1.22.4 scipy==1.8.1 scikit-learn==1.1.3 lightgbm==4.0.0
import lightgbm
import numpy as np

X = np.random.RandomState(0).rand(60, 3)
data = lightgbm.Dataset(X, X[:, 0])

try:
    model = lightgbm.train({"verbosity": -1}, data, 3, valid_sets=[data], early_stopping_rounds=2)
    print(model.num_trees())
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
