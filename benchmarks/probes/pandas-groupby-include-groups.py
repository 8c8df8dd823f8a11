# python: 3.11
# old: numpy==2.3.4 pandas==2.3.3
# new: numpy==2.3.4 pandas==3.0.0
import pandas as pd

df = pd.DataFrame({"g": [1, 1, 2], "x": [1.0, 2.0, 3.0]})
print(df.groupby("g").apply(lambda part: part.shape[1]).tolist())
