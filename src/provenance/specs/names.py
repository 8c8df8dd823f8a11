"""Under which distribution names a package that a file states may be installed in Python.

Pure tables, no index is asked. Names are PEP 503 names: lower case, "-" for "_" and ".". A name
that no table has is taken as its own; what the tables call no Python distribution is looked up in
``conda-meta`` alone.
"""

from __future__ import annotations

import re

from provenance.specs.model import CONDA, PACKAGE, PYPI, Fact


def _pairs(text: str) -> dict[str, tuple[str, ...]]:
    """Return the table of lines "name: distribution distribution; name: ..."."""
    found = {}
    for one in text.replace("\n", " ").split(";"):
        name, _, distributions = one.partition(":")
        if name.strip():
            found[name.strip()] = tuple(distributions.split())
    return found


_CONDA_FORGE = _pairs("""
    antlr-python-runtime: antlr4-python3-runtime; arviz-plotly: arviz; astropy-base: astropy;
    boruta-py: boruta; brotli-python: brotli; cccl-python: cuda-cccl; chemfiles-python: chemfiles;
    cupy-core: cupy; cvxpy-base: cvxpy; cython-blis: blis; dask-core: dask; dvc-base: dvc;
    fastapi-core: fastapi; fenics: fenics-dolfin; filesystem-spec: fsspec;
    freesasa-python: freesasa; geopandas-base: geopandas; geoviews-core: geoviews;
    glmnet-py: glmnet-python; h2o-py: h2o; h3-py: h3; hjson-py: hjson; hyperspy-base: hyperspy;
    ibis-framework-core: ibis-framework; libgpuarray: pygpu; libnacl-python-bindings: libnacl;
    libopencv: opencv-python; libopenvino-python: openvino; libsvm-python: libsvm;
    matplotlib-base: matplotlib; meshcat-python: meshcat; metis-python: metis; mlflow-ui: mlflow;
    mne-base: mne; modin-core: modin; msgpack-python: msgpack; mujoco-python: mujoco;
    multicore-tsne: multicoretsne; napari-base: napari; nbconvert-core: nbconvert;
    nidaqmx-python: nidaqmx; ninja-python: ninja; nvidia-apex: apex;
    nvidia-dali-python: nvidia-dali-cuda110 nvidia-dali-cuda120 nvidia-dali-cuda130;
    nvidia-ml: nvidia-ml-py3; onnxruntime-novec: onnxruntime; openexr-python: openexr;
    openff-forcefields: openforcefields; openff-toolkit-base: openff-toolkit; openmm-ml: openmmml;
    openmm-torch: openmmtorch; ortools-python: ortools; osmnx-base: osmnx; pandera-base: pandera;
    pandera-core: pandera; panel-core: panel; pennylane-core: pennylane; pgvector-python: pgvector;
    photutils-base: photutils; pinocchio-python: pin; playwright-python: playwright;
    polars-default: polars; pvlib-python: pvlib; py-opencv: opencv-python; py-plumed: plumed;
    py-triangle: triangle; py-xgboost: xgboost; pyarrow-core: pyarrow; pybamm-base: pybamm;
    pybobyqa: py-bobyqa; pybox2d: box2d; pycamb: camb; pyfai-base: pyfai; pyfit-sne: fitsne;
    pyflann: flann; pyglfw: glfw; pyjulia: julia; pymace: mace-torch; pymbar-core: pymbar;
    pymc-base: pymc; pymol-open-source: pymol; pyqt: pyqt5; pyribs: ribs; pyscamp-cpu: pyscamp;
    pyscamp-gpu: pyscamp; pysoundcard: soundcard; pysoundfile: soundfile; pysox: sox;
    pytables: tables; pytensor-base: pytensor; python-annoy: annoy; python-avro: avro;
    python-blosc2: blosc2; python-blosc: blosc; python-build: build; python-cityhash: cityhash;
    python-confluent-kafka: confluent-kafka; python-devtools: devtools; python-duckdb: duckdb;
    python-eccodes: eccodes; python-fastjsonschema: fastjsonschema; python-flair: flair;
    python-flatbuffers: flatbuffers; python-geotiff: geotiff; python-gmsh: gmsh;
    python-graphviz: graphviz; python-icc: icc; python-igraph: igraph; python-infomap: infomap;
    python-installer: installer; python-isal: isal; python-kaleido: kaleido;
    python-kubernetes: kubernetes; python-leveldb: leveldb; python-libarchive-c: libarchive-c;
    python-lmdb: lmdb; python-marisa-trie: marisa-trie; python-mss: mss; python-neo: neo;
    python-pdfkit: pdfkit; python-sounddevice: sounddevice; python-spams: spams;
    python-symengine: symengine; python-tzdata: tzdata; python-uv: uv; python-wget: wget;
    python-xxhash: xxhash; python-zstd: zstd; pytorch-3dunet: pytorch3dunet;
    pytorch-cluster: torch-cluster; pytorch-cpu: torch; pytorch-geometric: torch-geometric;
    pytorch-scatter: torch-scatter; pytorch-sparse: torch-sparse;
    pytorch-spline-conv: torch-spline-conv; pytorch: torch; pytorchrl: torchrl;
    qtconsole-base: qtconsole; quantlib-python: quantlib; quaternion: numpy-quaternion;
    ray-core: ray; redis-py: redis; s2geometry-python: s2geometry; seaborn-base: seaborn;
    segment-anything: segment-anything-py; sentencepiece-python: sentencepiece; soxr-python: soxr;
    spyder-base: spyder; starlette-base: starlette; starlette-full: starlette; tbb4py: tbb;
    tblite-python: tblite; tensorflow-base: tensorflow; tf-object-detection: object-detection;
    tiny-cuda-nn: tinycudann; transformer-engine-torch: transformer-engine; tvm-py: tvm;
    uproot-base: uproot; usearch-python: usearch; vtk-base: vtk; xeus-python-static: xeus-python
""")
"""conda package: what its files say is installed, where this is another name.

Source: the table conda-forge that prefix.dev's parselmouth makes from the ``dist-info`` in the
packages themselves (github.com/prefix-dev/parselmouth, files/v0/conda-forge, 2026-08-19)."""

_CHANNELS = _pairs("""
    faiss-cpu: faiss; faiss-gpu-cuvs: faiss; faiss-gpu-raft: faiss; faiss-gpu: faiss;
    ignite: pytorch-ignite; torchaudio-cpu: torchaudio; torchtriton: triton;
    torchvision-cpu: torchvision
""")
"""The same of the channel ``pytorch`` (files/v0/pytorch there)."""

_WHOLES = _pairs("""
    keras-base: keras; keras-gpu: keras; numpy-base: numpy; opencv: opencv-python;
    py-xgboost-cpu: xgboost; py-xgboost-gpu: xgboost; pyg: torch-geometric; pytorch-base: torch;
    pytorch-gpu: torch; ray-default: ray; tensorflow-cpu: tensorflow; tensorflow-eigen: tensorflow;
    tensorflow-gpu: tensorflow; tensorflow-mkl: tensorflow; torchtext-base: torchtext;
    torchvision-base: torchvision
""")
"""Packages of their own without files, or of other channels, that stand for a package's build.

Sources: the recipes of conda-forge (opencv, py-xgboost, pytorch-cpu, ray, tensorflow), of Anaconda
(keras, numpy, tensorflow) and of Open-CE (pytorch, torchtext, torchvision); PyG's page."""

_NEVER = frozenset(
    """
    abseil-cpp alsa-lib anaconda aria2 arpack arrow-cpp atk attr autoconf automake aws-checksums
    aws-crt-cpp aws-sdk-cpp backports bash binutils bison blas blas-devel blast blosc boost
    boost-cpp bowtie2 brotli brotli-bin bwa bzip2 c-ares c-compiler ca-certificates cairo cccl
    ceres-solver cfitsio clang clang-format clang-tools cmake compilers conda-env cpuonly cpython
    cudatoolkit cudatoolkit-dev cudnn curl cutensor cxx-compiler cyrus-sasl daal dart-sass dbus
    deno deno-dom dlpack double-conversion eigen emacs epoxy esbuild expat ffmpeg fftw flex
    fluidsynth fmt fontconfig fonts-conda-ecosystem fonts-conda-forge fortran-compiler freeglut
    freetype fribidi gawk gcc gdk-pixbuf geos geotiff gettext gettext-tools gflags gfortran gh
    giflib git git-lfs glew glfw glib glib-tools glm glog glpk gmp gnuplot gnutls go graph-tool
    graphite2 graphviz grpc-cpp gsl gst-plugins-base gstreamer gtk2 gtk3 gxx gzip harfbuzz hdf4
    hdf5 hhsuite hmmer htop icc_rt icu igraph imagemagick intel-openmp ipopt jasper jemalloc jpeg
    jq json-c julia kalign2 kealib keyutils krb5 lame lcms2 ld_impl_linux-64 lerc less leveldb lmdb
    lz4-c lzo m4 magma make mesalib metis mkl mkl-devel mkl-include mpc mpfr mpg123 mpi mpich
    msys2-conda-epoch mujoco mysql mysql-common mysql-libs nasm nccl ncurses netcdf-fortran nettle
    ninja nlohmann_json nodejs nomkl nspr nss numactl nvcc nvidiacub openblas openexr openh264
    openjdk openjpeg openldap openmpi openssh openssl orc pandoc pango parallel patchelf pcre pcre2
    perl pigz pixman pkg-config plotly-orca poppler poppler-data popt portaudio postgresql proj
    prometheus-cpp pthread-stubs pthreads-win32 pulseaudio-client python python_abi pytorch-cuda
    pytorch-mutex qhull qt qt-main qt6-main quarto r rdma-core re2 readline redis-server rhash
    ripgrep root ruby rust s2n samtools sdl2 sentencepiece-spm snappy sox sqlite suitesparse swig
    sysroot_linux-64 tar tbb tbb-devel tesseract texlive-core tini tk tktable tmux typst tzdata
    ucrt ucx unixodbc unzip vc vc14_runtime vim wayland wget x264 x265 xerces-c xkeyboard-config
    xxhash xz xz-gpl-tools xz-tools yaml yaml-cpp zeromq zfp zip zlib zlib-ng zsh zstd
    """.split()
)
"""conda packages of programs, C libraries and data, of which some share a name with another thing
on PyPI. Source: parselmouth finds no ``dist-info`` in any of their builds; the recipes."""

_NEVER_BEGIN = re.compile(
    r"_|r-|lib|perl-|bioconductor-|xorg-|xcb-|m2w64-|vs20\d\d|gcc_|gxx_|gfortran_|ld_impl_|sysroot_|"
    r"binutils_|kernel-headers|font-ttf-|azure-.*-cpp$|aws-c-|llvm-|nv(?:idia)?-cub|mesa-lib|"
    r"cuda-(?!python|bindings|core|pathfinder|cccl-python)|cudatoolkit|magma-cuda|ros-"
)
_YET = frozenset(
    """
    libclang libcst libensemble libertem libgpuarray libmambapy libnacl-python-bindings libneuroml
    libopencv libopenvino-python libpysal librabbitmq libreyolo librosa libsass libsvm-python
    libsvmdata libtmux libusb1
    """.split()
)
"""Names that begin like those of C libraries and have a ``dist-info`` all the same."""

_SAME = frozenset(
    """
    absl-py accelerate addict aiofiles aiohappyeyeballs aiohttp aiosignal aiosqlite albumentations
    allennlp altair anaconda-client annotated-types anthropic anyio apache-tvm-ffi appdirs
    argcomplete argon2-cffi argon2-cffi-bindings argparse arrow arviz ase asn1crypto astroid
    astropy asttokens astunparse async-lru async-timeout atari-py atomicwrites attrs auto-gptq
    autopep8 av awkward awscli ax-platform babel backcall backoff backports-cached-property
    backports-functools-lru-cache beautifulsoup4 bert-score better-exceptions binaryornot biopython
    bitsandbytes black bleach blessed bokeh boto3 botocore botorch bottleneck brotlipy build
    bumpversion cachecontrol cachetools captum cartopy catboost category-encoders causal-conv1d
    certifi cffi chardet charset-normalizer chex cirq cleo click cloudpickle clyent colorama
    coloredlogs comm conllu contourpy control cookiecutter corner coverage crashtest croniter
    cryptography cupy cvxopt cvxpy cycler cython dargparser dask dataclasses datasets dateutils
    deap debugpy decorator deepchecks deepdiff deepspeed defusedxml deprecation dgl diffusers dill
    distlib distributed dm-env dm-haiku dm-sonnet dm-tree docker-pycreds docopt docstring-parser
    docutils duckdb dulwich dvc dvclive e3nn easydict einops elasticsearch emcee entrypoints
    et-xmlfile eval-type-backport evaluate exceptiongroup executing fair-esm fairscale fastapi
    ffmpeg-python filelock filterpy fire flake8 flash-attn flax fonttools fqdn freetype-py
    frozenlist fsspec furo future fvcore gast gensim geopandas getdist gin-config gitdb gitpython
    gmpy2 google-api-python-client google-auth google-auth-oauthlib google-cloud-bigquery
    google-cloud-storage google-pasta gpytorch gradio gradio-client greenlet grpcio gym gymnasium
    h11 h2 h5py hdbscan healpy hf-transfer hpack html5lib httpcore httpx huggingface-hub
    humanfriendly hydra-core hyperframe hyperopt hypothesis idna imageio imageio-ffmpeg
    imbalanced-learn iminuit immutabledict importlib-metadata importlib-resources iniconfig
    inquirer iopath ipdb ipykernel ipython ipython-genutils ipython-pygments-lexers ipywidgets
    isoduration isort itsdangerous jaraco-classes jax jaxlib jedi jeepney jieba jinja2 jmespath
    joblib json5 jsonlines jsonpickle jsonpointer jsonschema jsonschema-specifications jupyter
    jupyter-client jupyter-console jupyter-core jupyter-events jupyter-lsp jupyter-packaging
    jupyter-server jupyter-server-fileid jupyter-server-terminals jupyter-server-ydoc jupyter-ydoc
    jupyterlab jupyterlab-launcher jupyterlab-pygments jupyterlab-server jupyterlab-widgets kaggle
    kaldiio keras keras-preprocessing keras-tuner keyring kiwisolver knockknock kornia kt-legacy
    langchain langdetect lazy-loader lazy-object-proxy levenshtein librosa lifelines lightgbm
    lightning lightning-cloud lightning-utilities lime lockfile loguru loralib lxml mamba-ssm
    markdown markdown-it-py markdown2 markupsafe matplotlib matplotlib-inline mccabe mdanalysis
    mdtraj mdurl mistune mkdocs mkdocs-material mkdocstrings mkdocstrings-python mkl-fft mkl-random
    mkl-service ml-collections ml-dtypes mlflow mlflow-skinny mne mock modelcif monai
    more-itertools moviepy mpi4py mpmath msgpack-python multidict multimethod multiprocess munkres
    mypy mypy-extensions mysqlclient myst-parser namex narwhals nb-anacondacloud nb-conda
    nb-conda-kernels nbclassic nbclient nbconvert nbformat nbpresent nerfacc nest-asyncio netcdf4
    networkx nibabel nilearn nltk notebook notebook-shim numba numexpr numpy nvidia-ml-py
    oauth2client oauthlib olefile omegaconf open3d openai openai-whisper opencv-python-headless
    openmm openpyxl opt-einsum optax optimum optree optuna ordered-set orjson overrides packaging
    pandas pandas-vet pandasql pandera pandocfilters papermill parso pathspec pathtools patsy
    pdbfixer peft pennylane pexpect pickleshare pillow pip pipreqs pipx pkginfo
    pkgutil-resolve-name platformdirs plotly plotnine pluggy ply plyfile poetry poetry-core
    poetry-plugin-export polars pooch portalocker pot pre-commit print-on-steroids prody progress
    progressbar2 prometheus-client prompt-toolkit propcache protobuf psutil psycopg2-binary
    ptyprocess pudb pulp pure-eval py py-cpuinfo pyaml pyarrow pyarrow-hotfix pyasn1 pyasn1-modules
    pybind11 pycairo pycodestyle pycountry pycparser pycuda pydantic pydantic-core pydeprecate
    pydicom pyflakes pyglet pygments pyjwt pylint pymatgen pymc pymcubes pymeshlab pymoo pynomaly
    pynvml pyopengl pyopenssl pyparsing pyprind pyproj pyproject-hooks pyqt5-sip pyquaternion
    pyrender pyro-ppl pyrsistent pyscf pyserial pyside6 pysocks pystan pytablewriter pytest
    pytest-cov pytest-xdist python-dateutil python-docx python-dotenv python-editor python-igraph
    python-json-logger python-levenshtein python-louvain python-multipart python-slugify
    python-utils pytorch-lightning pytorch-pretrained-bert pytorch3d pytz pywavelets pyyaml pyzmq
    qiskit qtconsole qutip rapidfuzz rasterio rdkit readchar referencing regex reportlab requests
    requests-oauthlib requests-toolbelt responses rfc3339-validator rfc3986-validator rich
    rouge-score rpds-py rsa ruamel-yaml ruff s3transfer sacrebleu sacremoses safetensors
    scikit-image scikit-learn scikit-learn-intelex scikit-optimize scikit-survival scikit-video
    scipy seaborn secretstorage send2trash sentence-transformers sentencepiece sentry-sdk seqeval
    setproctitle setuptools shap shapely shellingham shortuuid simple-parsing simplegeneric
    simpleitk sip six smmap sniffio soupsieve spacy sphinx sphinx-panels sqlalchemy sqlitedict
    sse-starlette stable-baselines3 stack-data starlette starsessions statsmodels streamlit sympy
    tabulate tensorboard tensorboard-data-server tensorboard-plugin-wit tensorboardx tensorflow
    tensorflow-datasets tensorflow-estimator tensorflow-hub tensorflow-probability termcolor
    terminado terminaltables testpath text-unidecode threadpoolctl tifffile tiktoken timm tinycss2
    tokenizers toml tomli tomlkit torch-fidelity torch-geometric torch-scatter torch-tb-profiler
    torchaudio torchdata torchio torchmetrics torchvision tornado tox tqdm tqdm-multiprocess
    traitlets transformers trimesh triton trove-classifiers twine typeguard types-python-dateutil
    typing typing-extensions typing-inspect typing-inspection umap-learn unicodedata2 unidecode
    unitxt uproot uri-template urllib3 userpath uvicorn virtualenv vllm wandb warmup-scheduler
    watchdog wcwidth webcolors webencodings websocket-client websockets werkzeug wheel
    widgetsnbextension win-inet-pton win32-setctime word2number wrapt xarray xattr xgboost xlrd
    y-py yacs yapf yarg yarl ypy-websocket zarr zipp zstandard
    """.split()
)
"""Distributions that conda packages under their own name: those that research code uses most.

Source: parselmouth, as above, finds their ``dist-info``."""

MEANT = _pairs("""
    bs4: beautifulsoup4; cv2: opencv-python; dateutil: python-dateutil; dotenv: python-dotenv;
    opencv: opencv-python; pil: pillow; python-opencv: opencv-python; pytorch: torch;
    skimage: scikit-image; sklearn: scikit-learn; yaml: pyyaml
""")
"""What people write for a package: mostly the name it is imported by.

Source: those packages' own pages; who asks PyPI for these gets a stand-in, another thing or
nothing."""

_STAND_INS = {"sklearn": r"0\.0(\.post\d+)?", "bs4": r"0\.0\.[12]", "pytorch": r"0\.1\.2|1\.0\.2"}
"""Releases of the stand-ins of that name on PyPI: a list of installed packages may hold these."""

_CUPY = "80 90 91 92 100 101 102 110 111 112 113 114 115 116 117 11x 12x 13x".split()
_MXNET = "80 90 91 92 100 101 102 110 112".split()
_DGL = "90 92 100 101 102 110 111 112 113 115 116 117".split()
_TWINS: tuple[tuple[str, ...], ...] = (
    # In the order of how common they are. Each project's page on PyPI names the others.
    (
        *("tensorflow", "tensorflow-gpu", "tensorflow-cpu", "tensorflow-macos", "intel-tensorflow"),
        *("tensorflow-intel", "tensorflow-rocm", "tensorflow-cpu-aws"),
    ),
    (
        *("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
        "opencv-contrib-python-headless",
    ),
    ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-silicon"),
    ("faiss-cpu", "faiss-gpu", "faiss", "faiss-gpu-cu11", "faiss-gpu-cu12"),
    ("cupy", *("cupy-cuda" + one for one in _CUPY), "cupy-rocm-4-3", "cupy-rocm-5-0"),
    ("mxnet", "mxnet-mkl", *("mxnet-cu" + one + kind for one in _MXNET for kind in ("", "mkl"))),
    ("dgl", *("dgl-cu" + one for one in _DGL)),
    ("open3d", "open3d-cpu"),
    ("paddlepaddle", "paddlepaddle-gpu"),
    ("psycopg2", "psycopg2-binary"),
    ("xgboost", "xgboost-cpu"),
    ("igraph", "python-igraph"),
    ("msgpack", "msgpack-python"),
    ("tensorboard", "tensorflow-tensorboard"),
)
"""Distributions of one project that install the same modules, with the same version numbers."""
_TWIN_OF = {name: group for group in _TWINS for name in group}


def installed_names(fact: Fact) -> tuple[str, ...]:
    """Return the distributions under which a stated package may be installed, the likeliest first.

    Empty for what is no Python distribution (programs and C libraries of conda, packages of R and
    Julia, facts about anything but packages): of conda, ``conda-meta`` may still know it.
    """
    if fact.kind != PACKAGE or fact.ecosystem not in (PYPI, CONDA):
        return ()
    name = re.sub(r"[-_.]+", "-", fact.name).lower()
    stand_in = _STAND_INS.get(name)
    if fact.ecosystem == PYPI and stand_in and re.fullmatch(stand_in, fact.version):
        return (name,)
    if fact.ecosystem == CONDA:
        if is_never_python(fact.name):
            return ()
        mapped = _conda_distributions(name)
    else:
        mapped = (*MEANT.get(name, ()), name)
    twins = (twin for one in mapped for twin in _TWIN_OF.get(one, (one,)))
    return tuple(dict.fromkeys((*mapped, *twins)))


def stood_for(fact: Fact) -> str:
    """Return what a stand-in (``sklearn==0.0``) only brings along, "" for any other package."""
    pattern = _STAND_INS.get(fact.name) if fact.ecosystem == PYPI else None
    if pattern is None or not re.fullmatch(pattern, fact.version):
        return ""
    return MEANT.get(fact.name, ("",))[0]


def _conda_distributions(name: str) -> tuple[str, ...]:
    if name.startswith("spacy-model-"):
        return (name.removeprefix("spacy-model-"),)
    if name.startswith("dgl-cuda"):
        return ("dgl",)
    for table in (_CONDA_FORGE, _CHANNELS, _WHOLES, MEANT):
        if name in table:
            return table[name]
    return (name,)


def is_distribution(fact: Fact) -> bool:
    """Return whether a stated package is certainly a Python distribution, not only perhaps."""
    if fact.kind != PACKAGE or fact.ecosystem != CONDA:
        return fact.kind == PACKAGE and fact.ecosystem == PYPI
    if is_never_python(fact.name):
        return False
    name = re.sub(r"[-_.]+", "-", fact.name).lower()
    return name in _SAME or _conda_distributions(name) != (name,)


def is_never_python(name: str) -> bool:
    """Return whether a conda package is known to be no Python distribution.

    name: as conda has it, lower case; "_" and "-" differ there.
    """
    if name in _YET:
        return False
    return name in _NEVER or bool(_NEVER_BEGIN.match(name))
