# python: 3.8
# old: numpy==1.18.5
# new: numpy==1.19.0
import numpy as np

print(np.random.Generator(np.random.MT19937(1).jumped()).integers(0, 10**6, 2).tolist())
