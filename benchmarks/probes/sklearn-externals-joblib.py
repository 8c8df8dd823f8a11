# python: 3.7
# old: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.22.2.post1 scipy==1.3.3
# new: joblib==0.14.1 numpy==1.17.5 scikit-learn==0.23.0 scipy==1.3.3
import importlib

try:
    print(importlib.import_module("sklearn.externals.joblib").__name__)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
