# python: 3.7
# old: numpy==1.17.5 scipy==1.3.3
# new: numpy==1.17.5 scipy==1.4.0
import numpy as np
from scipy import signal

x = np.arange(20.0) ** 2
print(np.abs(signal.cwt(x, lambda n, _: np.arange(n) * (1 + 1j), [3.0])).round(3).tolist()[0][:3])
