# python: 3.9
# old: numpy==1.26.4 pandas==1.5.3
# new: numpy==1.26.4 pandas==2.0.0
import sys

import pandas as pd

kw = {"dtype": "float64"} if "restored" in sys.argv else {}
print(pd.Series(**kw).dtype)
