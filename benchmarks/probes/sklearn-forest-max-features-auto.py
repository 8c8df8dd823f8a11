# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.2.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.3.0 scipy==1.8.1
from sklearn.ensemble import RandomForestClassifier

try:
    model = RandomForestClassifier(2, max_features="auto", random_state=0)
    print(len(model.fit([[0], [1]], [0, 1]).estimators_))
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
