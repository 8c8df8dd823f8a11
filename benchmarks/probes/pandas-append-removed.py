# python: 3.9
# old: numpy==1.26.4 pandas==1.5.3
# new: numpy==1.26.4 pandas==2.0.0
import pandas as pd

try:
    print(pd.DataFrame({"a": [1]}).append(pd.DataFrame({"a": [2]})).shape)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
