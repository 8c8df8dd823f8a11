# python: 3.9
# old: numpy==1.26.4 pandas==1.5.3
# new: numpy==1.26.4 pandas==2.0.0
import pandas as pd

df = pd.DataFrame({"g": ["a", "a", "b"], "x": [1, 2, 3]})
print(df.groupby("g").nth(0).index.tolist())
