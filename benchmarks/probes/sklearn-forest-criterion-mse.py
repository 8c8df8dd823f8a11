# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.1.3 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.2.0 scipy==1.8.1
from sklearn.tree import DecisionTreeRegressor

try:
    print(DecisionTreeRegressor(criterion="mse").fit([[0], [1]], [0, 1]).get_depth())
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
