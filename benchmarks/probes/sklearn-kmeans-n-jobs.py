# python: 3.9
# old: numpy==1.21.6 scikit-learn==0.24.2 scipy==1.7.3
# new: numpy==1.21.6 scikit-learn==1.0 scipy==1.7.3
from sklearn.cluster import KMeans

try:
    print(type(KMeans(3, n_jobs=2)).__name__)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
