# python: 3.10 3.11
# old:
# new:
import random

try:
    x = [1, 2, 3]
    random.shuffle(x, lambda: 0.3)
    print(x)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
