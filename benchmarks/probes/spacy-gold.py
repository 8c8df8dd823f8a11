# python: 3.8
# old: spacy==2.3.7
# new: spacy==3.0.9
import importlib

try:
    print(importlib.import_module("spacy.gold").__name__)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
