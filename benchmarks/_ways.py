"""Ways in which libraries read and write files: what `coverage.py` runs, one process each.

``write`` makes files in the working folder; ``read`` reads all of them, or those that ``reads``
names. ``needs`` are the modules that must be importable. ``before`` makes, unrecorded, what the
writing starts from; ``inputs`` of it are what the writing reads.
"""

from __future__ import annotations

from typing import NamedTuple


class Way(NamedTuple):
    """One way. reads, inputs: names below the working folder; a folder stands for all in it."""

    name: str
    needs: str
    write: str
    read: str
    reads: tuple[str, ...] = ()
    before: str = ""
    inputs: tuple[str, ...] = ()


_ARROW = "import pyarrow as pa; t = pa.table({'a': [1, 2, 3]})\n"
_FRAME = "import pandas as pd; d = pd.DataFrame({'a': [1, 2], 'b': [3., 4.]})\n"
_POLARS = "import polars as pl; d = pl.DataFrame({'a': [1, 2]})\n"
_NP = "import numpy as np; a = np.arange(12.).reshape(3, 4)\n"
_TORCH = "import torch; m = torch.nn.Linear(2, 1)\n"
_TF = "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'\nimport tensorflow as tf\n"
_IMAGE = "import numpy as np; a = np.zeros((8, 8, 3), np.uint8)\n"
_WORK = """
def work(number):
    with open("out-%d.txt" % number, "w") as f: f.write("x")
def look(number):
    return open("out-%d.txt" % number).read()
"""

STANDARD = (
    Way("open", "", "open('x.bin', 'wb').write(b'1')", "open('x.bin', 'rb').read()"),
    Way(
        "pathlib",
        "",
        "import pathlib; pathlib.Path('x.txt').write_text('1')",
        "import pathlib; pathlib.Path('x.txt').read_text()",
    ),
    Way(
        "os.open",
        "",
        "import os; f = os.open('x.bin', os.O_WRONLY | os.O_CREAT); os.write(f, b'1')",
        "import os; os.read(os.open('x.bin', os.O_RDONLY), 9)",
    ),
    Way(
        "atomic replace",
        "",
        "import os; open('y.tmp', 'w').write('1'); os.replace('y.tmp', 'x.txt')",
        "open('x.txt').read()",
    ),
    Way(
        "pickle",
        "",
        "import pickle; pickle.dump(1, open('x.pkl', 'wb'))",
        "import pickle; pickle.load(open('x.pkl', 'rb'))",
    ),
    Way(
        "mmap",
        "",
        "import mmap\nwith open('x.bin', 'w+b') as f:\n    f.truncate(9)\n"
        "    m = mmap.mmap(f.fileno(), 9); m[:1] = b'1'; m.close()",
        "import mmap\nwith open('x.bin', 'rb') as f:\n"
        "    mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)[:1]",
    ),
    Way(
        "zipfile",
        "",
        "import zipfile\nwith zipfile.ZipFile('x.zip', 'w') as z: z.writestr('a', 'b')",
        "import zipfile; zipfile.ZipFile('x.zip').read('a')",
    ),
    Way(
        "sqlite3",
        "",
        "import sqlite3; c = sqlite3.connect('x.db'); c.execute('create table t(a)'); c.commit()",
        "import sqlite3; sqlite3.connect('x.db').execute('select * from t').fetchall()",
    ),
    Way(
        "shutil.copy",
        "",
        "import shutil; shutil.copy('in.txt', 'x.txt')",
        "open('x.txt').read()",
        before="open('in.txt', 'w').write('1')",
        inputs=("in.txt",),
        reads=("x.txt",),
    ),
)

ARRAYS = (
    Way("numpy save", "numpy", _NP + "np.save('x.npy', a)", "import numpy; numpy.load('x.npy')"),
    Way(
        "numpy savez",
        "numpy",
        _NP + "np.savez('x.npz', a=a)",
        "import numpy; numpy.load('x.npz')['a']",
    ),
    Way(
        "numpy memmap",
        "numpy",
        _NP + "m = np.memmap('x.dat', 'f8', 'w+', shape=(3,)); m[:] = 1; m.flush()",
        "import numpy; numpy.memmap('x.dat', 'f8', 'r')[0]",
    ),
    Way(
        "numpy tofile", "numpy", _NP + "a.tofile('x.bin')", "import numpy; numpy.fromfile('x.bin')"
    ),
    Way(
        "numpy savetxt",
        "numpy",
        _NP + "np.savetxt('x.txt', a)",
        "import numpy; numpy.loadtxt('x.txt')",
    ),
    Way(
        "h5py",
        "h5py",
        "import h5py\nwith h5py.File('x.h5', 'w') as f: f['a'] = [1, 2]",
        "import h5py; h5py.File('x.h5', 'r')['a'][:]",
    ),
    Way(
        "pytables",
        "tables",
        "import tables\nwith tables.open_file('x.h5', 'w') as f: f.create_array('/', 'a', [1])",
        "import tables; tables.open_file('x.h5').root.a.read()",
    ),
    Way(
        "netCDF4",
        "netCDF4",
        "import netCDF4; d = netCDF4.Dataset('x.nc', 'w'); d.createDimension('n', 2); d.close()",
        "import netCDF4; netCDF4.Dataset('x.nc').dimensions",
    ),
    Way(
        "zarr",
        "zarr numpy",
        _NP + "import zarr; z = zarr.open('x.zarr', mode='w', shape=(4,), chunks=(2,), dtype='f8');"
        " z[:] = 1",
        "import zarr; zarr.open('x.zarr', mode='r')[:]",
    ),
    Way(
        "lmdb",
        "lmdb",
        "import lmdb\nwith lmdb.open('x.lmdb') as e, e.begin(write=True) as t: t.put(b'a', b'b')",
        "import lmdb\nwith lmdb.open('x.lmdb', readonly=True, lock=False) as e, e.begin() as t:\n"
        "    t.get(b'a')",
        reads=("x.lmdb/data.mdb",),
    ),
    Way(
        "joblib",
        "joblib numpy",
        _NP + "import joblib; joblib.dump(a, 'x.joblib')",
        "import joblib; joblib.load('x.joblib')",
    ),
    Way(
        "tensorstore",
        "tensorstore numpy",
        "import os, tensorstore as ts, numpy as np\n"
        "k = {'driver': 'file', 'path': os.path.abspath('x.ts')}\n"
        "s = ts.open({'driver': 'zarr', 'kvstore': k, 'metadata': {'shape': [4], 'dtype': '<f8'}},"
        " create=True).result()\ns[:] = np.ones(4)",
        "import os, tensorstore as ts\nk = {'driver': 'file', 'path': os.path.abspath('x.ts')}\n"
        "ts.open({'driver': 'zarr', 'kvstore': k}).result()[:].read().result()",
    ),
)

TABLES = (
    Way(
        "pandas csv",
        "pandas",
        _FRAME + "d.to_csv('x.csv')",
        "import pandas as p; p.read_csv('x.csv')",
    ),
    Way(
        "pandas parquet",
        "pandas pyarrow",
        _FRAME + "d.to_parquet('x.parquet')",
        "import pandas as p; p.read_parquet('x.parquet')",
    ),
    Way(
        "pandas hdf",
        "pandas tables",
        _FRAME + "d.to_hdf('x.h5', key='d')",
        "import pandas as p; p.read_hdf('x.h5')",
    ),
    Way(
        "pandas feather",
        "pandas pyarrow",
        _FRAME + "d.to_feather('x.feather')",
        "import pandas as p; p.read_feather('x.feather')",
    ),
    Way(
        "pandas excel",
        "pandas openpyxl",
        _FRAME + "d.to_excel('x.xlsx')",
        "import pandas as p; p.read_excel('x.xlsx')",
    ),
    Way(
        "pandas fastparquet",
        "pandas fastparquet",
        _FRAME + "d.to_parquet('x.parquet', engine='fastparquet')",
        "import pandas as p; p.read_parquet('x.parquet', engine='fastparquet')",
    ),
    Way(
        "pyarrow parquet",
        "pyarrow",
        _ARROW + "import pyarrow.parquet as pq; pq.write_table(t, 'x.parquet')",
        "import pyarrow.parquet as pq; pq.read_table('x.parquet')",
    ),
    Way(
        "pyarrow ParquetFile",
        "pyarrow",
        _ARROW + "import pyarrow.parquet as pq\n"
        "with pq.ParquetWriter('x.parquet', t.schema) as w: w.write_table(t)",
        "import pyarrow.parquet as pq; pq.ParquetFile('x.parquet').read()",
    ),
    Way(
        "pyarrow memory_map",
        "pyarrow",
        _ARROW + "with pa.OSFile('x.arrow', 'wb') as f, pa.ipc.new_file(f, t.schema) as w:\n"
        "    w.write_table(t)",
        "import pyarrow as pa; pa.ipc.open_file(pa.memory_map('x.arrow')).read_all()",
    ),
    Way(
        "pyarrow OSFile",
        "pyarrow",
        _ARROW + "with pa.OSFile('x.arrow', 'wb') as f, pa.ipc.new_stream(f, t.schema) as w:\n"
        "    w.write_table(t)",
        "import pyarrow as pa; pa.ipc.open_stream(pa.OSFile('x.arrow')).read_all()",
    ),
    Way(
        "pyarrow csv",
        "pyarrow",
        _ARROW + "import pyarrow.csv; pyarrow.csv.write_csv(t, 'x.csv')",
        "import pyarrow.csv; pyarrow.csv.read_csv('x.csv')",
    ),
    Way(
        "pyarrow json",
        "pyarrow",
        "open('x.ndjson', 'w').write('{\"a\": 1}')",
        "import pyarrow.json; pyarrow.json.read_json('x.ndjson')",
    ),
    Way(
        "pyarrow feather",
        "pyarrow",
        _ARROW + "import pyarrow.feather as f; f.write_feather(t, 'x.feather')",
        "import pyarrow.feather as f; f.read_table('x.feather')",
    ),
    Way(
        "pyarrow orc",
        "pyarrow",
        _ARROW + "import pyarrow.orc as o; o.write_table(t, 'x.orc')",
        "import pyarrow.orc as o; o.read_table('x.orc')",
    ),
    Way(
        "pyarrow dataset",
        "pyarrow",
        _ARROW + "import pyarrow.dataset as ds\n"
        "ds.write_dataset(t, 'x', format='parquet', partitioning=['a'])",
        "import pyarrow.dataset as ds; ds.dataset('x', format='parquet').to_table()",
    ),
    Way(
        "polars csv",
        "polars",
        _POLARS + "d.write_csv('x.csv')",
        "import polars as pl; pl.read_csv('x.csv')",
    ),
    Way(
        "polars parquet",
        "polars",
        _POLARS + "d.write_parquet('x.parquet')",
        "import polars as pl; pl.read_parquet('x.parquet')",
    ),
    Way(
        "polars scan and sink",
        "polars",
        _POLARS + "d.lazy().sink_parquet('x-1.parquet')",
        "import polars as pl; pl.scan_parquet('x-*.parquet').collect()",
    ),
    Way(
        "polars ipc",
        "polars",
        _POLARS + "d.write_ipc('x.arrow')",
        "import polars as pl; pl.scan_ipc('x.arrow').collect()",
    ),
    Way(
        "polars ndjson",
        "polars",
        _POLARS + "d.write_ndjson('x.ndjson')",
        "import polars as pl; pl.scan_ndjson('x.ndjson').collect()",
    ),
    Way(
        "duckdb files",
        "duckdb",
        "import duckdb; duckdb.sql(\"copy (select 1 a) to 'x.parquet' (format parquet)\")",
        "import duckdb; duckdb.sql(\"select * from 'x.parquet'\").fetchall()",
    ),
    Way(
        "duckdb read_csv",
        "duckdb",
        "import duckdb; duckdb.sql('select 1 a').write_csv('x.csv')",
        "import duckdb; duckdb.read_csv('x.csv').fetchall()",
    ),
    Way(
        "duckdb database",
        "duckdb",
        "import duckdb; c = duckdb.connect('x.duckdb'); c.execute('create table t(a int)')",
        "import duckdb; duckdb.connect('x.duckdb', read_only=True).sql('from t').fetchall()",
    ),
)

MEDIA = (
    Way(
        "PIL",
        "PIL numpy",
        _IMAGE + "from PIL import Image; Image.fromarray(a).save('x.png')",
        "from PIL import Image; Image.open('x.png').load()",
    ),
    Way(
        "cv2 image",
        "cv2",
        _IMAGE + "import cv2; cv2.imwrite('x.png', a)",
        "import cv2; cv2.imread('x.png')",
    ),
    Way(
        "cv2 video",
        "cv2",
        _IMAGE
        + "import cv2\nw = cv2.VideoWriter('x.avi', cv2.VideoWriter_fourcc(*'MJPG'), 5, (8, 8))\n"
        "w.write(a); w.release()",
        "import cv2; cv2.VideoCapture('x.avi').read()",
    ),
    Way(
        "cv2 FileStorage",
        "cv2",
        "import cv2; f = cv2.FileStorage('x.yml', 1); f.write('a', 1); f.release()",
        "import cv2; f = cv2.FileStorage('x.yml', 0); f.getNode('a').real()",
    ),
    Way(
        "imageio",
        "imageio",
        _IMAGE + "import imageio.v3 as i; i.imwrite('x.png', a)",
        "import imageio.v3 as i; i.imread('x.png')",
    ),
    Way(
        "tifffile",
        "tifffile",
        _IMAGE + "import tifffile; tifffile.imwrite('x.tif', a)",
        "import tifffile; tifffile.imread('x.tif')",
    ),
    Way(
        "soundfile",
        "soundfile numpy",
        "import soundfile, numpy; soundfile.write('x.wav', numpy.zeros(99), 8000)",
        "import soundfile; soundfile.read('x.wav')",
    ),
)

TORCH = (
    Way(
        "torch save",
        "torch",
        _TORCH + "torch.save(m.state_dict(), 'x.pt')",
        "import torch; torch.load('x.pt')",
    ),
    Way(
        "torch mmap load",
        "torch",
        _TORCH + "torch.save(m.state_dict(), 'x.pt')",
        "import torch; torch.load('x.pt', mmap=True)",
    ),
    Way(
        "torch jit",
        "torch",
        _TORCH + "torch.jit.script(m).save('x.jit.pt')",
        "import torch; torch.jit.load('x.jit.pt')",
    ),
    Way(
        "torch jit.save",
        "torch",
        _TORCH + "torch.jit.save(torch.jit.script(m), 'x.jit.pt')",
        "import torch; torch.jit.load('x.jit.pt', map_location='cpu')",
    ),
    Way(
        "torch from_file",
        "torch",
        "import torch; torch.from_file('x.bin', shared=True, size=9).fill_(1)",
        "import torch; torch.from_file('x.bin', size=9).sum()",
    ),
    Way(
        "torch export",
        "torch",
        _TORCH + "torch.export.save(torch.export.export(m, (torch.ones(1, 2),)), 'x.pt2')",
        "import torch; torch.export.load('x.pt2')",
    ),
    Way(
        "torch SummaryWriter",
        "torch tensorboard",
        "from torch.utils.tensorboard import SummaryWriter\n"
        "w = SummaryWriter('tb'); w.add_scalar('a', 1, 0); w.close()",
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
        "EventAccumulator('tb').Reload()",
    ),
    Way(
        "safetensors numpy",
        "safetensors numpy",
        _NP + "from safetensors.numpy import save_file; save_file({'a': a}, 'x.safetensors')",
        "from safetensors.numpy import load_file; load_file('x.safetensors')",
    ),
    Way(
        "safetensors torch",
        "safetensors torch",
        _TORCH
        + "from safetensors.torch import save_file; save_file(m.state_dict(), 'x.safetensors')",
        "from safetensors.torch import load_file; load_file('x.safetensors')",
    ),
    Way(
        "safetensors safe_open",
        "safetensors numpy",
        _NP + "from safetensors.numpy import save_file; save_file({'a': a}, 'x.safetensors')",
        "from safetensors import safe_open\nwith safe_open('x.safetensors', 'np') as f:\n"
        "    f.get_tensor('a')",
    ),
)

MODELS = (
    Way(
        "tokenizers",
        "tokenizers",
        "from tokenizers import Tokenizer, models, trainers, pre_tokenizers\n"
        "t = Tokenizer(models.BPE()); t.pre_tokenizer = pre_tokenizers.Whitespace()\n"
        "t.train(['in.txt'], trainers.BpeTrainer(vocab_size=50, show_progress=False))\n"
        "t.save('x.json')",
        "from tokenizers import Tokenizer; Tokenizer.from_file('x.json')",
        before="open('in.txt', 'w').write('the cat sat on the mat ' * 50)",
        inputs=("in.txt",),
        reads=("x.json",),
    ),
    Way(
        "tokenizers vocabulary",
        "tokenizers",
        "from tokenizers import Tokenizer, models, trainers\nt = Tokenizer(models.BPE())\n"
        "t.train_from_iterator(['abcabd'] * 9, trainers.BpeTrainer(show_progress=False))\n"
        "t.model.save('.', 'x')",
        "from tokenizers.models import BPE; BPE.from_file('x-vocab.json', 'x-merges.txt')",
    ),
    Way(
        "sentencepiece",
        "sentencepiece",
        "import sentencepiece as s\ns.SentencePieceTrainer.train(input='in.txt', model_prefix='x',"
        " vocab_size=20, hard_vocab_limit=False)",
        "import sentencepiece as s; s.SentencePieceProcessor(model_file='x.model')",
        before="open('in.txt', 'w').write('the cat sat on the mat\\n' * 50)",
        inputs=("in.txt",),
        reads=("x.model",),
    ),
    Way(
        "xgboost model",
        "xgboost numpy",
        _NP + "import xgboost as x\n"
        "x.train({}, x.DMatrix(a, label=[0, 1, 0]), 1).save_model('x.ubj')",
        "import xgboost as x; x.Booster().load_model('x.ubj')",
    ),
    Way(
        "xgboost DMatrix(path)",
        "xgboost",
        "open('x.svm', 'w').write('1 0:1\\n0 0:2\\n' * 9)",
        "import xgboost as x; x.DMatrix('x.svm?format=libsvm').num_row()",
    ),
    Way(
        "xgboost scikit-learn",
        "xgboost sklearn numpy",
        _NP + "import xgboost as x\n"
        "m = x.XGBRegressor(n_estimators=1).fit(a, [0, 1, 0]); m.save_model('x.json')",
        "import xgboost as x; x.XGBRegressor().load_model('x.json')",
    ),
    Way(
        "lightgbm",
        "lightgbm",
        "import lightgbm as l\nl.train({'verbose': -1, 'min_data': 1}, l.Dataset('in.csv'), 1)"
        ".save_model('x.txt')",
        "import lightgbm as l; l.Booster(model_file='x.txt')",
        before="open('in.csv', 'w').write('1,2,3\\n0,3,1\\n' * 30)",
        inputs=("in.csv",),
        reads=("x.txt",),
    ),
    Way(
        "catboost",
        "catboost",
        "import catboost as c\np = c.Pool('in.tsv')\n"
        "m = c.CatBoostRegressor(iterations=1, verbose=0, allow_writing_files=False).fit(p)\n"
        "m.save_model('x.cbm')",
        "import catboost as c; c.CatBoostRegressor().load_model('x.cbm')",
        before="open('in.tsv', 'w').write('1\\t2\\t3\\n0\\t3\\t1\\n' * 9)",
        inputs=("in.tsv",),
        reads=("x.cbm",),
    ),
)

_DENSE = _TF + "m = tf.keras.Sequential([tf.keras.layers.Dense(1)]); m.build((None, 2))\n"
TENSORFLOW = (
    Way(
        "tf TFRecord",
        "tensorflow",
        _TF + "with tf.io.TFRecordWriter('x.tfrecord') as w: w.write(b'1')",
        _TF + "list(tf.data.TFRecordDataset(['x.tfrecord']))",
    ),
    Way(
        "tf gfile",
        "tensorflow",
        _TF + "with tf.io.gfile.GFile('x.txt', 'w') as f: f.write('1\\n')",
        _TF + "tf.io.gfile.GFile('x.txt').read(); list(tf.data.TextLineDataset('x.txt'))",
    ),
    Way(
        "tf images in a graph",
        "tensorflow",
        _TF + "for n in range(3): tf.io.write_file('x%d.png' % n,"
        " tf.io.encode_png(tf.zeros((4, 4, 3), tf.uint8)))",
        _TF + "d = tf.data.Dataset.from_tensor_slices(['x%d.png' % n for n in range(3)])\n"
        "list(d.map(lambda p: tf.io.decode_png(tf.io.read_file(p))))",
    ),
    Way(
        "tf list_files",
        "tensorflow",
        _TF + "for n in range(3): tf.io.write_file('x%d.txt' % n, 'a')",
        _TF + "list(tf.data.Dataset.list_files('x*.txt').interleave(tf.data.TextLineDataset))",
    ),
    Way(
        "tf Checkpoint",
        "tensorflow",
        _TF + "tf.train.Checkpoint(a=tf.Variable(1.)).write('x/ck')",
        _TF + "tf.train.Checkpoint(a=tf.Variable(0.)).read('x/ck').assert_consumed()",
    ),
    Way(
        "tf SavedModel",
        "tensorflow",
        _DENSE + "tf.saved_model.save(m, 'x')",
        _TF + "tf.saved_model.load('x')",
    ),
    Way(
        "tf summary",
        "tensorflow tensorboard",
        _TF
        + "with tf.summary.create_file_writer('tb').as_default(): tf.summary.scalar('a', 1., 0)",
        _TF + "import glob\nlist(tf.data.TFRecordDataset(glob.glob('tb/*')))",
    ),
    Way(
        "keras .keras",
        "tensorflow",
        _DENSE + "m.save('x.keras')",
        _TF + "tf.keras.models.load_model('x.keras')",
    ),
    Way(
        "keras .h5",
        "tensorflow h5py",
        _DENSE + "m.save('x.h5')",
        _TF + "tf.keras.models.load_model('x.h5')",
    ),
    Way(
        "keras weights",
        "tensorflow h5py",
        _DENSE + "m.save_weights('x.weights.h5')",
        _DENSE + "m.load_weights('x.weights.h5')",
    ),
    Way(
        "keras images of a folder",
        "tensorflow",
        _TF + "import os\nfor k in 'ab':\n    os.makedirs('x/' + k)\n    for n in range(2):\n"
        "        tf.io.write_file('x/%s/%d.png' % (k, n),"
        " tf.io.encode_png(tf.zeros((4, 4, 3), tf.uint8)))",
        _TF + "list(tf.keras.utils.image_dataset_from_directory('x', verbose=False))",
    ),
    Way(
        "orbax",
        "orbax.checkpoint jax",
        "import os, orbax.checkpoint as o, numpy as np\n"
        "with o.StandardCheckpointer() as c: c.save(os.path.abspath('x'), {'a': np.ones(4)})",
        "import os, orbax.checkpoint as o\n"
        "with o.StandardCheckpointer() as c: c.restore(os.path.abspath('x'))",
    ),
)

_POOL = (
    "if __name__ == '__main__':\n    import multiprocessing as m\n"
    "    with m.get_context('%s').Pool(2) as p: p.map(%s, range(4))\n"
)
_CHILD = "import subprocess, sys\nsubprocess.run([sys.executable, %s], check=True)"
PROCESSES = (
    *(
        Way("multiprocessing " + k, "", _WORK + _POOL % (k, "work"), _WORK + _POOL % (k, "look"))
        for k in ("fork", "spawn", "forkserver")
    ),
    Way(
        "joblib loky",
        "joblib",
        _WORK
        + "from joblib import Parallel, delayed\nParallel(2)(delayed(work)(n) for n in range(4))",
        _WORK
        + "from joblib import Parallel, delayed\nParallel(2)(delayed(look)(n) for n in range(4))",
    ),
    Way(
        "torch DataLoader workers",
        "torch",
        _WORK + "for n in range(4): work(n)",
        _WORK
        + "import torch\nclass D(torch.utils.data.Dataset):\n    def __len__(self): return 4\n"
        "    def __getitem__(self, n): return len(look(n))\n"
        "if __name__ == '__main__': list(torch.utils.data.DataLoader(D(), num_workers=2))",
    ),
    Way(
        "DataLoader workers, spawn, parquet",
        "torch pyarrow",
        _ARROW
        + "import pyarrow.parquet as pq\nfor n in range(4): pq.write_table(t, '%d.parquet' % n)",
        "import torch, pyarrow.parquet as pq\nclass D(torch.utils.data.Dataset):\n"
        "    def __len__(self): return 4\n"
        "    def __getitem__(self, n): return len(pq.read_table('%d.parquet' % n))\n"
        "if __name__ == '__main__':\n    list(torch.utils.data.DataLoader(D(), num_workers=2,"
        " multiprocessing_context='spawn'))",
    ),
    Way(
        "shell cp",
        "",
        "import subprocess; subprocess.run('cp in.txt x.txt', shell=True, check=True)",
        "import subprocess; subprocess.run(['cp', 'x.txt', '/dev/null'], check=True)",
        before="open('in.txt', 'w').write('1')",
        inputs=("in.txt",),
        reads=("x.txt",),
    ),
    Way(
        "shell tar",
        "",
        "import subprocess; subprocess.run(['tar', 'cf', 'x.tar', 'in.txt'], check=True)",
        "import subprocess; subprocess.run(['tar', 'tf', 'x.tar'], check=True)",
        before="open('in.txt', 'w').write('1')",
        inputs=("in.txt",),
        reads=("x.tar",),
    ),
    Way(
        "python -I child",
        "",
        _CHILD % "'-I', '-c', 'open(\"x.txt\", \"w\").write(\"1\")'",
        _CHILD % "'-I', '-c', 'open(\"x.txt\").read()'",
    ),
    Way(
        "python -S child",
        "",
        _CHILD % "'-S', '-c', 'open(\"x.txt\", \"w\").write(\"1\")'",
        _CHILD % "'-S', '-c', 'import sys; open(sys.argv[1]).read()', 'x.txt'",
    ),
)

WAYS = (*STANDARD, *ARRAYS, *TABLES, *MEDIA, *TORCH, *MODELS, *TENSORFLOW, *PROCESSES)
