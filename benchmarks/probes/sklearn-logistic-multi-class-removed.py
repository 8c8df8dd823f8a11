# python: 3.11
# old: numpy==1.26.4 scikit-learn==1.7.2 scipy==1.13.1
# new: numpy==1.26.4 scikit-learn==1.8.0 scipy==1.13.1
from sklearn.linear_model import LogisticRegression

try:
    print(type(LogisticRegression(multi_class="ovr")).__name__)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
