# python: 3.9
# old: numpy==1.22.4 scipy==1.8.1
# new: numpy==1.22.4 scipy==1.9.0
from scipy.stats import circvar

print("%.6f" % circvar([0.1, 0.5, 1.7]))
