# python: 3.11
# old: numpy==1.26.4 scikit-learn==1.6.1 scipy==1.13.1
# new: numpy==1.26.4 scikit-learn==1.7.0 scipy==1.13.1
from sklearn.manifold import TSNE

try:
    print(type(TSNE(n_iter=300)).__name__)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
