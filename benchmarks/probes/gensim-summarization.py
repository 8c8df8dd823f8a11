# python: 3.8
# old: numpy==1.19.5 scipy==1.5.4 gensim==3.8.3
# new: numpy==1.19.5 scipy==1.5.4 gensim==4.0.0
import importlib

try:
    print(importlib.import_module("gensim.summarization").__name__)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
