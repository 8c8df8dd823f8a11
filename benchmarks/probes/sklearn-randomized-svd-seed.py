# python: 3.9
# old: numpy==1.22.4 scikit-learn==1.1.3 scipy==1.8.1
# new: numpy==1.22.4 scikit-learn==1.2.0 scipy==1.8.1
import inspect

from sklearn.utils.extmath import randomized_svd

print(inspect.signature(randomized_svd).parameters["random_state"].default in (0, "warn"))
