# python: 3.8
# old: numpy==1.19.5 scipy==1.5.4
# new: numpy==1.19.5 scipy==1.6.0
import numpy as np
from scipy.optimize import dual_annealing


def f(x):
    return np.sum(x * x - 10 * np.cos(2 * np.pi * x)) + 20


print(dual_annealing(f, [(-5, 5)] * 2, seed=3, maxiter=60, no_local_search=True).nfev)
print(dual_annealing(f, [(-5, 5)] * 2, seed=3, maxiter=60, no_local_search=True).x.tolist())
