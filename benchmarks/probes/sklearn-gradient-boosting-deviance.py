# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.2.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.3.0 scipy==1.8.1
from sklearn.ensemble import GradientBoostingClassifier

try:
    print(GradientBoostingClassifier(loss="deviance").fit([[0], [1]], [0, 1]).classes_.tolist())
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
