"""The graph of runs and files: pure, without loops, the same whatever order records come in."""

import hypothesis.strategies as st
from hypothesis import given, settings

from provenance.operations import _lineage_graph as walking
from provenance.operations._lineage_facts import (
    READ,
    WROTE,
    RunFacts,
    Touch,
    of_json,
    pack,
    unpack,
)


class Known:
    """Records as a dictionary. backwards: give them in the opposite order."""

    def __init__(self, runs, backwards=False):
        self.runs = {one.id: one for one in runs}
        self.backwards = backwards

    def by_digest(self, value):
        found = [
            run.id
            for run in self.runs.values()
            if any(d.partition(":")[2] == value for t in run.touches for d in t.digests)
        ]
        return found[::-1] if self.backwards else found

    def facts(self, run_id):
        return self.runs[run_id]


def at(second):
    return "2026-01-01T00:%02d:%02d.000+00:00" % divmod(second, 60)


def made(name, begin, reads=(), writes=(), took=1, **more):
    touches = [one if isinstance(one, Touch) else read(one) for one in reads]
    touches += [one if isinstance(one, Touch) else wrote(one) for one in writes]
    return RunFacts(
        "run-" + name, at(begin), at(begin + took), name, "done", 0, touches=tuple(touches), **more
    )


def read(word, path=None, **more):
    return Touch(READ, path or word, "repo", "data", size=3, digests=("blake3:" + word,), **more)


def wrote(word, path=None, **more):
    return Touch(WROTE, path or word, "repo", "output", size=3, digests=("blake3:" + word,), **more)


def whole(runs, word, backwards=False, depth=None, replays=False):
    """Return the graph of the file ``word`` in both directions."""
    walk = walking.Walk(Known(runs, backwards), replays)
    file = walk.file(("blake3:" + word,))
    walking.backward(walk, [file], depth)
    walking.forward(walk, [file], depth)
    return walking.graph(walk, (file.key,))


def names(edges):
    return sorted((one.run[4:], one.file.rpartition(":")[2], one.side) for one in edges)


STAGES = (
    made("prepare", 0, ["raw"], ["train", "test"]),
    made("train", 10, ["train"], ["best", "loss"]),
    made("evaluate", 20, ["best", "test"], ["result"]),
)


def test_stages_are_joined_by_digest_in_both_directions():
    found = whole(STAGES, "best")
    assert names(found.edges) == [
        ("evaluate", "best", "read"),
        ("evaluate", "result", "wrote"),
        ("prepare", "raw", "read"),
        ("prepare", "train", "wrote"),
        ("train", "best", "wrote"),
        ("train", "train", "read"),
    ]
    assert list(found.runs) == ["run-prepare", "run-train", "run-evaluate"]
    assert not found.cut


def test_depth_counts_runs_and_says_that_there_is_more():
    found = whole(STAGES, "result", depth=1)
    assert list(found.runs) == ["run-evaluate"]
    assert found.cut
    assert not whole(STAGES, "result", depth=3).cut


def test_who_writes_the_same_bytes_later_is_no_maker():
    runs = (*STAGES, made("rerun", 40, ["train"], ["best"]))
    edges = whole(runs, "best").of_file("blake3:best", "wrote")
    assert [one.run for one in edges] == ["run-train"]
    assert [e.run for e in whole(runs, "best").of_file("blake3:best", "again")] == ["run-rerun"]


def test_who_copies_a_file_did_not_make_it():
    runs = (*STAGES, made("copy", 15, ["best"], [wrote("best", "release/best")]))
    found = whole(runs, "best")
    assert [one.run for one in found.of_file("blake3:best", "wrote")] == ["run-train"]
    assert "release/best" in found.files["blake3:best"].names()


def test_a_file_that_was_read_before_anybody_wrote_it_has_no_known_maker():
    runs = (made("reader", 0, ["x"], ["y"]), made("writer", 10, [], ["x"]))
    found = whole(runs, "x")
    assert not found.of_file("blake3:x", "wrote")
    assert [one.run for one in found.of_file("blake3:x", "again")] == ["run-writer"]


def test_a_run_that_waits_for_a_file_may_have_begun_before_its_maker():
    runs = (made("watch", 0, ["x"], ["y"], took=30), made("writer", 10, [], ["x"]))
    assert names(whole(runs, "y").edges) == [
        ("watch", "x", "read"),
        ("watch", "y", "wrote"),
        ("writer", "x", "wrote"),
    ]


def test_runs_that_hand_files_to_and_fro_make_no_loop():
    runs = (made("a", 0, ["x"], ["y"], took=30), made("b", 1, ["y"], ["x"], took=30))
    found = whole(runs, "x")
    assert loop_free(found)
    assert sorted(one.side for one in found.edges) == ["again", "read", "read", "wrote"]


def test_replays_are_folded_unless_asked_for():
    again = made("replay", 50, ["train"], ["best"], replay_of="run-train")
    found = whole((*STAGES, again), "best")
    assert found.replays == {"run-train": ("run-replay",)}
    assert "run-replay" not in found.runs
    assert "run-replay" in whole((*STAGES, again), "best", replays=True).runs


def test_what_only_a_replay_wrote_was_made_by_the_replay():
    other = made("replay", 50, ["train"], ["other"], replay_of="run-train")
    assert [
        one.run for one in whole((*STAGES, other), "other").of_file("blake3:other", "wrote")
    ] == ["run-replay"]


def test_ambiguous_writers_are_all_named_and_one_that_is_sure_wins():
    a = made("a", 0, [], [wrote("x", state="ambiguous")], took=30)
    b = made("b", 1, [], [wrote("x", state="ambiguous")], took=30)
    both = whole((a, b), "x").of_file("blake3:x", "wrote")
    assert [(one.run, one.sure) for one in both] == [("run-a", False), ("run-b", False)]
    sure = made("b", 1, [], ["x"], took=30)
    found = whole((a, sure), "x").of_file("blake3:x", "wrote")
    assert [(one.run, one.sure) for one in found] == [("run-b", True)]


def test_empty_files_are_joined_only_under_one_path():
    empty = {"size": 0, "digests": ("blake3:none",)}
    runs = (
        made("a", 0, [], [wrote("none", "one/done")._replace(**empty)]),
        made("b", 9, [read("none", "two/done")._replace(**empty)], ["y"]),
        made("c", 9, [read("none", "one/done")._replace(**empty)], ["z"]),
    )
    assert "run-a" not in whole(runs, "y").runs
    assert "run-a" in whole(runs, "z").runs


def test_several_algorithms_of_one_file_join_what_no_single_one_would():
    both = read("1")._replace(digests=("blake3:1", "sha256:2"))
    runs = (
        made("a", 0, [], ["1"]),
        made("b", 9, [both]),
        made("c", 20, [read("2")._replace(digests=("sha256:2",))], ["end"]),
    )
    assert "run-a" in whole(runs, "end").runs


def test_files_without_a_digest_stand_alone():
    lost = {"digests": (), "state": "pending"}
    runs = (
        made("a", 0, [], [wrote("x")._replace(**lost)]),
        made("b", 9, [read("x")._replace(**lost)], ["y"]),
    )
    found = whole(runs, "y")
    assert list(found.runs) == ["run-b"]
    assert any(key.startswith("?run-b") for key in found.files)


WORDS = st.sampled_from("abcdef")
TOUCHES = st.lists(
    st.builds(
        Touch,
        st.sampled_from([READ, WROTE]),
        st.sampled_from(["p", "q", "r/s"]),
        st.just("repo"),
        st.just("data"),
        st.sampled_from(["digested", "ambiguous", "changed", "pending"]),
        st.sampled_from([0, 5]),
        st.sets(WORDS.map("blake3:{}".format), max_size=2).map(sorted).map(tuple),
    ),
    max_size=5,
)


@st.composite
def histories(draw):
    runs = []
    for place in range(draw(st.integers(1, 7))):
        begin = draw(st.integers(0, 20))
        took = draw(st.sampled_from([0, 1, 10]))
        run = RunFacts(
            "run-%d" % place,
            at(begin),
            draw(st.sampled_from([at(begin + took), ""])),
            replay_of=draw(st.sampled_from(["", "", "run-0"])) if place else "",
            touches=tuple(draw(TOUCHES)),
        )
        runs.append(run)
    return runs


def loop_free(graph):
    """Return whether the arrows of ``graph`` never lead back, found by following all of them."""
    after = {}
    for one in graph.edges:
        begin, end = ("f", one.file), ("r", one.run)
        if one.side == "again":
            continue
        if one.side == "wrote":
            begin, end = end, begin
        after.setdefault(begin, set()).add(end)

    def reaches_itself(start):
        seen, todo = set(), list(after.get(start, ()))
        while todo:
            node = todo.pop()
            if node == start:
                return True
            if node not in seen:
                seen.add(node)
                todo += after.get(node, ())
        return False

    return not any(reaches_itself(node) for node in after)


@settings(max_examples=120, deadline=None)
@given(histories(), WORDS, st.sampled_from([None, 0, 1, 2]), st.booleans())
def test_the_graph_never_loops_and_the_order_of_records_makes_no_difference(
    runs, word, depth, replays
):
    one = whole(runs, word, False, depth, replays)
    other = whole(runs[::-1], word, True, depth, replays)
    assert one == other
    assert loop_free(one)
    for edge in one.edges:
        touches = [t for t in one.runs[edge.run].touches if t.path in edge.paths]
        side = READ if edge.side == "read" else WROTE
        assert any(t.side == side for t in touches)
        assert edge.file in one.files
    assert all(key in one.files for key in one.subject)


@settings(max_examples=40, deadline=None)
@given(histories())
def test_facts_survive_being_packed(runs):
    for run in runs:
        assert unpack(pack(run)) == run


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    "id facets data outputs code status subjects payload files path".split()
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_a_foreign_document_is_refused_or_read_and_nothing_else(document):
    try:
        of_json(document)
    except ValueError:
        return


def test_an_address_joins_what_no_digest_does():
    asked = Touch(READ, "cache/w.bin", digests=("~run:run-make:w.bin",))
    runs = (made("make", 0, [], [wrote("w", "w.bin")]), made("use", 10, [asked], ["score"]))
    for backwards in (False, True):
        found = whole(runs, "w", backwards)
        assert names(found.edges) == [
            ("make", "w", "wrote"),
            ("use", "score", "wrote"),
            ("use", "w", "read"),
        ]
        assert whole(runs, "score", backwards).edges == found.edges
        (file,) = (one for one in found.files.values() if "blake3:w" in one.digests)
        assert file.shown == ("blake3:w",)


def test_an_address_in_a_record_that_is_not_at_hand():
    asked = Touch(READ, "cache/w.bin", digests=("~run:run-gone:w.bin",))
    found = whole((made("use", 10, [asked], ["score"]),), "score")
    assert {one.side for one in found.edges} == {"read", "wrote"}
