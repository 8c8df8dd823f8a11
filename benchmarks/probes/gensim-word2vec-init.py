# python: 3.8
# old: numpy==1.19.5 scipy==1.5.4 gensim==3.8.3
# new: numpy==1.19.5 scipy==1.5.4 gensim==4.0.0
# env: PYTHONHASHSEED=0
from gensim.models import Word2Vec

texts = [["a", "b", "c", "d"] * 5, ["b", "c", "e"] * 6] * 20
model = Word2Vec(texts, min_count=1, seed=1, workers=1)
print([round(float(x), 6) for x in model.wv["a"][:3]])
