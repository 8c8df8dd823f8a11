"""``prov diff`` says where two trainings part, of runs that really parted that way."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.parting_helpers import (
    DROPPED,
    INIT,
    NAN,
    ORDER,
    SUMS,
    UNMARKED,
    UNSEEDED,
    Trainings,
)


@pytest.fixture(scope="module")
def trainings(tmp_path_factory):
    made = Trainings(tmp_path_factory.mktemp("parting") / "project")
    made.run("base")
    made.run("bare-base", "--out", "out_base", edits=UNMARKED)
    return made


def stations(parted):
    return {one["name"]: one for one in parted["stations"]}


def differing(parted):
    return [one["name"] for one in parted["stations"] if one["verdict"] == "different"]


def test_the_same_again_is_not_seen_to_part(trainings):
    trainings.run("same")
    parted = trainings.parted("base", "same")
    assert parted["at"] is None
    assert parted["verdict"] == "same"
    assert parted["sentence"] == (
        "they were not seen to part: equal in 2 fingerprints, 1 series, 65 log lines, "
        "4 checkpoints and 1 result"
    )
    assert parted["hints"] == parted["remedies"] == parted["doubts"] == []


def test_another_seed_leaves_the_data_equal_and_parts_at_the_weights(trainings):
    trainings.run("seed", "--seed", "1")
    parted = trainings.parted("base", "seed")
    assert parted["at"] == "fingerprint init"
    assert parted["sentence"].startswith(
        "data pipeline equal, initial weights differ: parameters seed 0 -> 1; seeds "
    )
    assert parted["sentence"].endswith(
        "data (1 file) equal; fingerprint 'init' (train.py:22) differs, first in fc1.weight "
        "(2 of 4 parts differ)"
    )
    assert "as with another seed" in parted["hints"][0]
    assert stations(parted)["fingerprint batch"]["verdict"] == "same"


def test_another_learning_rate_parts_after_the_first_step(trainings):
    trainings.run("lr", "--lr", "0.2")
    parted = trainings.parted("base", "lr")
    assert parted["at"] == "series"
    assert parted["sentence"].startswith("equal up to step 0; loss parts at step 1 (")
    assert "): parameters lr 0.1 -> 0.2; code, packages, " in parted["sentence"]
    assert stations(parted)["fingerprint init"]["verdict"] == "same"
    assert differing(parted) == ["parameters", "series", "log", "checkpoints", "results"]


def test_one_layers_initialisation_is_named(trainings):
    trainings.run("init", edits=[INIT])
    parted = trainings.parted("base", "init")
    assert parted["sentence"].startswith(
        "data pipeline equal, initial weights differ: code train.py; "
    )
    assert "first in fc2.weight (1 of 4 parts differ)" in parted["sentence"]
    assert parted["hints"][0].startswith("one of 4 parts differs: as another initialisation")


def test_a_dropped_batch_parts_at_the_call_where_it_is_missing(trainings):
    trainings.run("dropped", edits=[DROPPED])
    parted = trainings.parted("base", "dropped")
    assert parted["at"] == "fingerprint batch"
    assert parted["sentence"].startswith("parted at the data that the training was given: code ")
    assert "fingerprint 'batch' (train.py:29) differs, first at call 8 of 64" in parted["sentence"]
    assert stations(parted)["fingerprint batch"]["step"] == 7
    assert parted["hints"] == [
        "marked 64 times, then 56 times: as with a dropped batch or another number of steps"
    ]


def test_another_order_of_the_data_parts_at_the_first_batch(trainings):
    trainings.run("order", edits=[ORDER])
    parted = trainings.parted("base", "order")
    assert parted["sentence"].startswith("parted at the first data that the training was given: ")
    assert "seeds numpy.random.default_rng [0, 7] -> [0, 8]" in parted["sentence"]
    assert "another order or choice of rows" in parted["hints"][0]
    assert stations(parted)["fingerprint init"]["verdict"] == "same"


def test_nan_at_a_step_is_said_with_the_step_before(trainings):
    trainings.run("nan", edits=[NAN])
    parted = trainings.parted("base", "nan")
    assert parted["sentence"].startswith(
        "equal up to step 39; NaN from step 40 in loss of the second run: code train.py; "
    )
    assert stations(parted)["series"]["step"] == 40
    assert stations(parted)["fingerprint batch"]["verdict"] == "same"
    assert stations(parted)["checkpoints"]["step"] == 48
    order = [one["name"] for one in parted["stations"] if one["verdict"] == "different"]
    assert order == ["code", "series", "log", "checkpoints", "results"]


def test_without_a_word_in_the_code_series_log_and_checkpoints_tell(trainings):
    trainings.run("bare", "--out", "out_bare", edits=[*UNMARKED, DROPPED])
    parted = trainings.parted("bare-base", "bare")
    assert parted["sentence"].startswith("equal up to step 6; loss parts at step 7 (")
    assert any("64 points, then 56" in hint for hint in parted["hints"])
    assert any('provenance.fingerprint("init", model)' in one for one in parted["remedies"])
    found = stations(parted)["log"]  # the first line names the folders, which are no difference
    assert found["detail"].startswith("line 9: 'step 7 loss ")
    found = stations(parted)["checkpoints"]
    assert found["figures"]["path"] == "out_base/ckpt_16.npz"
    assert found["figures"]["contents"]["tensor"] == "fc1.weight"


def test_where_no_cause_differs_the_doubts_are_said(trainings):
    for name in ("unseeded", "unseeded-again"):
        trainings.run(name, edits=[UNSEEDED])
    parted = trainings.parted("unseeded", "unseeded-again")
    assert parted["sentence"].startswith("data pipeline equal, initial weights differ: ")
    assert any("numpy seeded without a value train.py:18" in one for one in parted["doubts"])


def test_the_order_of_sums_is_told_by_the_size_of_the_first_difference(trainings):
    for name in ("sums", "sums-again"):
        trainings.run(name, edits=[*SUMS, *UNMARKED])
    parted = trainings.parted("sums", "sums-again")
    told = stations(parted)["series"]
    assert told["verdict"] in ("within tolerance", "different")  # as the draw of the order falls
    assert any("the size of rounding, as sums in another order" in one for one in parted["hints"])
    assert not [one for one in differing(parted) if stations(parted)[one]["kind"] == "cause"]


def test_the_answer_is_shown_before_everything_else(trainings):
    trainings.run("shown", "--seed", "2")
    lines = trainings.prov("diff", "base", "shown").stdout.splitlines()
    assert lines[1].startswith("where they part: data pipeline equal, initial weights differ: ")
    assert lines[2].split() == ["code", "same", "1", "file"] or lines[2].startswith("  code ")
    told = trainings.prov("diff", "base", "shown", "--markdown").stdout
    assert "where they part: data pipeline equal, initial weights differ" in told


LONG = """\
import sys
import provenance

for step in range(6000):
    provenance.log_metrics({"loss": 1 / (step + 1) + (step >= int(sys.argv[1]))}, step=step)
    if step % 2000 == 0:
        provenance.fingerprint("weights", [step, step >= int(sys.argv[1])])
"""


def test_a_long_series_parts_at_its_step_though_the_record_keeps_some_points(trainings):
    (trainings.folder / "long.py").write_text(LONG)
    for name, step in (("long", "9000"), ("long-other", "3333")):
        trainings.prov("run", "--name", name, "--", sys.executable, "long.py", step)
    parted = trainings.parted("long", "long-other")
    assert parted["sentence"].startswith("equal up to step 3332; loss parts at step 3333 (")
    marked = stations(parted)["fingerprint weights"]  # the third call is after step 4000
    assert (marked["figures"]["call"], marked["step"]) == (3, 4000)
    assert differing(parted)[:3] == ["parameters", "series", "fingerprint weights"]


def test_a_replay_that_differs_says_where_it_parts(trainings):
    trainings.run("to-replay", edits=[UNSEEDED])
    done = trainings.prov("replay", "to-replay", "--yes", "--json", code=1)
    parted = json.loads(done.stdout)["data"]["parted"]
    assert parted["at"] == "fingerprint init"
    assert parted["doubts"]
    assert stations(parted)["checkpoints"]["figures"]["contents"]["tensor"] == "fc1.weight"


def test_output_that_was_not_kept_is_no_difference(loose):
    source = "for i in range(9): print('step %d loss %.3f' % (i, 1 / (i + 1)))"
    (loose.folder / "t.py").write_text(source)
    loose("run", "--name", "heard", "--", sys.executable, "t.py")
    words = [sys.executable, "-m", "provenance", "run", "--name", "silent"]
    with open(os.devnull, "wb") as nowhere:
        command = [*words, "--", sys.executable, "t.py"]
        subprocess.run(command, stdout=nowhere, check=True, cwd=loose.folder, env=loose.environ)
    for pair in (("heard", "silent"), ("silent", "heard")):
        data = loose.json("diff", *pair)
        assert data["results"]["verdict"] == "not compared"
        assert data["parted"]["at"] is None
        assert "or not kept" in stations(data["parted"])["log"]["detail"]


def test_a_run_that_failed_is_said_to_have_failed(loose):
    source = (
        "import sys\n"
        "for i in range(9): print('step %d loss %.3f' % (i, 1 / (i + 1)), flush=True)\n"
        "    if i == int(sys.argv[1]): sys.exit('out of memory')\n"
    ).replace(": print", ":\n    print")
    (loose.folder / "t.py").write_text(source)
    loose("run", "--name", "whole", "--", sys.executable, "t.py", "99")
    loose("run", "--name", "failed", "--", sys.executable, "t.py", "5", code=1)
    sentence = loose.json("diff", "whole", "failed")["parted"]["sentence"]
    assert sentence.startswith("the second run failed (exit 1): equal up to step 5; ")
    sentence = loose.json("diff", "failed", "whole")["parted"]["sentence"]
    assert sentence.startswith("the first run failed (exit 1): ")
