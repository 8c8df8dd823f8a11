# python: 3.11
# old: numpy==1.26.4 scipy==1.15.3
# new: numpy==1.26.4 scipy==1.16.0
from scipy.optimize import fmin_cobyla


def f(x):
    return (x[0] - 1) ** 4 + (x[1] + 0.5) ** 2


print(fmin_cobyla(f, [0.0, 0.0], [lambda x: 1 - x[0] ** 2 - x[1] ** 2], rhoend=1e-3).tolist())
