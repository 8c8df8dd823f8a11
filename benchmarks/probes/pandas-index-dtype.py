# python: 3.9
# old: numpy==1.26.4 pandas==1.5.3
# new: numpy==1.26.4 pandas==2.0.0
import pandas as pd

print(pd.Index([1, 2], dtype="int8").dtype)
