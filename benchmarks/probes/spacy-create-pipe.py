# python: 3.8
# old: spacy==2.3.7
# new: spacy==3.0.9
import spacy

nlp = spacy.blank("en")

try:
    nlp.add_pipe(nlp.create_pipe("sentencizer"))
    print(nlp.pipe_names)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
