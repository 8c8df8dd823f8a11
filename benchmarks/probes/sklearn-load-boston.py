# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.1.3 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.2.0 scipy==1.8.1
import sklearn.datasets

try:
    print(sklearn.datasets.load_boston.__name__)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
