# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.3.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.4.0 scipy==1.8.1
from sklearn.preprocessing import OneHotEncoder

try:
    print(type(OneHotEncoder(sparse=False)).__name__)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
