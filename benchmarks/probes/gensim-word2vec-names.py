# python: 3.8
# old: numpy==1.19.5 scipy==1.5.4 gensim==3.8.3
# new: numpy==1.19.5 scipy==1.5.4 gensim==4.0.0
from gensim.models import Word2Vec

try:
    print(Word2Vec([["a", "b"]], size=3, min_count=1).vector_size)
except (AttributeError, ImportError, TypeError, ValueError) as error:
    print(type(error).__name__)
