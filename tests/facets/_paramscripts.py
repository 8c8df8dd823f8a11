"""One tiny script for each library that takes parameters: what it runs with is known beforehand.

Each has the words of its command line and what is to be recorded: name to ``(value, default,
given, source)``. ``ABSENT`` names must not be there.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Case(NamedTuple):
    """A script. files: further files by name."""

    text: str
    words: tuple[str, ...]
    expected: dict[str, tuple[Any, Any, Any, str]]
    files: dict[str, str] = {}
    absent: tuple[str, ...] = ()


FIT = """
import numpy as np
X = np.random.RandomState(0).rand(60, 3)
y = (X[:, 0] > 0.5).astype(int)
"""

CASES = {
    "click": Case(
        "import click\n@click.group()\n@click.option('--seed', default=0)\ndef main(seed): pass\n"
        "@main.command()\n@click.option('--learning-rate', '-l', default=0.1)\n"
        "@click.option('--epochs', default=3)\n@click.argument('data')\n"
        "def train(learning_rate, epochs, data): print(learning_rate)\nmain()\n",
        ("train", "-l", "0.5", "--epochs", "3", "d.csv"),
        {
            "seed": (0, 0, False, "click"),
            "learning_rate": (0.5, 0.1, True, "click"),
            "epochs": (3, 3, True, "click"),
            "data": ("d.csv", None, True, "click"),
            "command": ("train", None, True, "click"),
        },
    ),
    "typer": Case(
        "import enum, typer\nclass Kind(str, enum.Enum):\n    a = 'a'\n    b = 'b'\n"
        "def train(data: str, lr: float = 0.1, kind: Kind = Kind.a, amp: bool = True):\n"
        "    print(data, lr)\ntyper.run(train)\n",
        ("d.csv", "--lr", "0.5", "--no-amp"),
        {
            "data": ("d.csv", None, True, "typer"),
            "lr": (0.5, 0.1, True, "typer"),
            "kind": ("a", "a", False, "typer"),
            "amp": (False, True, True, "typer"),
        },
        absent=("no-amp", "[1]"),
    ),
    "absl": Case(
        "from absl import app, flags\nflags.DEFINE_float('lr', 0.1, '')\n"
        "flags.DEFINE_integer('epochs', 3, '')\ndef main(_): print(flags.FLAGS.lr)\n"
        "app.run(main)\n",
        ("--lr=0.5",),
        {"lr": (0.5, 0.1, True, "absl"), "epochs": (3, 3, False, "absl")},
        absent=("verbosity", "logtostderr"),
    ),
    "fire": Case(
        "import fire\ndef train(data, lr=0.1, epochs=3, **more): print(data, lr, more)\n"
        "fire.Fire(train)\n",
        ("d.csv", "--lr", "0.5", "--extra=7"),
        {
            "data": ("d.csv", None, True, "fire"),
            "lr": (0.5, 0.1, True, "fire"),
            "epochs": (3, 3, False, "fire"),
            "extra": (7, None, True, "fire"),
        },
        absent=("separator", "trace"),
    ),
    "jsonargparse": Case(
        "from dataclasses import dataclass\nfrom jsonargparse import ArgumentParser\n"
        "class Model:\n    def __init__(self, width: int = 4, depth: int = 2): pass\n"
        "p = ArgumentParser()\np.add_argument('--config', action='config')\n"
        "p.add_argument('--seed', type=int, default=0)\np.add_class_arguments(Model, 'model')\n"
        "print(p.parse_args())\n",
        ("--config", "c.yaml", "--model.width=8"),
        {
            "seed": (0, 0, False, "jsonargparse"),
            "model.width": (8, 4, True, "jsonargparse"),
            "model.depth": (5, 2, True, "jsonargparse"),
        },
        {"c.yaml": "model:\n  depth: 5\n"},
    ),
    "hydra": Case(
        "import hydra\n@hydra.main(config_path='conf', config_name='config', version_base=None)\n"
        "def main(cfg): print(cfg.lr, cfg.warm, cfg.db.user)\nmain()\n",
        ("lr=0.5", "db.user=alice", "+more=1"),
        {
            "lr": (0.5, 0.1, True, "hydra"),
            "warm": (10, None, False, "hydra"),
            "db": ("mysql", None, False, "hydra"),
            "db.user": ("alice", None, True, "hydra"),
            "more": (1, None, True, "hydra"),
        },
        {
            "conf/config.yaml": "defaults:\n  - db: mysql\nlr: 0.1\nsteps: 10\nwarm: ${steps}\n",
            "conf/db/mysql.yaml": "user: omry\n",
        },
        absent=("overrides", "user", "defaults", "cfg"),
    ),
    "hydra-sweep": Case(
        "import hydra\n@hydra.main(config_path='conf', config_name='config', version_base=None)\n"
        "def main(cfg): print(cfg.lr)\nmain()\n",
        ("-m", "lr=1,2", "hydra.run.dir=."),
        {"lr": ([1, 2], 0.1, True, "hydra"), "steps": (10, None, False, "hydra")},
        {"conf/config.yaml": "lr: 0.1\nsteps: 10\n"},
        absent=("m",),
    ),
    "hydra-compose": Case(
        "from hydra import compose, initialize\ninitialize(config_path='conf', version_base=None)\n"
        "c = compose('config', ['db=pg', 'db.user=${oc.env:PGUSER,bob}'])\nprint(c.db.user)\n",
        (),
        {
            "lr": (0.1, None, False, "hydra"),
            "db": ("pg", None, True, "hydra"),
            "db.user": ("bob", None, True, "hydra"),
            "job.user": ("j", None, False, "hydra"),
        },
        {
            "conf/config.yaml": "defaults:\n  - db: mysql\n  - job: one\nlr: 0.1\n",
            "conf/db/pg.yaml": "user: omry\n",
            "conf/job/one.yaml": "user: j\n",
        },
        absent=("user", "defaults"),
    ),
    "omegaconf": Case(
        "from omegaconf import OmegaConf\n"
        "c = OmegaConf.merge(OmegaConf.load('c.yaml'), OmegaConf.from_cli())\nprint(c.opt.lr)\n",
        ("opt.lr=0.5",),
        {
            "opt.lr": (0.5, 0.1, True, "omegaconf"),
            "name": ("run-0.5", None, None, "omegaconf"),
        },
        {"c.yaml": "opt:\n  lr: 0.1\nname: run-${opt.lr}\n"},
    ),
    "tyro": Case(
        "from dataclasses import dataclass, field\nimport tyro\n@dataclass\nclass Opt:\n"
        "    lr: float = 0.1\n@dataclass\nclass Args:\n    data: str\n"
        "    opt: Opt = field(default_factory=Opt)\n    cuda: bool = True\n    size: int = 0\n"
        "args = tyro.cli(Args)\nargs.size = 256\nprint(args)\n",
        ("--data", "d.csv", "--opt.lr", "0.5", "--no-cuda"),
        {
            "data": ("d.csv", None, True, "tyro"),
            "opt.lr": (0.5, 0.1, True, "tyro"),
            "cuda": (False, True, True, "tyro"),
            "size": (256, 0, False, "tyro"),
        },
        absent=("no-cuda", "args.data"),
    ),
    "simple-parsing": Case(
        "from dataclasses import dataclass\nfrom simple_parsing import ArgumentParser\n@dataclass\n"
        "class Options:\n    lr: float = 0.1\n    epochs: int = 3\n"
        "p = ArgumentParser()\np.add_arguments(Options, dest='options')\nprint(p.parse_args())\n",
        ("--lr", "0.5"),
        {
            "options.lr": (0.5, 0.1, True, "argparse"),
            "options.epochs": (3, 3, False, "argparse"),
        },
        absent=("lr",),
    ),
    "configargparse": Case(
        "import configargparse\np = configargparse.ArgParser(default_config_files=['c.ini'])\n"
        "p.add('--lr', type=float, default=0.1)\np.add('--epochs', type=int, default=3)\n"
        "p.add('--wd', type=int, default=0)\nprint(p.parse_args())\n",
        ("--lr", "0.5"),
        {
            "lr": (0.5, 0.1, True, "argparse"),
            "epochs": (7, 3, True, "argparse"),
            "wd": (0, 0, False, "argparse"),
        },
        {"c.ini": "epochs = 7\n"},
    ),
    "docopt": Case(
        '"""Train.\n\nUsage:\n  t.py <data> [--lr=<x>] [--amp] [--epochs=<n>]\n\nOptions:\n'
        "  --lr=<x>      rate [default: 0.1]\n  --epochs=<n>  n [default: 3]\n"
        '  --amp         on\n"""\n'
        "import docopt\nprint(docopt.docopt(__doc__))\n",
        ("d.csv", "--lr=0.5"),
        {
            "data": ("d.csv", None, True, "docopt"),
            "lr": ("0.5", "0.1", True, "docopt"),
            "epochs": ("3", "3", False, "docopt"),
            "amp": (False, False, False, "docopt"),
        },
    ),
    "sklearn": Case(
        FIT + "from sklearn.svm import SVC\nfrom sklearn.pipeline import Pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "from sklearn.model_selection import GridSearchCV, KFold, train_test_split\n"
        "a, b, c, d = train_test_split(X, y, test_size=0.5, shuffle=False)\n"
        "p = Pipeline([('s', StandardScaler(with_mean=False)), ('m', SVC(gamma=0.001))])\n"
        "p.fit(a, c)\ng = GridSearchCV(p, {'m__C': [1, 2]}, cv=KFold(3)).fit(X, y)\n"
        "print(p.predict(b), g.best_params_)\n"
        "from sklearn.datasets import make_moons\n"
        "from sklearn.inspection import permutation_importance\n"
        "from sklearn.model_selection import validation_curve\n"
        "U, v = make_moons(noise=0.25, random_state=4)\n"
        "print(U[0], permutation_importance(SVC().fit(U, v), U, v, n_repeats=2, random_state=1))\n"
        "print(validation_curve(SVC(), U, v, param_name='gamma', param_range=[1, 2]))\n",
        (),
        {
            "SVC.gamma": (0.001, "scale", True, "sklearn"),
            "SVC.kernel": ("rbf", "rbf", False, "sklearn"),
            "StandardScaler.with_mean": (False, True, True, "sklearn"),
            "train_test_split.test_size": (0.5, None, True, "sklearn"),
            "train_test_split.shuffle": (False, True, True, "sklearn"),
            "train_test_split.random_state": (None, None, False, "sklearn"),
            "KFold.n_splits": (3, 5, True, "sklearn"),
            "make_moons.noise": (0.25, None, True, "sklearn"),
            "make_moons.random_state": (4, None, True, "sklearn"),
            "make_moons.shuffle": (True, True, False, "sklearn"),
            "permutation_importance.n_repeats": (2, 5, True, "sklearn"),
            "permutation_importance.random_state": (1, None, True, "sklearn"),
            "validation_curve.param_name": ("gamma", None, True, "sklearn"),
            "GridSearchCV.param_grid.m__C": ([1, 2], None, True, "sklearn"),
            "GridSearchCV.best_params_.m__C": (1, None, None, "sklearn"),
        },
    ),
    "lightgbm": Case(
        FIT + "import lightgbm as lgb\nrounds = 4\n"
        "m = lgb.train({'objective': 'binary', 'num_leaves': 7, 'verbose': -1},\n"
        "              lgb.Dataset(X, y), num_boost_round=rounds)\n"
        "lgb.train({'metric': {'l1', 'l2', 'auc'}, 'verbose': -1}, lgb.Dataset(X, y), 2,\n"
        "          [lgb.Dataset(X, y)], callbacks=[lgb.early_stopping(3, verbose=False)])\n"
        "lgb.Dataset(X, y, params={'max_bin': 63}, free_raw_data=False)\n"
        "lgb.LGBMClassifier(num_leaves=5, n_estimators=2, verbose=-1).fit(X, y)\n"
        "print(m.predict(X)[:5])\n",
        (),
        {
            "objective": ("binary", None, True, "lightgbm"),
            "num_leaves": (7, None, True, "lightgbm"),
            "num_boost_round": (4, 100, True, "lightgbm"),
            "rounds": (4, 4, None, "script"),
            "metric": (["auc", "l1", "l2"], None, True, "lightgbm"),
            "max_bin": (63, None, True, "lightgbm"),
            "free_raw_data": (False, True, True, "lightgbm"),
            "early_stopping.stopping_rounds": (3, None, True, "lightgbm"),
            "early_stopping.min_delta": (0.0, 0.0, False, "lightgbm"),
            "LGBMClassifier.num_leaves": (5, 31, True, "lightgbm"),
            "LGBMClassifier.max_depth": (-1, -1, False, "lightgbm"),
        },
    ),
    "statsmodels": Case(
        FIT + "import statsmodels.api as sm\n"
        "class Mine(sm.OLS):\n    def fit(self, **kw): return super().fit(**kw)\n"
        "print(sm.OLS(X[:, 0], X[:, 1:]).fit(cov_type='HC1').params)\n"
        "print(Mine(X[:, 0], X).fit().params)\n"
        "print(sm.RLM(X[:, 0], X[:, 1:]).fit(maxiter=30).params)\n",
        (),
        {
            "OLS.fit.cov_type": ("HC1", "nonrobust", True, "statsmodels"),
            "OLS.fit.method": ("pinv", "pinv", False, "statsmodels"),
            "RLM.fit.maxiter": (30, 50, True, "statsmodels"),
        },
    ),
}
