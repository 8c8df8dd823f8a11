# python: 3.8
# old: numpy==1.18.5
# new: numpy==1.19.0
import numpy as np

print(np.random.default_rng(0).dirichlet([0.01, 0.02, 0.03], 2).tolist())
