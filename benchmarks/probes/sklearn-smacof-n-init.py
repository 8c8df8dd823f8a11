# python: 3.11
# old: numpy==1.26.4 scikit-learn==1.8.0 scipy==1.13.1
# new: numpy==1.26.4 scikit-learn==1.9.0 scipy==1.13.1
import inspect

from sklearn.manifold import smacof

n_init = inspect.signature(smacof).parameters["n_init"].default
print(8 if n_init == "warn" else n_init)
