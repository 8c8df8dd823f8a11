# python: 3.11
# old: numpy==1.26.4 scikit-learn==1.5.2 scipy==1.13.1
# new: numpy==1.26.4 scikit-learn==1.6.0 scipy==1.13.1
from sklearn.calibration import CalibratedClassifierCV

print(CalibratedClassifierCV().get_params()["ensemble"])
