# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.21.3 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22 scipy==1.3.3
import sklearn.preprocessing

try:
    print(sklearn.preprocessing.Imputer.__name__)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
