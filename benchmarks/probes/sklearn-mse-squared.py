# python: 3.11
# old: numpy==1.26.4 scikit-learn==1.5.2 scipy==1.13.1
# new: numpy==1.26.4 scikit-learn==1.6.0 scipy==1.13.1
from sklearn.metrics import mean_squared_error

try:
    print("%.3f" % mean_squared_error([0, 1], [1, 3], squared=False))
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
