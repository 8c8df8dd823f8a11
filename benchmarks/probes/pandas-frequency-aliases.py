# python: 3.11
# old: numpy==2.3.4 pandas==2.3.3
# new: numpy==2.3.4 pandas==3.0.0
import sys

import pandas as pd

restored = "restored" in sys.argv
try:
    freq = "ME" if restored else "M"
    print(str(pd.date_range("2020-01-30", periods=1, freq=freq)[0]))
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
