# python: 3.11
# old: numpy==2.3.4 pandas==2.3.3
# new: numpy==2.3.4 pandas==3.0.0
import pandas as pd

try:
    series = pd.Series([1, 2], pd.date_range("2020-01-30", periods=2, freq="D"))
    print(series.resample("M").sum().tolist())
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
