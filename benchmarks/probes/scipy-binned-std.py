# python: 3.8
# old: numpy==1.21.6 scipy==1.7.3
# new: numpy==1.21.6 scipy==1.8.0
from scipy.stats import binned_statistic

print(
    binned_statistic([0.1, 0.2, 0.3], [1.0, 2.0, 4.0], "std", bins=4, range=(0, 1))[0]
    .round(4)
    .tolist()
)
