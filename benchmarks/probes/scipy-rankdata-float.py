# python: 3.12
# old: numpy==2.3.4 scipy==1.17.0
# new: numpy==2.3.4 scipy==1.18.0
from scipy.stats import rankdata

print(rankdata([1, 2, 3], method="min").dtype)
