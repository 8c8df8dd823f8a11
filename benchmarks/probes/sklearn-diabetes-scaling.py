# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.0.2 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.1.0 scipy==1.8.1
from sklearn.datasets import load_diabetes

print(load_diabetes().data[:2].tolist())
