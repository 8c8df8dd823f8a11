# python: 3.8
# old: numpy==1.21.6 scipy==1.7.3 pandas==1.3.5 statsmodels==0.12.2
# new: numpy==1.21.6 scipy==1.7.3 pandas==1.3.5 statsmodels==0.13.0
import inspect

from statsmodels.tsa.stattools import acf

print(bool(inspect.signature(acf).parameters["fft"].default))
