"""Libraries that open files in C, C++ or Rust: what is recorded, and that nothing is noticed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent._hook import observe, plain_environment, run

pytestmark = [pytest.mark.network, pytest.mark.slow]

WANTED = "numpy pyarrow h5py netCDF4 lmdb safetensors tokenizers polars duckdb pandas soundfile"
WAYS = (
    "pyarrow OSFile,pyarrow dataset,polars scan,duckdb,h5py,netCDF4,lmdb,safetensors safe_open,"
    "tokenizers,soundfile,multiprocessing spawn,python -I"
).split(",")
BENCHMARKS = Path(__file__).resolve().parent.parent.parent / "benchmarks"

MAKE = """
import netCDF4, pyarrow as pa, pyarrow.parquet as pq, numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, trainers
pq.write_table(pa.table({"a": [1, 2]}), "x.parquet")
netCDF4.Dataset("x.nc", "w").close()
save_file({"a": np.ones(1)}, "x.st")
t = Tokenizer(models.BPE())
t.train_from_iterator(["abcab"] * 9, trainers.BpeTrainer(show_progress=False))
t.model.save(".", "x")
"""
USE = """
import inspect, pickle
import duckdb, netCDF4, pandas, polars, safetensors
import pyarrow as pa, pyarrow.csv, pyarrow.parquet as pq
from tokenizers import models

def local():
    here = pandas.DataFrame({"a": [7]})
    con = duckdb.connect()
    return (duckdb.sql("select * from here").fetchall(),
            con.execute("select a + 1 from here").fetchall(),
            con.sql("select count(*) from 'x.parquet'").fetchall())

class Mine(netCDF4.Dataset):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

class Reader:
    read = pa.csv.read_csv
    table = staticmethod(pq.read_table)

print(local(), [x for x in duckdb.sql("select 1").fetchall()])
with Mine("x.nc") as data:
    print(type(data).__mro__, isinstance(data, netCDF4.Dataset), data.data_model)
with safetensors.safe_open("x.st", "np") as file:
    print(type(file), isinstance(file, safetensors.safe_open), list(file.keys()))
print(models.BPE.from_file("x-vocab.json", "x-merges.txt"))
print(Reader.table("x.parquet"), polars.read_parquet("x.parquet"))
for function in (pq.read_table, pa.csv.read_csv, pa.memory_map, polars.scan_csv):
    assert pickle.loads(pickle.dumps(function)) is function, function
    print(function.__name__, function.__module__, inspect.signature(function))
for wrong in ("pq.read_table('none.parquet')", "netCDF4.Dataset('none.nc')", "pa.OSFile('none')",
              "safetensors.safe_open('none', 'np')", "duckdb.sql('select * from nothing')",
              "models.BPE.from_file('none', 'none')", "polars.read_csv(3)", "pa.csv.read_csv()"):
    try:
        eval(wrong)
    except Exception as error:
        print(type(error), error)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return the interpreter of an environment with the libraries."""
    folder = tmp_path_factory.mktemp("native") / "env"
    subprocess.run([sys.executable, "-m", "uv", "venv", "-q", str(folder)], check=True)
    made = folder / "bin" / "python"
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "-q", "-p", made, *WANTED.split()],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip("the libraries cannot be installed: " + done.stderr[-200:])
    return str(made)


def test_programs_notice_nothing_of_the_readers_that_are_watched(python, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    made = run([python, "-c", MAKE], folder, plain_environment())
    assert made.returncode == 0, made.stderr
    (folder / "use.py").write_text(USE)
    bare = run([python, "use.py"], folder, plain_environment())
    assert bare.returncode == 0, bare.stderr
    seen = observe([python, "use.py"], folder)
    assert (seen.code, seen.out, seen.err) == (0, bare.stdout, bare.stderr)
    read = "use.py x.parquet x.nc x.st x-vocab.json x-merges.txt".split()
    assert seen.uses() == dict.fromkeys(read, "r")


def test_what_real_libraries_read_and_write_is_in_the_record(python):
    only = [word for way in WAYS for word in ("--only", way)]
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "coverage.py", "--python", python, "--json", *only],
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    assert len(answer["cells"]) >= 30
    wrong = [c for c in answer["cells"] if c["error"] or c["missed"] or c["false"]]
    assert wrong == []
    assert (answer["passed"], done.returncode) == (True, 0)


def test_exceptions_of_signal_handlers_pass_through_a_watched_reader(python, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    code = (
        "import signal, time, pyarrow as pa\n"
        "open('x', 'w').write('x')\n"
        "class Stop(Exception): pass\n"
        "def handler(*_): raise Stop\n"
        "signal.signal(signal.SIGALRM, handler)\n"
        "caught = 0\n"
        "for turn in range(40):\n"
        "  try:\n"
        "    signal.setitimer(signal.ITIMER_REAL, 0.002 + turn * 0.00001)\n"
        "    end = time.monotonic() + 60\n"
        "    while time.monotonic() < end: pa.memory_map('x').close()\n"
        "  except Stop:\n"
        "    caught += 1\n"
        "print(caught)\n"
    )
    seen = observe([python, "-c", code], folder)
    assert (seen.code, seen.out) == (0, b"40\n"), seen.err
